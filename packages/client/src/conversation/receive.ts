/** Processing the group's log: every entry advances the cursor, whatever is in it. */
import { decodeMessage, equalBytes, isCoppiceError, processMessage, type MlsMessage } from "@coppice/core";
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
  for (const entry of entries) {
    if (entry.seq <= draft.meta.cursor) continue;
    if (statusOf(draft) !== "active") return;
    draft.setMeta({ cursor: entry.seq });
    const { epoch } = draft.state.context;
    await processEntry(draft, entry, shared);
    if (draft.state.context.epoch !== epoch) await processBuffered(draft, shared);
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
  if (await isOwn(draft, entry, shared)) return;
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

/** Own messages cannot be opened, and own commits are adopted: both are known by their bytes. */
async function isOwn(draft: Draft, entry: LogEntry, shared: Shared): Promise<boolean> {
  if (draft.pending !== undefined && equalBytes(draft.pending.commit, entry.message)) {
    await adoptPending(draft, shared, shared.id, entry.receivedAt);
    return true;
  }
  const hash = echoOf(draft.state, entry.message);
  if (draft.echoes.has(hash)) {
    draft.forgetEcho(hash);
    return true;
  }
  for (const [number, { sealed }] of draft.outbox) {
    if (sealed === undefined || !equalBytes(sealed.message, entry.message)) continue;
    await markSent(draft, number, shared);
    return true;
  }
  return false;
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
    const stale = isCoppiceError(error, "ERR_MLS_EPOCH") && entry.epoch < before.context.epoch;
    const duplicate = isCoppiceError(error, "ERR_MLS_REPLAY");
    // Not for this client: it was sent before it joined, or lost to the commit that ended its epoch.
    if (stale && (contentType !== "application" || entry.epoch < draft.meta.joinedEpoch)) return;
    if (duplicate) return;
    refuse(draft, entry, { code: codeOf(error, "ERR_MLS_DECODE"), contentType });
    return;
  }
  draft.step(received);
  switch (received.kind) {
    case "application":
      draft.addItem({
        kind: "message",
        sender: nameOf(received.sender.credential),
        isSelf: false,
        data: received.data,
        at: entry.receivedAt,
        epoch: received.epoch,
        state: "sent",
        problem: undefined,
      });
      break;
    case "commit":
      await recordCommit(draft, shared, { id: shared.id, before, effect: received.effect, at: entry.receivedAt });
      break;
    case "proposal":
      break;
  }
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
