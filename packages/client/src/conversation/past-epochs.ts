/**
 * How long past epochs are kept: as long as the Delivery Service takes their messages, by its own clock, so that whoever reads the
 * log in order can open whatever is in it.
 */
import { dropPastEpochs } from "@coppice/core";
import { EPOCH_WINDOW } from "@coppice/delivery/contract";
import type { EpochEnd } from "../records/conversation.ts";
import type { Transaction } from "./transaction.ts";

/** Milliseconds that they are kept longer. */
const MARGIN = 300_000;

/** An epoch that ended now: at `at` by the Delivery Service's clock, if that is known. */
export function withEnd(ended: readonly EpochEnd[], end: EpochEnd): readonly EpochEnd[] {
  return [...ended, end].slice(-EPOCH_WINDOW.epochs);
}

/**
 * The Delivery Service's clock stands at `at`: ends of epochs that had no time yet get one, later than the true one, and what opens
 * messages of epochs that are over goes.
 */
export async function dropOldEpochs(transaction: Transaction, at: number): Promise<void> {
  const { ended } = transaction.summary;
  const timed = ended.map((end) => ({ ...end, at: end.at ?? at }));
  const kept = timed.filter((end) => end.at + EPOCH_WINDOW.milliseconds + MARGIN >= at);
  if (kept.length === ended.length && ended.every((end) => end.at !== undefined)) return;
  transaction.setSummary({ ended: kept });
  if (kept.length === ended.length) return;
  const keptEpochs = new Set(kept.map(({ epoch }) => epoch));
  // Only the whole state knows all records of an epoch.
  transaction.step(dropPastEpochs(await transaction.group(), (epoch) => keptEpochs.has(epoch)));
}
