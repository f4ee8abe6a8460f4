/**
 * Messages on their way. Each is stored before anything else; it is sealed at once where it can leave at once, else as late as
 * possible, under the epoch that is then current. What is sealed is stored with the ratchet that lacks its key, and then posted byte
 * for byte until the Delivery Service has confirmed it.
 */
import { createApplicationMessage, equalBytes, erase, recordsToSend, toHex, type Bytes } from "@coppice/core";
import { EPOCH_WINDOW, MAX_MESSAGES_PER_CALL } from "@coppice/delivery/contract";
import { CoppiceError, isCoppiceError, randomBytes } from "@coppice/kit";
import { momentOf } from "../account/clock.ts";
import type { MessageItem, OutboxEntry, Sealed, Summary } from "../records/conversation.ts";
import type { Context } from "./context.ts";
import { encodeEnvelope } from "./envelope.ts";
import { proposeToLeave } from "./leaving.ts";
import { noteOwn } from "./position.ts";
import type { Workable } from "./stored.ts";
import type { Transaction } from "./transaction.ts";

/** An entry that is ready to be posted. */
export interface Ready {
  readonly number: number;
  readonly sealed: Sealed;
}

/** What is to be posted next. `blocked`: proposals have to be committed before anything can be sealed (R-12.4-3). */
export type NextBatch = readonly Ready[] | "blocked";

/** Adds a message to history and outbox; `now`: seals it, if nothing that is not sealed stands before it. */
export async function queueMessage(
  transaction: Transaction,
  data: Bytes,
  { context, now }: { readonly context: Context; readonly now: boolean },
): Promise<MessageItem> {
  const { account, time } = context;
  const message = {
    kind: "message",
    id: toHex(randomBytes(16)),
    sender: account.user,
    isSelf: true,
    data,
    at: momentOf(time),
    epoch: transaction.summary.epoch,
    state: "sending",
    problem: undefined,
  } as const;
  const { seq } = transaction.addItem(message);
  const item = { ...message, seq };
  const sealed = now && hasRoom(transaction) ? await seal(transaction, item, { context, resent: false }) : undefined;
  transaction.enqueue({ item: seq, sealed, resent: false });
  return item;
}

/** Whether a message that is sealed now leaves with the next request. */
function hasRoom({ outbox }: Transaction): boolean {
  return outbox.size < MAX_MESSAGES_PER_CALL && [...outbox.values()].every(({ sealed }) => sealed !== undefined);
}

/** Undefined if something has to be committed first. */
async function seal(
  transaction: Transaction,
  { id, data }: MessageItem,
  { context: { account }, resent }: { readonly context: Context; readonly resent: boolean },
): Promise<Sealed | undefined> {
  const state = await transaction.messaging(recordsToSend);
  if (state.proposals.size > 0) return undefined;
  const payload = encodeEnvelope({ id, resent, data });
  try {
    const sent = await createApplicationMessage(state, payload, { rules: transaction.rules, signer: account.signer });
    transaction.step(sent);
    return { epoch: state.context.epoch, message: sent.message };
  } catch (error) {
    if (isCoppiceError(error, "ERR_MLS_LIMIT") && error.requirement === "R-15.2-1") return undefined;
    throw error;
  } finally {
    erase(payload);
  }
}

/** The oldest epoch of which the Delivery Service may still take messages. */
const oldestEpoch = ({ epoch }: Pick<Summary, "epoch">): bigint => epoch - BigInt(EPOCH_WINDOW.epochs);

/** As it was sealed, if the Delivery Service may still take that. */
const freshly = ({ sealed }: OutboxEntry, summary: Pick<Summary, "epoch">): Sealed | undefined =>
  sealed !== undefined && sealed.epoch >= oldestEpoch(summary) ? sealed : undefined;

/** What can be posted next, if it is all sealed; undefined if a turn is needed to find out. */
export function readyBatch({ summary, work: { outbox } }: Workable): readonly Ready[] | undefined {
  const batch: Ready[] = [];
  for (const [number, { sealed, item }] of outbox) {
    if (batch.length === MAX_MESSAGES_PER_CALL) break;
    const oldest = item === 0 ? summary.epoch : oldestEpoch(summary);
    if (sealed === undefined || sealed.epoch < oldest) return undefined;
    batch.push({ number, sealed });
  }
  return batch.length === 0 && summary.leaving ? undefined : batch;
}

/**
 * Makes the first entries ready to be posted: seals what is not yet, and seals again, under the current epoch, what is so old that
 * members may have deleted its keys. Once no message is left, a client that leaves proposes it. The log must have been read: an entry
 * that is in it is no longer here.
 */
export async function prepareBatch(transaction: Transaction, context: Context): Promise<NextBatch> {
  const { status, leaving } = transaction.summary;
  if (leaving && status === "active" && transaction.outbox.size === 0) {
    await proposeToLeave(transaction, context.account);
  }
  const batch: Ready[] = [];
  const { epoch } = transaction.summary;
  const first = [...transaction.outbox].slice(0, MAX_MESSAGES_PER_CALL);
  const unsealed = first.filter(([, entry]) => freshly(entry, transaction.summary) === undefined);
  await loadItemsOf(
    transaction,
    unsealed.map(([number]) => number),
  );
  for (const [number, entry] of first) {
    const ready =
      entry.item === 0 ? currentProposal(entry, epoch) : await sealedAnew(transaction, [number, entry], context);
    if (ready === "lost") markLost(transaction, [number, entry], context);
    else if (ready === undefined && entry.item === 0) transaction.setOutbox(number, undefined);
    else if (ready === undefined) break;
    else batch.push({ number, sealed: ready });
  }
  return batch.length === 0 && transaction.outbox.size > 0 ? "blocked" : batch;
}

/** A proposal does not outlive its epoch. */
const currentProposal = ({ sealed }: OutboxEntry, epoch: bigint): Sealed | undefined =>
  sealed?.epoch === epoch ? sealed : undefined;

async function sealedAnew(
  transaction: Transaction,
  [number, entry]: readonly [number, OutboxEntry],
  context: Context,
): Promise<Sealed | "lost" | undefined> {
  const fresh = freshly(entry, transaction.summary);
  if (fresh !== undefined) return fresh;
  const item = await transaction.item(entry.item);
  if (item?.kind !== "message") return "lost";
  const resent = entry.resent || entry.sealed !== undefined;
  const sealed = await seal(transaction, item, { context, resent });
  if (sealed === undefined) return undefined;
  transaction.setOutbox(number, { ...entry, sealed, resent });
  if (item.epoch !== sealed.epoch) transaction.changeItem({ ...item, epoch: sealed.epoch });
  return sealed;
}

/** The message that was to be sealed is damaged. It is told of and shown as failed, without its data; those after it go on. */
function markLost(
  transaction: Transaction,
  [number, { item: seq }]: readonly [number, OutboxEntry],
  { account, time }: Context,
): void {
  const problem = "ERR_STORE_CORRUPT";
  const { epoch } = transaction.summary;
  transaction.setOutbox(number, undefined);
  transaction.changeItem({
    ...{
      seq,
      kind: "message",
      id: toHex(randomBytes(16)),
      sender: account.user,
      isSelf: true,
      data: new Uint8Array(0),
    },
    ...{ at: momentOf(time), epoch, state: "failed", problem },
  });
  transaction.tell(lostMessage(seq));
}

/** Its data is gone, so that it cannot be sent again either. */
export const lostMessage = (seq: number): CoppiceError =>
  new CoppiceError("ERR_STORE_CORRUPT", "A message that waited to be sent is damaged, and was not sent: discard it", {
    detail: { seq },
  });

/** Takes back what was sealed for epochs before the current one: the Delivery Service will not have it. Returns how many. */
export function unsealOld(transaction: Transaction): number {
  let count = 0;
  for (const [number, entry] of transaction.outbox) {
    if (entry.sealed === undefined || entry.sealed.epoch >= transaction.summary.epoch) continue;
    transaction.setOutbox(number, { ...entry, sealed: undefined, resent: true });
    count++;
  }
  return count;
}

/** The Delivery Service has these, at these places of the log. */
export async function confirmBatch(
  transaction: Transaction,
  batch: readonly Ready[],
  seqs: readonly number[],
): Promise<void> {
  await loadItemsOf(transaction, numbersOf(batch));
  for (const [i, ready] of batch.entries()) {
    const seq = seqs[i];
    if (seq !== undefined) noteOwn(transaction, seq);
    // It may have been seen in the log meanwhile.
    if (isStill(transaction, ready)) await markSent(transaction, ready.number);
  }
}

/** Reads the items of entries that are settled next. */
function loadItemsOf(transaction: Transaction, numbers: readonly number[]): Promise<void> {
  const seqs = numbers.map((number) => transaction.outbox.get(number)?.item ?? 0);
  return transaction.loadItems(seqs.filter((seq) => seq !== 0));
}

const numbersOf = (batch: readonly Ready[]): readonly number[] => batch.map(({ number }) => number);

const isStill = ({ outbox }: Transaction, { number, sealed }: Ready): boolean => {
  const now = outbox.get(number)?.sealed;
  return now !== undefined && equalBytes(now.message, sealed.message);
};

/** Removes an entry that the Delivery Service has. */
export async function markSent(transaction: Transaction, number: number): Promise<void> {
  await settle(transaction, number, (item) => ({ ...item, state: "sent", problem: undefined }));
}

/** Gives an entry up, until the application decides. */
export async function markFailed(transaction: Transaction, number: number, problem: string): Promise<void> {
  await settle(transaction, number, (item) => ({ ...item, state: "failed", problem }));
}

/**
 * The epoch is over: what proposed something in it has lost its meaning, and nothing can be sent to a group that this client is not in.
 */
export async function outliveEpoch(transaction: Transaction, isActive: boolean): Promise<void> {
  const over = [...transaction.outbox].filter(([, { item }]) => item === 0 || !isActive).map(([number]) => number);
  await loadItemsOf(transaction, over);
  for (const number of over) await markFailed(transaction, number, "ERR_CLIENT_NOT_ACTIVE");
}

/** Gives these up, if they are still as they were. */
export async function refuseBatch(transaction: Transaction, batch: readonly Ready[], problem: string): Promise<void> {
  await loadItemsOf(transaction, numbersOf(batch));
  for (const ready of batch) if (isStill(transaction, ready)) await markFailed(transaction, ready.number, problem);
}

async function settle(
  transaction: Transaction,
  number: number,
  change: (item: MessageItem) => MessageItem,
): Promise<void> {
  const entry = transaction.outbox.get(number);
  transaction.setOutbox(number, undefined);
  const item = entry === undefined || entry.item === 0 ? undefined : await transaction.item(entry.item);
  if (item?.kind === "message") transaction.changeItem(change(item));
}
