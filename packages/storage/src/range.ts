/** Ranges of record names, brought to the one form that both stores select by. */
import type { RecordRange } from "./contract.ts";
import { MAX_NAME_LENGTH } from "./names.ts";

/** Most ranges of one read. */
export const MAX_RANGES = 65_536;

/** Names from `from` up to but excluding `until`. */
export interface NameInterval {
  readonly from: string;
  /** Whether `from` itself is excluded. */
  readonly fromExcluded: boolean;
  /** Undefined: no upper bound. */
  readonly until: string | undefined;
  /** At least 1. */
  readonly limit: number;
  /** Whether only the last name counts. */
  readonly last: boolean;
}

/** The range that selects exactly the record called `name`. */
export function oneRecord(name: string): RecordRange {
  return { prefix: name, before: `${name}\0` };
}

/** Checks ranges and brings them to intervals; undefined where nothing can match. */
export function toIntervals(ranges: readonly RecordRange[]): readonly (NameInterval | undefined)[] {
  if (ranges.length > MAX_RANGES) throw new RangeError(`At most ${MAX_RANGES} ranges, not ${ranges.length}`);
  return ranges.map(toInterval);
}

/** The names that lie in an interval, in its order, of names in the order of `compareNames`. */
export function namesIn(sorted: readonly string[], interval: NameInterval): readonly string[] {
  const { from, fromExcluded, until, limit, last } = interval;
  let start = indexOfName(sorted, from);
  if (fromExcluded && sorted[start] === from) start++;
  const end = until === undefined ? sorted.length : indexOfName(sorted, until);
  return sorted.slice(last ? Math.max(start, end - 1) : start, Math.min(end, start + limit));
}

/** Index of the first of sorted names that is not before `name`. */
export function indexOfName(sorted: readonly string[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? "") < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether an interval is that of `oneRecord`: no name but `from` can lie in it. */
export function isOneRecord(interval: NameInterval): boolean {
  return !interval.fromExcluded && interval.until === `${interval.from}\0`;
}

function toInterval({ prefix, after, before, limit = Infinity, last = false }: RecordRange): NameInterval | undefined {
  assertBound(prefix, "prefix");
  if (after !== undefined) assertBound(after, "after");
  if (before !== undefined) assertBound(before, "before");
  if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new RangeError("limit must be a non-negative integer");
  }
  if (last && limit !== Infinity) throw new TypeError("A range has limit or last, not both");
  const fromExcluded = after !== undefined && after >= prefix;
  const from = fromExcluded ? after : prefix;
  const end = endOfPrefix(prefix);
  const until = before === undefined || (end !== undefined && end < before) ? end : before;
  if (limit === 0 || (until !== undefined && from >= until)) return undefined;
  return { from, fromExcluded, until, limit, last };
}

function assertBound(bound: unknown, what: string): asserts bound is string {
  if (typeof bound !== "string") throw new TypeError(`${what} must be a string`);
  if (bound.length > MAX_NAME_LENGTH + 1) throw new RangeError(`${what} is longer than any name`);
}

/** The least string above all strings with this prefix; undefined if there is none. */
function endOfPrefix(prefix: string): string | undefined {
  for (let length = prefix.length; length > 0; length--) {
    const last = prefix.charCodeAt(length - 1);
    if (last < 0xffff) return prefix.slice(0, length - 1) + String.fromCharCode(last + 1);
  }
  return undefined;
}
