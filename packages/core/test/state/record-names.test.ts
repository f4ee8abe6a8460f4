/** Names of a group's records: what they say, and that nothing else says it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  GROUP_RECORDS,
  isSingleRecord,
  recordFolders,
  recordNames,
  recordPlace,
} from "../../src/state/record-names.ts";
import { MAX_LEAF_COUNT } from "../../src/tree/tree-math.ts";

const epoch = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const leaf = fc.integer({ min: 0, max: MAX_LEAF_COUNT - 1 });

test("each place has one name, and a name says its place", () => {
  fc.assert(
    fc.property(epoch, leaf, (at, index) => {
      const named: [string, string, number][] = [
        [recordNames.leaf(index), recordFolders.leaves, index],
        [recordNames.parent(2 * index + 1), recordFolders.parents, index],
        [recordNames.proposal(index), recordFolders.proposals, index],
        [recordNames.former(at, index), recordFolders.former(at), index],
        [recordNames.ratchet(at, 2 * index), recordFolders.ratchets(at), 2 * index],
      ];
      for (const [name, folder, expected] of named) expect(recordPlace(name)).toEqual({ folder, index: expected });
      for (const name of [recordNames.state, recordNames.past(at)]) expect(isSingleRecord(name)).toBe(true);
    }),
  );
});

test("no two names of a folder say the same", () => {
  for (const index of ["0", "00001", "0000001", "00000g", "00000A", "100000000", ""]) {
    expect(recordPlace(`group/leaf/${index}`)).toBeUndefined();
    expect(recordPlace(`group/ratchet/1/${index}`)).toBeUndefined();
  }
  for (const name of ["group/tree/000001", "group/state/000001", "group/ratchet/000001", "x/group/leaf/000001"]) {
    expect([recordPlace(name), isSingleRecord(name)]).toEqual([undefined, false]);
  }
  for (const name of ["group/state-past", "group/state-past/", "group/state2", "group/state\n"]) {
    expect([recordPlace(name), isSingleRecord(name)]).toEqual([undefined, false]);
  }
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
  for (const name of [...small, ...others]) expect(name.startsWith(GROUP_RECORDS.all)).toBe(true);
});
