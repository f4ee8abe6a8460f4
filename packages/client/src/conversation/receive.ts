/** Processing the group's log: every entry advances the position, whatever is in it. */
import {
  decodeMessage,
  equalBytes,
  openMany,
  processMessage,
  recordsToOpen,
  type MlsMessage,
  type OpenedApplication,
} from "@coppice/core";
import type { LogEntry } from "@coppice/delivery/contract";
import { CoppiceError, isCoppiceError } from "@coppice/kit";
import { identityOf, userOf } from "../account/authentication.ts";
import { momentOf } from "../account/clock.ts";
import { codeOf, rolledBackError } from "../errors.ts";
import type { Context } from "./context.ts";
import { decodeEnvelope } from "./envelope.ts";
import { adoptPending, recordCommit } from "./epoch-change.ts";
import { markSent } from "./outbox.ts";
import { dropOldEpochs } from "./past-epochs.ts";
import { advance, isOwn } from "./position.ts";
import { isRepetition } from "./repetitions.ts";
import { rosterOf } from "./roster.ts";
import type { Transaction } from "./transaction.ts";

/** Entries of epochs to come that are kept; the log is in order, so that there is normally none. */
const MAX_FUTURE_ENTRIES = 256;
const MAX_FUTURE_BYTES = 4 * 1024 * 1024;

/**
 * Processes entries after the position, in their order. Stops where the state can no longer follow. `ERR_CLIENT_ROLLED_BACK` for an own
 * message or Commit that this state did not make.
 *
 * A state that was found to be rolled back only reads from then on: what the log holds for it, nothing that comes later can read.
 * Resolves with whether it reached the end: such a state does not get past an own Commit.
 */
export async function processEntries(
  transaction: Transaction,
  entries: readonly LogEntry[],
  context: Context,
): Promise<boolean> {
  try {
    await processAll(transaction, entries, context);
    return true;
  } catch (error) {
    if (isRolledBack(transaction, context) && isCoppiceError(error, "ERR_CLIENT_ROLLED_BACK")) return false;
    throw error;
  }
}

const isRolledBack = ({ summary }: Transaction, { recovery }: Context): boolean => summary.recovery < recovery();

async function processAll(transaction: Transaction, entries: readonly LogEntry[], context: Context): Promise<void> {
  const waiting = entriesAfter(transaction.summary.position?.seq ?? 0, entries);
  while (transaction.summary.status === "active") {
    const leading = leadingMessages(transaction, waiting);
    const next = waiting.splice(0, Math.max(leading.length, 1));
    const last = next.at(-1);
    if (last === undefined) return;
    const isKnown = leading.length === 0 && isOwn(transaction.summary, last.seq);
    advance(transaction, last.seq);
    if (isKnown) continue;
    if (leading.length > 0) await openMessages(transaction, leading, context);
    else await processInOrder(transaction, last, context);
    await dropOldEpochs(transaction, last.receivedAt);
  }
}

/** Without entries that are out of order or repeated. */
function entriesAfter(seq: number, entries: readonly LogEntry[]): LogEntry[] {
  let last = seq;
  return entries.filter((entry) => {
    if (entry.seq <= last) return false;
    last = entry.seq;
    return true;
  });
}

interface Decoded {
  readonly entry: LogEntry;
  readonly message: MlsMessage;
}

/** The application messages by others that stand first: they are opened together. */
function leadingMessages(transaction: Transaction, entries: readonly LogEntry[]): readonly Decoded[] {
  const leading: Decoded[] = [];
  for (const entry of entries) {
    if (entry.kind !== "message" || isOwn(transaction.summary, entry.seq)) break;
    if (findOwn(transaction, entry) !== undefined) break;
    const message = decodeEntry(transaction, entry);
    if (message === undefined) break;
    const { contentType, epoch } = headerOf(message);
    if (contentType !== "application" || epoch > transaction.summary.epoch) break;
    leading.push({ entry, message });
  }
  return leading;
}

/** Undefined for an entry that is malformed: processed by itself, it is refused. */
function decodeEntry(transaction: Transaction, { message }: LogEntry): MlsMessage | undefined {
  try {
    return decodeMessage(message, transaction.rules.limits);
  } catch {
    return undefined;
  }
}

async function openMessages(transaction: Transaction, decoded: readonly Decoded[], context: Context): Promise<void> {
  const { rules } = transaction;
  const messages = decoded.map(({ message }) => message);
  const state = await transaction.messaging((loaded) => recordsToOpen(loaded, messages, { rules }));
  let opened;
  try {
    opened = await openMany(state, messages, { rules });
  } catch (error) {
    if (decoded.length === 1) throw error;
    // One of them fails in a way that is no refusal: the others are opened without it.
    for (const one of decoded) await openMessages(transaction, [one], context);
    return;
  }
  transaction.step(opened);
  for (const [i, { entry }] of decoded.entries()) {
    const outcome = opened.outcomes[i];
    if (outcome?.kind === "application")
      await addMessage(transaction, entry, { outcome, context, own: state.leafIndex });
    else refuseLate(transaction, entry, { error: outcome?.error, contentType: "application", context });
  }
}

/** An entry that cannot be taken together with others; a new epoch opens what waited for it. */
async function processInOrder(transaction: Transaction, entry: LogEntry, context: Context): Promise<void> {
  const { epoch } = transaction.summary;
  await processEntry(transaction, entry, context);
  if (transaction.summary.epoch === epoch) return;
  for (const waiting of [...transaction.future.values()].sort((a, b) => a.seq - b.seq)) {
    if (transaction.summary.status !== "active") return;
    if (waiting.epoch > transaction.summary.epoch) continue;
    transaction.setFuture(waiting.seq, undefined);
    await processEntry(transaction, waiting, context);
  }
}

async function processEntry(transaction: Transaction, entry: LogEntry, context: Context): Promise<void> {
  const own = findOwn(transaction, entry);
  if (own !== undefined) {
    const { account, time } = context;
    if (own.kind === "commit") await adoptPending(transaction, { account, at: entry.receivedAt, now: momentOf(time) });
    else await markSent(transaction, own.number);
    return;
  }
  const message = decodeEntry(transaction, entry);
  if (message === undefined) {
    const error = malformed("An entry of the log is no message");
    refuse(transaction, entry, { error, contentType: undefined, context });
    return;
  }
  const { contentType, epoch } = headerOf(message);
  if ((entry.kind === "commit") !== (contentType === "commit")) {
    // The Delivery Service counts epochs by what it was told is a commit.
    const error = malformed("An entry of the log is announced as what it is not");
    refuse(transaction, entry, { error, contentType: undefined, context });
  } else if (epoch > transaction.summary.epoch && entry.kind === "message") {
    bufferFuture(transaction, { ...entry, epoch }, context);
  } else if (contentType === "application") {
    await openMessages(transaction, [{ entry, message }], context);
  } else {
    await processHandshake(transaction, { entry, message, contentType }, context);
  }
}

/** What this client sent itself: own messages cannot be opened, and own commits are adopted; both are known by their bytes. */
type Own = { readonly kind: "commit" } | { readonly kind: "outbox"; readonly number: number };

function findOwn({ pending, outbox }: Transaction, { message }: LogEntry): Own | undefined {
  if (pending !== undefined && equalBytes(pending.commit, message)) return { kind: "commit" };
  for (const [number, { sealed }] of outbox) {
    if (sealed !== undefined && equalBytes(sealed.message, message)) return { kind: "outbox", number };
  }
  return undefined;
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

function bufferFuture(transaction: Transaction, entry: LogEntry, context: Context): void {
  const { future } = transaction;
  const bytes = [...future.values()].reduce((sum, { message }) => sum + message.length, entry.message.length);
  if (future.size >= MAX_FUTURE_ENTRIES || bytes > MAX_FUTURE_BYTES) {
    const error = new CoppiceError("ERR_MLS_EPOCH", "Too many messages of epochs to come wait");
    refuse(transaction, entry, { error, contentType: undefined, context });
  } else {
    transaction.setFuture(entry.seq, entry);
  }
}

async function processHandshake(
  transaction: Transaction,
  { entry, message, contentType }: Decoded & Pick<Header, "contentType">,
  context: Context,
): Promise<void> {
  const { account } = context;
  const before = await transaction.group();
  let received;
  try {
    received = await processMessage(before, message, { rules: transaction.rules });
  } catch (error) {
    if (isUnknownOwn(error)) throw rolledBackError();
    refuseLate(transaction, entry, { error, contentType, context });
    return;
  }
  if (received.kind === "proposal") {
    transaction.step(received);
    const { sender } = received;
    const isForeign = sender.senderType !== "member" || sender.leafIndex !== before.leafIndex;
    if (isForeign && !transaction.summary.proposed) transaction.setSummary({ proposed: true });
  } else if (received.kind === "commit") {
    const { effect } = received;
    if (effect.external) {
      const { client } = identityOf(effect.committer.leafNode.credential);
      if (client.user === account.user && client.device === account.device) throw rolledBackError();
      // Whoever has the GroupInfo can make such a Commit, and the Delivery Service has it: only members' devices may.
      if (!rosterOf(before).has(client.user)) {
        const error = new CoppiceError("ERR_MLS_POLICY", `${client.user} let itself in without a device in the group`);
        refuse(transaction, entry, { error, contentType, context });
        return;
      }
    }
    transaction.step(received);
    await recordCommit(transaction, { account, before, effect, at: entry.receivedAt });
  }
}

async function addMessage(
  transaction: Transaction,
  entry: LogEntry,
  { outcome, context, own }: { readonly outcome: OpenedApplication; readonly context: Context; readonly own: number },
): Promise<void> {
  const isOwnLeaf = outcome.sender.leafIndex === own;
  // Its key was not used by this state: another one, later than this, has used it.
  if (isOwnLeaf && !isRolledBack(transaction, context)) throw rolledBackError();
  let envelope;
  try {
    envelope = decodeEnvelope(outcome.data);
  } catch (error) {
    refuse(transaction, entry, { error, contentType: "application", context });
    return;
  }
  const sender = userOf(outcome.sender);
  const { id, data } = envelope;
  if (isOwnLeaf && (await wasQueued(transaction, id))) return;
  if (await isRepetition(transaction, { ...envelope, sender }, context.history)) return;
  transaction.addItem({
    kind: "message",
    id,
    sender,
    isSelf: sender === context.account.user,
    data,
    at: entry.receivedAt,
    epoch: outcome.epoch,
    state: "sent",
    problem: undefined,
  });
}

/** Whether this own message waits here to be sent: the log shows that it was, by a later state. */
async function wasQueued(transaction: Transaction, id: string): Promise<boolean> {
  for (const [number, { item: seq }] of transaction.outbox) {
    const item = seq === 0 ? undefined : await transaction.item(seq);
    if (item?.kind !== "message" || item.id !== id) continue;
    await markSent(transaction, number);
    return true;
  }
  return false;
}

/** An own message or Commit which this state did not make. */
const isUnknownOwn = (error: unknown): boolean =>
  isCoppiceError(error, "ERR_MLS_STATE") && error.requirement === "R-12.4.2-16";

interface Refused {
  readonly error: unknown;
  readonly contentType: Header["contentType"];
  readonly context: Context;
}

/** Passes over what is not for this client: sent before it joined, lost to the commit that ended its epoch, or repeated. */
function refuseLate(transaction: Transaction, entry: LogEntry, { error, contentType, context }: Refused): void {
  const { epoch, joinedEpoch } = transaction.summary;
  const isLate = isCoppiceError(error, "ERR_MLS_EPOCH") && entry.epoch < epoch;
  if (isLate && (contentType !== "application" || entry.epoch < joinedEpoch)) return;
  if (isCoppiceError(error, "ERR_MLS_REPLAY") || isCoppiceError(error, "ERR_MLS_ECHO")) return;
  refuse(transaction, entry, { error, contentType, context });
}

/**
 * A refused message is shown and passed over. A refused commit is one that the Delivery Service counts and this client
 * cannot follow: the conversation is `broken`, and all that is stored stays as it is.
 */
function refuse(transaction: Transaction, entry: LogEntry, { error, contentType, context }: Refused): void {
  const code = codeOf(error, "ERR_MLS_DECODE");
  if (entry.kind === "commit") {
    if (isRolledBack(transaction, context)) throw rolledBackError();
    transaction.setSummary({ status: "broken", problem: code });
    transaction.tell(brokenError(error));
  } else if (contentType !== "proposal") {
    const { receivedAt: at, epoch } = entry;
    transaction.addItem({ kind: "undecryptable", at, epoch, problem: code });
  }
}

/** What a person is told: what was wrong, and what can be done. */
function brokenError(cause: unknown): CoppiceError {
  const [code, why] = isCoppiceError(cause) ? [cause.code, cause.message] : (["ERR_MLS_DECODE", "malformed"] as const);
  const detail = isCoppiceError(cause) ? cause.detail : {};
  return new CoppiceError(code, `The group cannot be followed any more (${why}): rejoin it, or forget it`, {
    ...{ cause, detail },
  });
}

const malformed = (message: string): CoppiceError => new CoppiceError("ERR_MLS_DECODE", message);
