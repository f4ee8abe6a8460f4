/** Processing the group's log: every entry advances the position, whatever is in it. It is read first, and then applied at once. */
import type { LogEntry } from "@coppice/delivery/contract";
import { isCoppiceError, type CoppiceError } from "@coppice/kit";
import type { Context } from "./context.ts";
import { enterEpoch } from "./epoch-change.ts";
import { markSent } from "./outbox.ts";
import { dropOldEpochs } from "./past-epochs.ts";
import { advanced } from "./position.ts";
import { isRolledBack, read, takeNext, type Outcome } from "./reading.ts";
import type { Transaction } from "./transaction.ts";

/** How far entries were processed: all, or up to one that waits, or as far as a state that was rolled back gets. */
export type Processed =
  { readonly kind: "all" | "ended" } | { readonly kind: "waiting"; readonly withheld: CoppiceError };

/**
 * Processes entries after the position, in their order. Stops where the state can no longer follow. `ERR_CLIENT_ROLLED_BACK` for an own
 * message or Commit that this state did not make.
 *
 * A state that was found to be rolled back only reads from then on: what the log holds for it, nothing that comes later can read.
 * Such a state does not get past an own Commit.
 *
 * An entry that names somebody whose device log the directory withholds stays where it is, and so do all after it.
 */
export async function processEntries(
  transaction: Transaction,
  entries: readonly LogEntry[],
  context: Context,
): Promise<Processed> {
  try {
    const withheld = await processAll(transaction, entries, (outcome) => apply(transaction, outcome), context);
    return withheld === undefined ? { kind: "all" } : { kind: "waiting", withheld };
  } catch (error) {
    if (isRolledBack(transaction, context) && isCoppiceError(error, "ERR_CLIENT_ROLLED_BACK")) return { kind: "ended" };
    throw error;
  }
}

/**
 * Processes entries that the Delivery Service told of by an event, or by its answer to a Commit: what is in the log is what reading
 * it yields. `Doubtful` for one that is not plainly the log's, and nothing of them is to be stored.
 */
export async function processTold(
  transaction: Transaction,
  entries: readonly LogEntry[],
  context: Context,
): Promise<void> {
  const applyIfCertain = async (outcome: Outcome): Promise<void> => {
    if (outcome.isDoubtful === true || outcome.withheld !== undefined) throw new Doubtful();
    await apply(transaction, outcome);
  };
  try {
    await processAll(transaction, entries, applyIfCertain, context);
  } catch (error) {
    if (isCoppiceError(error, "ERR_CLIENT_ROLLED_BACK")) throw new Doubtful();
    throw error;
  }
}

/** An entry was told of that may be none of the log: the log has to be read. */
export class Doubtful extends Error {
  constructor() {
    super("An entry may be none of the log");
  }
}

async function processAll(
  transaction: Transaction,
  entries: readonly LogEntry[],
  take: (outcome: Outcome) => Promise<void>,
  context: Context,
): Promise<CoppiceError | undefined> {
  const waiting = entriesAfter(transaction.summary.position?.seq ?? 0, entries);
  while (transaction.summary.status === "active") {
    const next = takeNext(transaction, waiting, context);
    if (next === undefined) return undefined;
    const { last, isDue, meaning } = next;
    const { summary } = transaction;
    if (isDue) transaction.setFuture(last.seq, undefined);
    else transaction.setSummary(advanced(transaction.summary, last.seq));
    for await (const outcome of read(transaction, next, context)) {
      await take(outcome);
      if (outcome.withheld === undefined) continue;
      if (isDue) transaction.setFuture(last.seq, last);
      else transaction.setSummary(summary);
      return outcome.withheld;
    }
    if (!isDue && meaning.kind !== "known") await dropOldEpochs(transaction, last.receivedAt);
  }
  return undefined;
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

async function apply(transaction: Transaction, outcome: Outcome): Promise<void> {
  const { step, summary, items = [], early, problem, sent = [], newEpoch, waited } = outcome;
  if (step !== undefined) transaction.step(step);
  if (summary !== undefined) transaction.setSummary(summary);
  for (const item of items) transaction.addItem(item);
  if (early !== undefined) transaction.setFuture(early.seq, early);
  if (problem !== undefined) transaction.tell(problem);
  for (const number of sent) await markSent(transaction, number);
  if (waited !== undefined) transaction.setWait(waited);
  if (newEpoch !== undefined) await enterEpoch(transaction, newEpoch);
}
