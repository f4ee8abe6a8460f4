/** Names of a group's records: what they say, and that nothing else says it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RecordPlace } from "../../src/state/record-names.ts";
import { GROUP_RECORDS, recordNames, recordPlace } from "../../src/state/record-names.ts";
import { MAX_LEAF_COUNT } from "../../src/tree/tree-math.ts";

function nameOf(place: RecordPlace): string {
  switch (place.kind) {
    case "state":
      return recordNames.state;
    case "past":
      return recordNames.past(place.epoch);
    case "proposal":
      return recordNames.proposal(place.position);
    case "leaf":
    case "parent":
      return recordNames[place.kind](place.index);
    case "former":
    case "ratchet":
      return recordNames[place.kind](place.epoch, place.index);
  }
}

const epoch = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const leaf = fc.integer({ min: 0, max: MAX_LEAF_COUNT - 1 });
const node = fc.integer({ min: 0, max: 2 * MAX_LEAF_COUNT - 2 });

test("each place has one name, and each name one place", () => {
  const places = fc.oneof(
    fc.record({ kind: fc.constant("past" as const), epoch }),
    fc.record({ kind: fc.constant("proposal" as const), position: fc.nat() }),
    fc.record({ kind: fc.constant("leaf" as const), index: leaf }),
    fc.record({ kind: fc.constant("parent" as const), index: leaf.map((index) => 2 * index + 1) }),
    fc.record({ kind: fc.constant("former" as const), epoch, index: leaf }),
    fc.record({ kind: fc.constant("ratchet" as const), epoch, index: node }),
    fc.constant({ kind: "state" as const }),
  );
  fc.assert(
    fc.property(places, (place) => {
      expect(recordPlace(nameOf(place))).toEqual(place);
      expect(nameOf(place).startsWith(GROUP_RECORDS.all)).toBe(true);
    }),
  );
  fc.assert(
    fc.property(
      fc.stringMatching(/^group\/(state|leaf|parent|past|ratchet|former)\/?[\da-f]{0,8}(\/[\da-f]{0,8})?$/),
      (name) => {
        const place = recordPlace(name);
        if (place !== undefined) expect(nameOf(place)).toBe(name);
      },
    ),
    { numRuns: 1000 },
  );
});

test("leaves are in the order of their names, and the small records have their own beginning", () => {
  fc.assert(
    fc.property(leaf, leaf, (a, b) => {
      expect(recordNames.leaf(a) < recordNames.leaf(b)).toBe(a < b);
    }),
  );
  const small = [recordNames.state, recordNames.past(7n), recordNames.proposal(3)];
  const others = [recordNames.leaf(1), recordNames.parent(1), recordNames.former(1n, 1), recordNames.ratchet(1n, 1)];
  for (const name of small) expect(name.startsWith(GROUP_RECORDS.messaging)).toBe(true);
  for (const name of others) expect(name.startsWith(GROUP_RECORDS.messaging)).toBe(false);
});
