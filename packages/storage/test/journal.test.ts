import fc from "fast-check";
import { expect, test } from "vitest";
import {
  changedNames,
  entriesKept,
  type JournalEntry,
  journalEntry,
  MAX_JOURNAL_NAMES,
  MAX_JOURNAL_WRITES,
  toChangeIntervals,
} from "../src/journal.ts";
import { planWrites } from "../src/write-plan.ts";

const ALL = toChangeIntervals(0, [{ prefix: "" }]);

function entryOfSize(names: number): JournalEntry {
  return { put: Array.from({ length: names }, (_, index) => `r/${index}`), delete: [] };
}

test("a journal of any writes stays within its bounds", () => {
  const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(MAX_JOURNAL_NAMES)), { minLength: 1, maxLength: 600 });
  fc.assert(
    fc.property(sizes, (writes) => {
      let journal: number[] = [];
      for (const size of writes) {
        journal = [...journal, size].slice(-entriesKept(entryOfSize(size)));
        expect(journal.length).toBeLessThanOrEqual(MAX_JOURNAL_WRITES);
        expect(journal.reduce((sum, names) => sum + names, 0)).toBeLessThanOrEqual(27_000);
      }
    }),
    { numRuns: 10 },
  );
});

test("the worst that a writer can do to the bound: each entry as large as keeps all before it", () => {
  let journal: number[] = [];
  for (let kept = 1; kept <= MAX_JOURNAL_WRITES; kept++) {
    const size = Math.floor(MAX_JOURNAL_NAMES / kept);
    journal = [...journal, size].slice(-entriesKept(entryOfSize(size)));
  }
  const names = journal.reduce((sum, size) => sum + size, 0);
  expect(names).toBeGreaterThan(20_000);
  expect(names).toBeLessThanOrEqual(27_000);
});

test("small writes are kept 256 times, a write of too many names or a clear only as the end of the journal", () => {
  expect([0, 1, 16, 17, 4_096].map((size) => entriesKept(entryOfSize(size)))).toEqual([256, 256, 256, 240, 1]);
  expect(entriesKept(undefined)).toBe(1);
  const plan = (count: number, clear: boolean) => {
    const put = new Map(entryOfSize(count).put.map((name) => [name, new Uint8Array()]));
    return planWrites([{ partition: "p", expectedVersion: 0, put, clear }]).map((write) => journalEntry(write));
  };
  expect(plan(MAX_JOURNAL_NAMES + 1, false)).toEqual([undefined]);
  expect(plan(1, true)).toEqual([undefined]);
  expect(plan(1, false)).toEqual([{ put: ["r/0"], delete: [] }]);
});

test("the last write decides what became of a name", () => {
  const entries = [
    { put: ["a", "b"], delete: ["c"] },
    { put: ["c"], delete: ["a"] },
    { put: ["a"], delete: ["d"] },
  ];
  expect(changedNames(7, entries, ALL)).toEqual([
    { name: "a", version: 10, deleted: false },
    { name: "b", version: 8, deleted: false },
    { name: "c", version: 9, deleted: false },
    { name: "d", version: 10, deleted: true },
  ]);
  const ranges = toChangeIntervals(0, [{ prefix: "d" }, { prefix: "", before: "b" }, { prefix: "a" }]);
  expect(changedNames(7, entries, ranges).map(({ name }) => name)).toEqual(["d", "a"]);
});
