/** Requests on the rows of one partition: its records and its journal. Runs inside a transaction, awaits requests only. */
import type { IDBPObjectStore, StoreNames } from "idb";
import { isOneRecord, type NameInterval } from "../range.ts";
import { corrupt } from "./access.ts";
import type { JournalRow } from "./journal-rows.ts";
import type { Schema } from "./schema.ts";

type Rows<Name extends StoreNames<Schema>, Mode extends IDBTransactionMode> = IDBPObjectStore<
  Schema,
  StoreNames<Schema>[],
  Name,
  Mode
>;

/** Records as they are stored, in the order of their intervals. */
export type Selection = readonly (readonly [name: string, stored: unknown])[];

/** IndexedDB takes counts as unsigned 32-bit integers, and 0 for "all". */
const MAX_COUNT = 0xffff_ffff;

/** All rows of a partition: no string and no number sorts after an array. */
export function partitionRange(tag: Uint8Array<ArrayBuffer>): IDBKeyRange {
  return IDBKeyRange.bound([tag], [tag, []], true, true);
}

/** A partition without a row must have no journal either: `ERR_STORE_CORRUPT` if someone else deleted its row. */
export async function assertNeverWritten(
  journal: Rows<"journal", IDBTransactionMode>,
  tag: Uint8Array<ArrayBuffer>,
): Promise<void> {
  if ((await journal.getKey(numbered(tag))) !== undefined) throw corrupt("The row of a partition is gone");
}

/** The last rows of a partition's journal, the newest first. */
export async function lastEntries(
  journal: Rows<"journal", "readonly">,
  tag: Uint8Array<ArrayBuffer>,
  limit: number,
): Promise<readonly JournalRow[]> {
  const entries: JournalRow[] = [];
  let cursor = await journal.openCursor(numbered(tag), "prev");
  while (cursor !== null && entries.length < limit) {
    entries.push([cursor.key[1], cursor.value]);
    cursor = await cursor.continue();
  }
  return entries;
}

/** Everything in a partition's journal that may be taken for a version. */
function numbered(tag: Uint8Array<ArrayBuffer>): IDBKeyRange {
  return IDBKeyRange.bound([tag], [tag, Infinity]);
}

/** The records of one interval, in its order. */
export async function select(
  records: Rows<"records", "readonly">,
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
async function selectLast(records: Rows<"records", "readonly">, range: IDBKeyRange, limit: number): Promise<Selection> {
  const selection: (readonly [string, unknown])[] = [];
  let cursor = await records.openCursor(range, "prev");
  while (cursor !== null) {
    selection.push([cursor.key[1], cursor.value]);
    if (selection.length === limit) break;
    cursor = await cursor.continue();
  }
  return selection;
}
