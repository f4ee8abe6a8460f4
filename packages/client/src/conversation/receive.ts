/** Processing the group's log: every entry advances the cursor, whatever is in it. */
import {
  decodeMessage,
  equalBytes,
  isCoppiceError,
  openMany,
  processMessage,
  type MlsMessage,
  type OpenedApplication,
} from "@coppice/core";
import type { LogEntry } from "@coppice/delivery";
import { nameOf } from "../account/authentication.ts";
import { codeOf } from "../errors.ts";
import type { Context } from "./context.ts";
import type { Draft } from "./draft.ts";
import { adoptPending, recordCommit } from "./epoch-change.ts";
import { echoOf, statusOf } from "./held.ts";
import { markSent } from "./outbox.ts";

/** Entries of epochs to come that are kept; the log is in order, so that there is normally none. */
const MAX_FUTURE_ENTRIES = 256;
const MAX_FUTURE_BYTES = 4 * 1024 * 1024;

type Shared = Pick<Context, "id" | "account" | "lastStaged">;

/** Processes entries after the cursor, in their order. Stops where the state can no longer follow. */
export async function processEntries(draft: Draft, entries: readonly LogEntry[], shared: Shared): Promise<void> {
  const waiting = entriesAfter(draft.meta.cursor, entries);
  while (statusOf(draft) === "active") {
    const messages = leadingMessages(draft, waiting);
    const next = waiting.splice(0, Math.max(messages.length, 1));
    const last = next.at(-1);
    if (last === undefined) return;
    draft.setMeta({ cursor: last.seq });
    if (messages.length > 0) {
      await openMessages(draft, { entries: next, messages }, shared);
      continue;
    }
    const { epoch } = draft.state.context;
    await processEntry(draft, last, shared);
    if (draft.state.context.epoch !== epoch) await processBuffered(draft, shared);
  }
}

/** Without entries that are out of order or repeated. */
function entriesAfter(cursor: number, entries: readonly LogEntry[]): LogEntry[] {
  let last = cursor;
  return entries.filter(({ seq }) => {
    if (seq <= last) return false;
    last = seq;
    return true;
  });
}

/** The application messages by others that stand first: they are opened together. */
function leadingMessages(draft: Draft, entries: readonly LogEntry[]): MlsMessage[] {
  const messages: MlsMessage[] = [];
  for (const entry of entries) {
    const message =
      entry.kind === "message" && findOwn(draft, entry) === undefined ? decodeEntry(draft, entry) : undefined;
    if (message === undefined) break;
    const { contentType, epoch } = headerOf(message);
    if (contentType !== "application" || epoch > draft.state.context.epoch) break;
    messages.push(message);
  }
  return messages;
}

/** Undefined for an entry that is malformed: processed by itself, it is refused. */
function decodeEntry(draft: Draft, entry: LogEntry): MlsMessage | undefined {
  try {
    return decodeMessage(entry.message, draft.rules.limits.messageBytes);
  } catch {
    return undefined;
  }
}

async function openMessages(
  draft: Draft,
  { entries, messages }: { readonly entries: readonly LogEntry[]; readonly messages: readonly MlsMessage[] },
  shared: Shared,
): Promise<void> {
  let opened;
  try {
    opened = await openMany(draft.state, messages, { rules: draft.rules });
  } catch {
    // One of them fails in a way that is no refusal: the others are opened without it.
    for (const entry of entries) await processEntry(draft, entry, shared);
    return;
  }
  draft.step(opened);
  for (const [i, entry] of entries.entries()) {
    const outcome = opened.outcomes[i];
    if (outcome?.kind === "application") addMessage(draft, entry, outcome);
    else refuseLate(draft, entry, { error: outcome?.error, contentType: "application" });
  }
}

async function processBuffered(draft: Draft, shared: Shared): Promise<void> {
  for (const entry of [...draft.future.values()].sort((a, b) => a.seq - b.seq)) {
    if (statusOf(draft) !== "active") return;
    if (entry.epoch > draft.state.context.epoch) continue;
    draft.unbuffer(entry.seq);
    await processEntry(draft, entry, shared);
  }
}

async function processEntry(draft: Draft, entry: LogEntry, shared: Shared): Promise<void> {
  const own = findOwn(draft, entry);
  if (own !== undefined) return acknowledge(draft, own, { shared, at: entry.receivedAt });
  try {
    const message = decodeMessage(entry.message, draft.rules.limits.messageBytes);
    const header = headerOf(message);
    if ((entry.kind === "commit") !== (header.contentType === "commit")) {
      // The Delivery Service counts epochs by what it was told is a commit.
      refuse(draft, entry, { code: "ERR_MLS_DECODE", contentType: undefined });
      return;
    }
    if (header.epoch > draft.state.context.epoch && entry.kind === "message") {
      bufferFuture(draft, { ...entry, epoch: header.epoch });
      return;
    }
    await processDecoded(draft, { entry, message, contentType: header.contentType }, shared);
  } catch (error) {
    refuse(draft, entry, { code: codeOf(error, "ERR_MLS_DECODE"), contentType: undefined });
  }
}

/** What this client sent itself. */
type Own =
  | { readonly kind: "commit" }
  | { readonly kind: "echo"; readonly hash: string }
  | { readonly kind: "outbox"; readonly number: number };

/** Own messages cannot be opened, and own commits are adopted: both are known by their bytes. */
function findOwn(draft: Draft, { message }: LogEntry): Own | undefined {
  if (draft.pending !== undefined && equalBytes(draft.pending.commit, message)) return { kind: "commit" };
  const hash = echoOf(draft.state, message);
  if (draft.echoes.has(hash)) return { kind: "echo", hash };
  for (const [number, { sealed }] of draft.outbox) {
    if (sealed !== undefined && equalBytes(sealed.message, message)) return { kind: "outbox", number };
  }
  return undefined;
}

async function acknowledge(
  draft: Draft,
  own: Own,
  { shared, at }: { readonly shared: Shared; readonly at: number },
): Promise<void> {
  switch (own.kind) {
    case "commit":
      return adoptPending(draft, shared, shared.id, at);
    case "echo":
      draft.forgetEcho(own.hash);
      return;
    case "outbox":
      return markSent(draft, own.number, shared);
  }
}

interface Header {
  readonly epoch: bigint;
  readonly contentType: "application" | "proposal" | "commit" | undefined;
}

function headerOf(message: MlsMessage): Header {
  if (message.wireFormat === "mls_private_message") return message.privateMessage;
  if (message.wireFormat === "mls_public_message") {
    const { epoch, content } = message.publicMessage.content;
    return { epoch, contentType: content.contentType };
  }
  return { epoch: 0n, contentType: undefined };
}

function bufferFuture(draft: Draft, entry: LogEntry): void {
  const bytes = [...draft.future.values()].reduce((sum, { message }) => sum + message.length, entry.message.length);
  if (draft.future.size >= MAX_FUTURE_ENTRIES || bytes > MAX_FUTURE_BYTES) {
    refuse(draft, entry, { code: "ERR_MLS_EPOCH", contentType: undefined });
  } else {
    draft.buffer(entry);
  }
}

async function processDecoded(
  draft: Draft,
  { entry, message, contentType }: { entry: LogEntry; message: MlsMessage; contentType: Header["contentType"] },
  shared: Shared,
): Promise<void> {
  const before = draft.state;
  let received;
  try {
    received = await processMessage(before, message, { rules: draft.rules });
  } catch (error) {
    refuseLate(draft, entry, { error, contentType });
    return;
  }
  draft.step(received);
  switch (received.kind) {
    case "application":
      addMessage(draft, entry, received);
      break;
    case "commit":
      await recordCommit(draft, shared, { id: shared.id, before, effect: received.effect, at: entry.receivedAt });
      break;
    case "proposal":
      break;
  }
}

function addMessage(draft: Draft, entry: LogEntry, { sender, data, epoch }: OpenedApplication): void {
  draft.addItem({
    kind: "message",
    sender: nameOf(sender.credential),
    isSelf: false,
    data,
    at: entry.receivedAt,
    epoch,
    state: "sent",
    problem: undefined,
  });
}

/** Passes over what is not for this client: sent before it joined, lost to the commit that ended its epoch, or repeated. */
function refuseLate(
  draft: Draft,
  entry: LogEntry,
  { error, contentType }: { readonly error: unknown; readonly contentType: Header["contentType"] },
): void {
  const stale = isCoppiceError(error, "ERR_MLS_EPOCH") && entry.epoch < draft.state.context.epoch;
  if (stale && (contentType !== "application" || entry.epoch < draft.meta.joinedEpoch)) return;
  if (isCoppiceError(error, "ERR_MLS_REPLAY")) return;
  refuse(draft, entry, { code: codeOf(error, "ERR_MLS_DECODE"), contentType });
}

/**
 * A refused message is shown and passed over. A refused commit is one that the Delivery Service counts and this client
 * cannot follow: the conversation is `broken`, and all that is stored stays as it is.
 */
function refuse(
  draft: Draft,
  entry: LogEntry,
  { code, contentType }: { code: string; contentType: Header["contentType"] },
): void {
  if (entry.kind === "commit") {
    draft.setMeta({ problem: code });
  } else if (contentType !== "proposal") {
    draft.addItem({ kind: "undecryptable", at: entry.receivedAt, epoch: entry.epoch, problem: code });
  }
}
