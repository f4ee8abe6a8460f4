/** Requests on the rows of one partition: its records and its journal. Runs inside a transaction, awaits requests only. */
import type { IDBPObjectStore, StoreNames } from "idb";
import { isOneRecord, type NameInterval } from "../range.ts";
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

/** Everything in a partition's journal that may be taken for a version. */
export function numbered(tag: Uint8Array<ArrayBuffer>): IDBKeyRange {
  return IDBKeyRange.bound([tag], [tag, Infinity]);
}

/** The records of one interval, in their order. Makes all its requests at once. */
export async function select(
  records: Rows<"records", "readonly">,
  tag: Uint8Array<ArrayBuffer>,
  interval: NameInterval,
): Promise<Selection> {
  const { from, fromExcluded, until, limit, last } = interval;
  if (isOneRecord(interval)) {
    const stored: unknown = await records.get([tag, from]);
    return stored === undefined ? [] : [[from, stored]];
  }
  const range = IDBKeyRange.bound([tag, from], [tag, until ?? []], fromExcluded, true);
  if (last) {
    // The cursor is not moved: that would take further requests, and a context that is frozen between two holds up all.
    const cursor = await records.openCursor(range, "prev");
    return cursor === null ? [] : [[cursor.key[1], cursor.value]];
  }
  const count = Math.min(limit, MAX_COUNT);
  const [keys, values] = await Promise.all([records.getAllKeys(range, count), records.getAll(range, count)]);
  return keys.map(([, name], index) => [name, values[index]] as const);
}

/** Digits by which names are numbered, at least. */
const DIGITS = 8;

/** Names with consecutive numbers, at least, that are asked for together. */
const LEAST_RUN = 4;

/**
 * The records of these names, as far as they exist. A request costs the browser more than what it reads, so that names with
 * consecutive numbers, in hexadecimal with leading zeros, are asked for together. Makes all its requests at once.
 */
export async function selectNames(
  records: Rows<"records", "readonly">,
  tag: Uint8Array<ArrayBuffer>,
  names: readonly string[],
): Promise<ReadonlyMap<string, unknown>> {
  const selections = runsOf(names).map(async (run): Promise<Selection> => {
    const [first, last] = [run[0], run.at(-1)];
    if (first === undefined || last === undefined || run.length < LEAST_RUN) {
      return Promise.all(run.map(async (name) => [name, await records.get([tag, name])] as const));
    }
    const range = IDBKeyRange.bound([tag, first], [tag, last]);
    const [keys, values] = await Promise.all([records.getAllKeys(range), records.getAll(range)]);
    return keys.map(([, name], index) => [name, values[index]] as const);
  });
  return new Map((await Promise.all(selections)).flat());
}

/** The names in their order, divided where their numbers are not consecutive. */
function runsOf(names: readonly string[]): readonly (readonly string[])[] {
  const runs: string[][] = [];
  for (const name of [...names].sort()) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    if (run !== undefined && before !== undefined && isNext(before, name)) run.push(name);
    else runs.push([name]);
  }
  return runs;
}

function isNext(name: string, next: string): boolean {
  const [prefix, digits] = [name.slice(0, -DIGITS), name.slice(-DIGITS)];
  if (!/^[0-9a-f]{8}$/.test(digits) || !next.startsWith(prefix) || next.length !== name.length) return false;
  const number = (Number.parseInt(digits, 16) + 1).toString(16).padStart(DIGITS, "0");
  return next.slice(-DIGITS) === number;
}
