/** Members of a stored group, page by page, without its tree. */
import { expect, test } from "vitest";
import { diffGroupRecords } from "../../src/state/diff-records.ts";
import { memberRecord, readMembers } from "../../src/state/read-members.ts";
import { GROUP_RECORDS } from "../../src/state/record-names.ts";
import { Group } from "../support/group.ts";
import { CountingStore, largeGroup } from "../support/stored-group.ts";

test("a page is a range of names, in the order of the leaves, and costs what it shows", async () => {
  const { alice } = await largeGroup(1000);
  const store = new CountingStore(alice.state);
  const expected = [...alice.state.tree.members()];
  const seen: unknown[] = [];
  let after = "";
  for (;;) {
    const isNext = (name: string): boolean => name.startsWith(GROUP_RECORDS.members) && name > after;
    const names = [...store.records.keys()].filter(isNext).sort().slice(0, 100);
    store.reset();
    const page = readMembers(store.get(names));
    expect(store.read.records).toBe(names.length);
    const last = page.at(-1);
    if (last === undefined) break;
    seen.push(...page.map(({ leafIndex, leafNode }) => [leafIndex, leafNode]));
    after = memberRecord(last.leafIndex);
  }
  expect(seen).toEqual(expected);
});

test("blank leaves are passed over, as are other records; a damaged one is refused", async () => {
  const group = await Group.of(["alice", "bob", "carol"]);
  const alice = group.member("alice");
  await group.commit(alice, { proposals: [{ proposalType: 3, removed: group.member("bob").state.leafIndex }] });
  const records = new Map<string, Uint8Array>(diffGroupRecords(undefined, alice.state).put);
  const members = readMembers(records);
  expect(members.map(({ leafIndex, since }) => [leafIndex, since])).toEqual([
    [0, 2n],
    [2, 1n],
  ]);
  expect(members.map(({ leafNode }) => leafNode)).toEqual([...alice.state.tree.members()].map(([, leaf]) => leaf));
  const name = memberRecord(2);
  records.set(name, (records.get(name) ?? new Uint8Array(0)).subarray(1));
  expect(() => readMembers(records)).toThrow(expect.objectContaining({ code: "ERR_MLS_DECODE" }));
});
