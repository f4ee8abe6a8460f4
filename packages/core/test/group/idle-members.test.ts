/** How old members' keys are (RFC 9420 §3.2, §16.6), and what can be done about it. */
import { describe, expect, test } from "vitest";
import type { Proposal } from "../../src/framing/proposal.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { findIdleMembers } from "../../src/group/idle-members.ts";
import { diffGroupRecords } from "../../src/state/diff-records.ts";
import { createUpdateProposal } from "../../src/group/send.ts";
import {
  decodeGroupState,
  decodeStagedCommit,
  encodeGroupState,
  encodeStagedCommit,
} from "../../src/group/serialise.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import { observeGroup } from "../../src/group/public-group.ts";
import type { LeafIndex } from "../../src/tree/tree-math.ts";
import { Group, Member } from "../support/group.ts";

/** Since when each leaf stands where it is; undefined for blanks. */
const ages = ({ tree }: Pick<GroupState, "tree">): (bigint | undefined)[] =>
  Array.from({ length: tree.leafCount }, (_, i) => tree.leafSince(i as LeafIndex));

describe("the epoch in which a leaf was last replaced (R-3.2-2)", () => {
  test("is that of its Add, its Update or its path, and everyone who was there says the same", async () => {
    const group = await Group.of(["alice", "bob", "carol", "dave"]);
    const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
    const expectAges = (expected: (bigint | undefined)[]): void => {
      for (const { state } of group.members) {
        expect(ages(state)).toEqual(expected);
        expect(state.leafSince).toBe(expected[state.leafIndex]);
      }
    };
    expect(ages(bob.state)).toEqual([1n, 1n, 1n, 1n]); // it came in then: what was before, it has not seen
    expect(ages(alice.state)).toEqual([0n, 1n, 1n, 1n]);
    await group.commit(alice);
    expectAges([2n, 1n, 1n, 1n]);
    await group.propose(bob, await createUpdateProposal(bob.state, bob));
    await group.commit(carol);
    expectAges([2n, 3n, 3n, 1n]);
    const erin = await Member.create("erin");
    await group.commit(alice, { proposals: [{ proposalType: 3, removed: 3 }] });
    await group.add(bob, [erin]);
    expect(ages(alice.state)).toEqual([4n, 3n, 3n, 5n]);
    await group.joinExternally(await Member.create("frank"));
    expect(ages(alice.state).slice(0, 5)).toEqual([4n, 3n, 3n, 5n, 6n]);
    await group.commit(bob, { proposals: [{ proposalType: 3, removed: 4 }] });
    expect(ages(alice.state)).toEqual([4n, 7n, 3n, 5n]);
  });

  test("begins for a newcomer or an observer when it comes in, and is exact from then on", async () => {
    const group = await Group.of(["alice", "bob"]);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    for (let i = 0; i < 3; i++) await group.commit(alice);
    const info = await createGroupInfo(alice.state, alice.signer);
    expect(ages(await observeGroup(info, alice))).toEqual([4n, 4n]);
    const carol = await Member.create("carol");
    await group.joinExternally(carol);
    expect(ages(carol.state).slice(0, 3)).toEqual([4n, 4n, 5n]);
    await group.commit(bob);
    expect(ages(carol.state).slice(0, 3)).toEqual([4n, 6n, 5n]);
  });

  test("is kept with the state, eight bytes for a leaf, and written only for leaves that change", async () => {
    const group = await Group.of(["alice", "bob", "carol", "dave"]);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const before = bob.state;
    await group.commit(alice);
    expect(ages(await decodeGroupState(encodeGroupState(bob.state)))).toEqual(ages(bob.state));
    const written = [...diffGroupRecords(before, bob.state).put.keys()].filter((name) =>
      /^group\/(?:leaf|parent)\//.test(name),
    );
    expect(written.sort()).toEqual(["group/leaf/000000", "group/parent/000000", "group/parent/000001"]);

    const made = await alice.commit({ forcePath: true });
    const staged = await decodeStagedCommit(alice.state, encodeStagedCommit(alice.state, made.staged, alice.rules));
    alice.adopt({ ...made, staged });
    expect(ages(alice.state)).toEqual([3n, 1n, 1n, 1n]);
  });
});

test("R-16.6-2: members that never update are found, the oldest first, and can be removed by a Commit", async () => {
  const group = await Group.of(["alice", "bob", "carol"]);
  const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
  await group.commit(carol);
  for (let i = 0; i < 4; i++) await group.commit(alice);
  expect(findIdleMembers(alice.state, 5n)).toEqual([]);
  expect(findIdleMembers(alice.state, 4n)).toEqual([{ leafIndex: bob.state.leafIndex, since: 1n }]);
  expect(findIdleMembers(alice.state, 3n)).toEqual([
    { leafIndex: bob.state.leafIndex, since: 1n },
    { leafIndex: carol.state.leafIndex, since: 2n },
  ]);
  const proposals = findIdleMembers(alice.state, 4n).map(({ leafIndex }): Proposal => ({
    ...{ proposalType: 3, removed: leafIndex },
  }));
  await group.commit(alice, { proposals });
  expect(bob.state.status).toBe("removed");
  expect(findIdleMembers(alice.state, 4n)).toEqual([{ leafIndex: carol.state.leafIndex, since: 2n }]);
});
