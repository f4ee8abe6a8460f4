/** The journal of a partition: which names each of its last writes put and deleted, so that a reader need not read the rest. */
import type { RecordRange } from "./contract.ts";
import { compareNames } from "./names.ts";
import { type NameInterval, namesIn, toIntervals } from "./range.ts";
import type { PlannedWrite } from "./write-plan.ts";

/** Most writes that a journal reaches back. */
export const MAX_JOURNAL_WRITES = 256;
/** Most names in one entry; a journal of entries with `n` names each has at most `MAX_JOURNAL_NAMES / n` of them. */
export const MAX_JOURNAL_NAMES = 4096;

/** Names that one write put and deleted. */
export interface JournalEntry {
  readonly put: readonly string[];
  readonly delete: readonly string[];
}

/** What became of a name: the version of the last write that put or deleted it. */
export interface NameChange {
  readonly name: string;
  readonly version: number;
  readonly deleted: boolean;
}

/** The entry of a write; undefined where names are not told: it cleared the partition or changed too many records. */
export function journalEntry(write: PlannedWrite): JournalEntry | undefined {
  if (write.clear || write.put.size + write.delete.length > MAX_JOURNAL_NAMES) return undefined;
  return { put: [...write.put.keys()], delete: write.delete };
}

/**
 * How many entries stay when this one is added, itself among them. The more names, the fewer: this bounds the journal to
 * some 27,000 names (`MAX_JOURNAL_NAMES` times the harmonic sum of `MAX_JOURNAL_WRITES`, and one entry) without a count to
 * keep. An entry without names ends the journal: nothing can be told across it.
 */
export function entriesKept(entry: JournalEntry | undefined): number {
  if (entry === undefined) return 1;
  const names = Math.max(1, entry.put.length + entry.delete.length);
  return Math.min(MAX_JOURNAL_WRITES, Math.floor(MAX_JOURNAL_NAMES / names));
}

/** Checks the arguments of `readChanges` and brings the ranges to intervals. */
export function toChangeIntervals(since: number, ranges: readonly RecordRange[]): readonly NameInterval[] {
  if (!Number.isSafeInteger(since) || since < 0) throw new RangeError("since must be a non-negative safe integer");
  if (ranges.some(({ limit, last }) => limit !== undefined || last === true)) {
    throw new TypeError("Ranges of readChanges have neither limit nor last");
  }
  return toIntervals(ranges).filter((interval) => interval !== undefined);
}

/** What became of the names in the intervals, in their order, by the entries of the writes after version `since`. */
export function changedNames(
  since: number,
  entries: readonly JournalEntry[],
  intervals: readonly NameInterval[],
): readonly NameChange[] {
  const changes = new Map<string, NameChange>();
  entries.forEach((entry, index) => {
    const version = since + 1 + index;
    for (const name of entry.put) changes.set(name, { name, version, deleted: false });
    for (const name of entry.delete) changes.set(name, { name, version, deleted: true });
  });
  const names = [...changes.keys()].sort(compareNames);
  const selected = new Set(intervals.flatMap((interval) => namesIn(names, interval)));
  return [...selected].flatMap((name) => changes.get(name) ?? []);
}
