/** Requests on the `records` object store: ranges of one partition. Runs inside a transaction, awaits requests only. */
import type { IDBPObjectStore, StoreNames } from "idb";
import { isOneRecord, type NameInterval } from "../range.ts";
import type { Schema } from "./schema.ts";

type Records<Mode extends IDBTransactionMode> = IDBPObjectStore<Schema, StoreNames<Schema>[], "records", Mode>;
type Selection = readonly (readonly [name: string, stored: unknown])[];

/** IndexedDB takes counts as unsigned 32-bit integers, and 0 for "all". */
const MAX_COUNT = 0xffff_ffff;

/** All records of a partition: no string sorts after an array. */
export function partitionRange(tag: Uint8Array<ArrayBuffer>): IDBKeyRange {
  return IDBKeyRange.bound([tag], [tag, []], true, true);
}

/** The records of one interval, in its order. */
export async function select(
  records: Records<"readonly">,
  tag: Uint8Array<ArrayBuffer>,
  interval: NameInterval,
): Promise<Selection> {
  const { from, fromExcluded, until, reverse, limit } = interval;
  if (isOneRecord(interval)) {
    const stored: unknown = await records.get([tag, from]);
    return stored === undefined ? [] : [[from, stored]];
  }
  const range = IDBKeyRange.bound([tag, from], [tag, until ?? []], fromExcluded, true);
  if (reverse && limit !== Infinity) return selectLast(records, range, limit);
  const count = Math.min(limit, MAX_COUNT);
  const [keys, values] = await Promise.all([records.getAllKeys(range, count), records.getAll(range, count)]);
  const selection = keys.map(([, name], index) => [name, values[index]] as const);
  return reverse ? selection.reverse() : selection;
}

/** From the end, by cursor: `getAll` counts from the start only. */
async function selectLast(records: Records<"readonly">, range: IDBKeyRange, limit: number): Promise<Selection> {
  const selection: (readonly [string, unknown])[] = [];
  let cursor = await records.openCursor(range, "prev");
  while (cursor !== null) {
    selection.push([cursor.key[1], cursor.value]);
    if (selection.length === limit) break;
    cursor = await cursor.continue();
  }
  return selection;
}
