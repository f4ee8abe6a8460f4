/** Members of past epochs (RFC 9420 §15.3): kept where they are others in the next one. */
import { expect, test } from "vitest";
import { basicCredential } from "../../src/identity/credential.ts";
import { decodeGroupState, encodeGroupState } from "../../src/group/serialise.ts";
import { diffGroupRecords } from "../../src/state/diff-records.ts";
import { findMember, membersOf } from "../../src/state/former-members.ts";
import { ANYBODY, at, Group, Member, testRules } from "../support/group.ts";

test("are known for each epoch that is kept, stored or not, whatever became of them (R-15.3-4, T-33)", async () => {
  const group = await Group.of(["alice", "bob", "carol", "dave", "erin"], {
    rules: testRules({ authentication: ANYBODY }),
  });
  const alice = group.member("alice");
  const known = new Map<bigint, unknown>();
  const remember = (): void => {
    const { tree, context } = alice.state;
    const members = [...tree.members()].map(([leaf, { credential, signatureKey }]) => [
      leaf,
      { credential, signatureKey },
    ]);
    known.set(context.epoch, members);
  };
  remember();
  await group.commit(group.member("bob"), { leaf: { credential: basicCredential("robert") } });
  remember();
  const gone = ["dave", "erin"].map((name) => group.member(name).state.leafIndex);
  await group.commit(alice, { proposals: gone.map((removed) => ({ proposalType: 3, removed })) });
  remember();
  await group.add(alice, await Promise.all(["frank", "grace", "heidi"].map((name) => Member.create(name))));
  remember();
  await group.commit(group.member("carol"));
  remember();

  for (const state of [alice.state, await decodeGroupState(encodeGroupState(alice.state))]) {
    for (const [epoch, expected] of known) {
      const members = [...(membersOf(state, epoch) ?? [])].map(([leaf, { credential, signatureKey }]) => [
        leaf,
        { credential, signatureKey },
      ]);
      expect(members.sort(([a], [b]) => Number(a) - Number(b))).toEqual(expected);
      for (let leaf = 0; leaf < 9; leaf++) {
        expect(findMember(state, epoch, leaf)?.signatureKey).toEqual(membersOf(state, epoch)?.get(leaf)?.signatureKey);
      }
    }
    expect(membersOf(state, 77n)).toBeUndefined();
  }
});

test("cost what a Commit changed: nothing for new keys, one record for each who came or went", async () => {
  const group = await Group.of(["alice", "bob", "carol"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  const written = async (change: () => Promise<unknown>): Promise<string[]> => {
    const before = alice.state;
    await change();
    return [...diffGroupRecords(before, alice.state).put.keys()].filter((name) => name.startsWith("group/former/"));
  };
  expect(await written(() => group.commit(bob))).toEqual([]);
  expect(await written(async () => group.add(bob, [await Member.create("dave")]))).toEqual(["group/former/2/000003"]);
  const proposals = [{ proposalType: 3, removed: at(group.members, 2).state.leafIndex } as const];
  expect(await written(() => group.commit(bob, { proposals }))).toEqual(["group/former/3/000002"]);
});
