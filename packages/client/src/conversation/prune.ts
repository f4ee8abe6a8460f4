/** Deleting old items of a history. */
import type { HistoryItem, PruneQuery } from "../api.ts";

/** Whether an item may go, and is to: all that the query says holds for it. */
export type Prunable = (item: HistoryItem) => boolean;

export interface PruneBounds {
  /** The newest item. */
  readonly lastItem: number;
  /** Messages up to this item were acknowledged. */
  readonly handedOver: number;
}

/** `RangeError` for a query that says nothing, or nothing that makes sense. */
export function checkPruneQuery({ olderThan, keep }: PruneQuery): void {
  if (olderThan === undefined && keep === undefined) throw new RangeError("Say what to delete: olderThan, or keep");
  if (olderThan !== undefined && !Number.isFinite(olderThan))
    throw new RangeError("olderThan is a time in milliseconds");
  if (keep !== undefined && (!Number.isSafeInteger(keep) || keep < 0))
    throw new RangeError("keep is a number of items");
}

/** The number of the last item that may go, and which of those up to it go. */
export function pruning(
  { olderThan = Infinity, keep = 0 }: PruneQuery,
  { lastItem, handedOver }: PruneBounds,
): { readonly last: number; readonly goes: Prunable } {
  const last = Math.min(lastItem - keep, handedOver);
  const isOnItsWay = (item: HistoryItem): boolean => item.kind === "message" && item.state !== "sent";
  return { last, goes: (item) => item.seq <= last && item.at < olderThan && !isOnItsWay(item) };
}
