import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_NAME_LENGTH } from "../src/names.ts";
import { oneRecord, toIntervals, isOneRecord } from "../src/range.ts";

/** Few code units, among them the ones at the edges, so that prefixes and bounds often meet. */
const unit = fc.constantFrom("\0", "a", "b", "\ud7ff", "\ud83d", "\udfff", "\uffff");
const string = fc.array(unit, { maxLength: 4 }).map((units) => units.join(""));

test("an interval selects exactly what the range describes", () => {
  fc.assert(
    fc.property(
      string,
      fc.record({ prefix: string, after: fc.option(string), before: fc.option(string) }),
      (name, { prefix, after, before }) => {
        const [interval] = toIntervals([
          { prefix, ...(after === null ? {} : { after }), ...(before === null ? {} : { before }) },
        ]);
        const wanted =
          name.startsWith(prefix) && (after === null || name > after) && (before === null || name < before);
        const selected =
          interval !== undefined &&
          (interval.fromExcluded ? name > interval.from : name >= interval.from) &&
          (interval.until === undefined || name < interval.until);
        expect(selected).toBe(wanted);
      },
    ),
    { numRuns: 5_000 },
  );
});

test("oneRecord is recognised, a prefix is not", () => {
  const [one, prefix, after] = toIntervals([
    oneRecord("a"),
    { prefix: "a" },
    { prefix: "", after: "a", before: "a\0\0" },
  ]);
  expect([one, prefix, after].map((interval) => interval !== undefined && isOneRecord(interval))).toEqual([
    true,
    false,
    false,
  ]);
});

test("the longest name can be a bound", () => {
  const longest = "x".repeat(MAX_NAME_LENGTH);
  expect(() => toIntervals([oneRecord(longest), { prefix: "", after: longest, before: `${longest}\0` }])).not.toThrow();
});
