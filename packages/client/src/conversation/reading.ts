/**
 * Reading the group's log: what its entries are to this client and what they did, as values. Nothing changes here; `receive.ts`
 * applies what was read.
 */
import {
  decodeMessage,
  equalBytes,
  openMany,
  processMessage,
  recordsToOpen,
  type Bytes,
  type MlsMessage,
  type OpenedApplication,
  type OpenedMany,
  type MessagingState,
  type ReceivedCommit,
} from "@coppice/core";
import type { LogEntry } from "@coppice/delivery/contract";
import { CoppiceError, isCoppiceError } from "@coppice/kit";
import { identityOf, userOf } from "../account/authentication.ts";
import { momentOf } from "../account/clock.ts";
import { codeOf, rolledBackError } from "../errors.ts";
import { isOver, LOG_PATIENCE, waitAt, type LogWait } from "../patience.ts";
import type { Summary } from "../records/conversation.ts";
import type { Context } from "./context.ts";
import { decodeEnvelope } from "./envelope.ts";
import { pendingEpoch, receivedEpoch, type NewEpoch } from "./epoch-change.ts";
import { isOwn } from "./position.ts";
import { Repetitions, type Message } from "./repetitions.ts";
import { rosterOf } from "./roster.ts";
import type { NewItem, Step, Transaction } from "./transaction.ts";

/** Entries of epochs to come that are kept; the log is in order, so that there is normally none. */
const MAX_FUTURE_ENTRIES = 256;
const MAX_FUTURE_BYTES = 4 * 1024 * 1024;

/** A transaction as far as it is read. */
type Reader = Pick<
  Transaction,
  | "summary"
  | "pending"
  | "staged"
  | "outbox"
  | "future"
  | "items"
  | "rules"
  | "withheld"
  | "wait"
  | "messaging"
  | "group"
  | "item"
>;

/** What is to be read next: one entry, or application messages by others, which are opened together. */
export interface Next {
  readonly last: LogEntry;
  /** Whether it waited for its epoch, which has come. */
  readonly isDue: boolean;
  readonly meaning: Meaning;
}

/** What an entry is, as far as it shows without any key. */
type Meaning =
  /** Posted by this client, which knows its place in the log. */
  | { readonly kind: "known" }
  /** Own messages cannot be opened, and own Commits are adopted: both are known by their bytes. */
  | { readonly kind: "pending" }
  | { readonly kind: "queued"; readonly number: number }
  /** Of an epoch to come. */
  | { readonly kind: "early"; readonly epoch: bigint }
  | { readonly kind: "messages"; readonly messages: readonly Decoded[] }
  | ({ readonly kind: "handshake" } & Decoded & Pick<Header, "contentType">)
  | { readonly kind: "refused"; readonly error: CoppiceError };

interface Decoded {
  readonly entry: LogEntry;
  readonly message: MlsMessage;
}

/** What reading found: all of it is applied, or nothing. */
export interface Outcome {
  readonly step?: Step;
  readonly summary?: Partial<Summary>;
  readonly items?: readonly NewItem[];
  /** Entries of the outbox that the log has. */
  readonly sent?: readonly number[];
  /** An entry to keep until its epoch comes. */
  readonly early?: LogEntry;
  readonly newEpoch?: NewEpoch;
  /** What a person should know. */
  readonly problem?: CoppiceError;
  /** Whether nothing in the entry itself shows that it has this place in the log: it was refused, or kept for later. */
  readonly isDoubtful?: boolean;
  /** The entry cannot be judged yet: it stays where it is, and so do all after it. Nothing else is said then but `waited`. */
  readonly withheld?: CoppiceError;
  readonly waited?: LogWait;
}

/** What comes next: what waited for the present epoch, then what stands first in `waiting`, of which it is taken. */
export function takeNext(reader: Reader, waiting: LogEntry[], { groupId }: Pick<Context, "groupId">): Next | undefined {
  const { epoch } = reader.summary;
  const [due] = [...reader.future.values()].filter((entry) => entry.epoch <= epoch).sort((a, b) => a.seq - b.seq);
  if (due !== undefined) return { last: due, isDue: true, meaning: meaningOf(reader, due, groupId) };
  const [first] = waiting;
  if (first === undefined) return undefined;
  const meaning = isOwn(reader.summary, first.seq) ? ({ kind: "known" } as const) : meaningOf(reader, first, groupId);
  if (meaning.kind !== "messages") return { last: waiting.shift() ?? first, isDue: false, meaning };
  const messages = [...meaning.messages];
  for (const entry of waiting.slice(1)) {
    const following = isOwn(reader.summary, entry.seq) ? undefined : meaningOf(reader, entry, groupId);
    if (following?.kind !== "messages") break;
    messages.push(...following.messages);
  }
  const last = waiting.splice(0, messages.length).at(-1) ?? first;
  return { last, isDue: false, meaning: { kind: "messages", messages } };
}

function meaningOf({ summary, pending, outbox, future, rules }: Reader, entry: LogEntry, groupId: Bytes): Meaning {
  if (pending !== undefined && equalBytes(pending.commit, entry.message)) return { kind: "pending" };
  for (const [number, { sealed }] of outbox) {
    if (sealed !== undefined && equalBytes(sealed.message, entry.message)) return { kind: "queued", number };
  }
  let message: MlsMessage;
  try {
    message = decodeMessage(entry.message, rules.limits);
  } catch {
    return { kind: "refused", error: malformed("An entry of the log is no message") };
  }
  const { contentType, epoch, groupId: named } = headerOf(message);
  if (named === undefined || !equalBytes(named, groupId)) {
    return { kind: "refused", error: malformed("An entry of the log is of another group") };
  }
  if ((entry.kind === "commit") !== (contentType === "commit")) {
    // The Delivery Service counts epochs by what it was told is a commit.
    return { kind: "refused", error: malformed("An entry of the log is announced as what it is not") };
  }
  if (epoch > summary.epoch && entry.kind === "message") {
    const bytes = [...future.values()].reduce((sum, early) => sum + early.message.length, entry.message.length);
    if (future.size < MAX_FUTURE_ENTRIES && bytes <= MAX_FUTURE_BYTES) return { kind: "early", epoch };
    return { kind: "refused", error: new CoppiceError("ERR_MLS_EPOCH", "Too many messages of epochs to come wait") };
  }
  if (contentType === "application") return { kind: "messages", messages: [{ entry, message }] };
  return { kind: "handshake", entry, message, contentType };
}

interface Header {
  readonly groupId: Bytes | undefined;
  readonly epoch: bigint;
  readonly contentType: "application" | "proposal" | "commit" | undefined;
}

function headerOf(message: MlsMessage): Header {
  if (message.wireFormat === "mls_private_message") return message.privateMessage;
  if (message.wireFormat === "mls_public_message") {
    const { groupId, epoch, content } = message.publicMessage.content;
    return { groupId, epoch, contentType: content.contentType };
  }
  return { groupId: undefined, epoch: 0n, contentType: undefined };
}

/**
 * What it did: one outcome, or several, each of which is read from what the one before left. `ERR_CLIENT_ROLLED_BACK` for an own message
 * or Commit that this state did not make.
 */
export async function* read(reader: Reader, { last, meaning }: Next, context: Context): AsyncGenerator<Outcome> {
  const { account } = context;
  switch (meaning.kind) {
    case "known":
      return;
    case "queued":
      yield { sent: [meaning.number] };
      return;
    case "early":
      yield { early: { ...last, epoch: meaning.epoch }, isDoubtful: true };
      return;
    case "refused":
      yield refusal(reader, last, { error: meaning.error, contentType: undefined, context });
      return;
    case "messages":
      yield* openMessages(reader, meaning.messages, context);
      return;
    case "handshake":
      yield await readHandshake(reader, meaning, context);
      return;
    case "pending":
      yield { newEpoch: await pendingEpoch(reader, account.user, { endedAt: last.receivedAt, at: last.receivedAt }) };
  }
}

async function* openMessages(
  reader: Reader,
  decoded: readonly Decoded[],
  context: Context,
): AsyncGenerator<Outcome, void> {
  const { rules } = reader;
  const messages = decoded.map(({ message }) => message);
  const state = await reader.messaging((loaded) => recordsToOpen(loaded, messages, { rules }));
  let opened;
  try {
    opened = await openMany(state, messages, { rules });
  } catch (error) {
    if (decoded.length === 1) throw error;
    // One of them fails in a way that is no refusal: the others are opened without it.
    for (const one of decoded) yield* openMessages(reader, [one], context);
    return;
  }
  yield await readOpened(reader, { decoded, opened, own: state.leafIndex }, context);
}

interface Opened {
  readonly decoded: readonly Decoded[];
  readonly opened: OpenedMany<MessagingState>;
  /** The own leaf. */
  readonly own: number;
}

/** Messages as they are shown; a refused one is shown too, and passed over. */
async function readOpened(reader: Reader, { decoded, opened, own }: Opened, context: Context): Promise<Outcome> {
  let isDoubtful = false;
  const read = decoded.map(({ entry }, i): Message | readonly NewItem[] => {
    const outcome = opened.outcomes[i];
    if (outcome?.kind !== "application") {
      isDoubtful = true;
      const refused = { error: outcome?.error, contentType: "application", context } as const;
      return lateRefusal(reader, entry, refused).items ?? [];
    }
    // Its key was not used by this state: another one, later than this, has used it.
    if (outcome.sender.leafIndex === own && !isRolledBack(reader, context)) throw rolledBackError();
    return messageOf(outcome, entry, context);
  });
  const messages = read.filter((one) => "kind" in one);
  const repetitions = await Repetitions.among(messages, reader, context.history);
  const items: NewItem[] = [];
  const sent: number[] = [];
  for (const [i, one] of read.entries()) {
    if (!("kind" in one)) {
      items.push(...one);
      continue;
    }
    const outcome = opened.outcomes[i];
    const isOwnLeaf = outcome?.kind === "application" && outcome.sender.leafIndex === own;
    const queued = isOwnLeaf ? await findQueued(reader, one.id, sent) : undefined;
    if (queued !== undefined) {
      sent.push(queued);
      continue;
    }
    if (repetitions.has(one)) continue;
    const { isResent: _, ...item } = one;
    items.push(item);
    repetitions.note(one, reader.summary.lastItem + items.length);
  }
  const step = { state: opened.state, consumed: opened.consumed };
  const { resent } = repetitions;
  return { step, items, sent, isDoubtful, ...(resent === reader.summary.resent ? {} : { summary: { resent } }) };
}

function messageOf(
  { data: bytes, sender: leaf, epoch }: OpenedApplication,
  entry: LogEntry,
  { account }: Context,
): Message | readonly NewItem[] {
  try {
    const { id, data, resent: isResent } = decodeEnvelope(bytes);
    const sender = userOf(leaf);
    const isSelf = sender === account.user;
    const { receivedAt: at } = entry;
    return { kind: "message", id, sender, isSelf, data, at, epoch, state: "sent", problem: undefined, isResent };
  } catch (error) {
    return [undecryptable(entry, error)];
  }
}

/** The entry of the outbox that has this own message, if it waits here to be sent: the log shows that it was, by a later state. */
async function findQueued(reader: Reader, id: string, sent: readonly number[]): Promise<number | undefined> {
  for (const [number, { item: seq }] of reader.outbox) {
    const item = seq === 0 || sent.includes(number) ? undefined : await reader.item(seq);
    if (item?.kind === "message" && item.id === id) return number;
  }
  return undefined;
}

async function readHandshake(
  reader: Reader,
  { entry, message, contentType }: Decoded & Pick<Header, "contentType">,
  context: Context,
): Promise<Outcome> {
  const before = await reader.group();
  const known = reader.withheld.length;
  let received;
  try {
    received = await processMessage(before, message, { rules: reader.rules });
  } catch (error) {
    if (isUnknownOwn(error)) throw rolledBackError();
    const withheld = reader.withheld[known];
    if (withheld !== undefined) return waitFor(reader, entry, { error: withheld, contentType, context });
    return lateRefusal(reader, entry, { error, contentType, context });
  }
  if (received.kind === "application") return {};
  const step = { state: received.state, consumed: received.consumed };
  if (received.kind === "proposal") {
    const { sender } = received;
    const isForeign = sender.senderType !== "member" || sender.leafIndex !== before.leafIndex;
    return isForeign && !reader.summary.proposed ? { step, summary: { proposed: true } } : { step };
  }
  const intruder = received.effect.external ? intruderOf(received, before, context) : undefined;
  if (intruder !== undefined) return refusal(reader, entry, { error: intruder, contentType, context });
  return { newEpoch: receivedEpoch(received, before, entry.receivedAt) };
}

/** Who is named in the entry cannot be looked up: the log is read on later, unless that was tried for too long. */
function waitFor(reader: Reader, entry: LogEntry, refused: Refused & { readonly error: CoppiceError }): Outcome {
  const { wait } = reader;
  const waited = waitAt(entry.seq, wait, momentOf(refused.context.time));
  const outcome = isOver(waited, LOG_PATIENCE) ? refusal(reader, entry, refused) : { withheld: refused.error };
  return waited === wait ? outcome : { ...outcome, waited };
}

/** Whoever has the GroupInfo can let itself in, and the Delivery Service has it: only members' devices may. */
function intruderOf(
  { effect }: ReceivedCommit,
  before: Parameters<typeof rosterOf>[0],
  { account }: Context,
): CoppiceError | undefined {
  const { client } = identityOf(effect.committer.leafNode.credential);
  if (client.user === account.user && client.device === account.device) throw rolledBackError();
  if (rosterOf(before).has(client.user)) return undefined;
  return new CoppiceError("ERR_MLS_POLICY", `${client.user} let itself in without a device in the group`);
}

/** An own message or Commit which this state did not make. */
const isUnknownOwn = (error: unknown): boolean =>
  isCoppiceError(error, "ERR_MLS_STATE") && error.requirement === "R-12.4.2-16";

export const isRolledBack = ({ summary }: Pick<Reader, "summary">, { recovery }: Context): boolean =>
  summary.recovery < recovery();

interface Refused {
  readonly error: unknown;
  readonly contentType: Header["contentType"];
  readonly context: Context;
}

const PASSED_OVER: Outcome = { isDoubtful: true };

/** Passes over what is not for this client: sent before it joined, lost to the commit that ended its epoch, or repeated. */
function lateRefusal(reader: Reader, entry: LogEntry, refused: Refused): Outcome {
  const { error, contentType } = refused;
  const { epoch, joinedEpoch } = reader.summary;
  const isLate = isCoppiceError(error, "ERR_MLS_EPOCH") && entry.epoch < epoch;
  if (isLate && (contentType !== "application" || entry.epoch < joinedEpoch)) return PASSED_OVER;
  if (isCoppiceError(error, "ERR_MLS_REPLAY") || isCoppiceError(error, "ERR_MLS_ECHO")) return PASSED_OVER;
  return refusal(reader, entry, refused);
}

/**
 * A refused message is shown and passed over. A refused commit is one that the Delivery Service counts and this client
 * cannot follow: the conversation is `broken`, and all that is stored stays as it is.
 */
function refusal(reader: Reader, entry: LogEntry, { error, contentType, context }: Refused): Outcome {
  if (entry.kind !== "commit") {
    return contentType === "proposal" ? PASSED_OVER : { items: [undecryptable(entry, error)], isDoubtful: true };
  }
  if (isRolledBack(reader, context)) throw rolledBackError();
  const summary = { status: "broken", problem: codeOf(error, "ERR_MLS_DECODE") } as const;
  return { summary, problem: brokenError(error), isDoubtful: true };
}

function undecryptable(
  { receivedAt: at, epoch }: LogEntry,
  error: unknown,
): Extract<NewItem, { kind: "undecryptable" }> {
  return { kind: "undecryptable", at, epoch, problem: codeOf(error, "ERR_MLS_DECODE") };
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
