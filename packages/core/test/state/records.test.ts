/** States as records: what a change writes leads from the old records to the new ones. */
import { expect, test } from "vitest";
import { toHex } from "../../src/codec/bytes.ts";
import { adoptCommit } from "../../src/commit/create.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import { createProposal, createUpdateProposal } from "../../src/group/send.ts";
import {
  decodeGroupState,
  decodeStagedCommit,
  encodeGroupState,
  encodeStagedCommit,
} from "../../src/group/serialise.ts";
import { diffGroupRecords } from "../../src/state/diff-records.ts";
import { restoreGroup } from "../../src/state/restore-records.ts";
import { Group, Member, testRules } from "../support/group.ts";
import { largeGroup } from "../support/stored-group.ts";

/** Follows one member's state by differences alone. */
class Shelf {
  readonly #records = new Map<string, Uint8Array>();
  #stored: GroupState | undefined;
  written = 0;

  async store(state: GroupState): Promise<void> {
    const changes = diffGroupRecords(this.#stored, state);
    for (const name of changes.delete) this.#records.delete(name);
    for (const [name, value] of changes.put) this.#records.set(name, value);
    this.written = [...changes.put.values()].reduce((sum, { length }) => sum + length, 0);
    this.#stored = state;
    const restored = await restoreGroup(this.#records);
    expect(toHex(encodeGroupState(restored))).toBe(toHex(encodeGroupState(state)));
    expect([...this.#records.keys()].sort()).toEqual([...diffGroupRecords(undefined, state).put.keys()].sort());
  }
}

test("each change of a living group can be stored as a difference and restored", async () => {
  const group = await Group.of(["alice", "bob"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  bob.rules = testRules({ limits: { ...bob.rules.limits, pastEpochs: 2 } });
  const shelf = new Shelf();
  const store = (): Promise<void> => shelf.store(bob.state);
  await store();

  const first = await alice.send("one");
  const second = await alice.send("two");
  await bob.receive(second);
  await store();
  await bob.receive(first);
  await store();

  // Grow over a power of two, shrink, grow again; past epochs keep trees of other sizes.
  for (const name of ["carol", "dave", "erin"]) {
    await group.add(alice, [await Member.create(name)]);
    await store();
  }
  const late = await alice.send("late");
  for (const name of ["erin", "dave"]) {
    const { leafIndex } = group.member(name).state;
    await group.commit(bob, { proposals: [{ proposalType: 3, removed: leafIndex }] });
    await store();
  }
  await bob.receive(late);
  await store();
  await group.add(bob, [await Member.create("frank")]);
  await store();

  bob.state = (await createUpdateProposal(bob.state, bob)).state;
  await store();
  bob.state = (await createProposal(bob.state, { proposalType: 3, removed: alice.state.leafIndex }, bob)).state;
  await store();
});

test("a restored state goes on where it was", async () => {
  const group = await Group.of(["alice", "bob", "carol"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  await group.commit(bob);
  await group.commit(alice);
  bob.state = await decodeGroupState(encodeGroupState(bob.state));
  await group.chat(bob, "from a restored state");
  await group.commit(bob);
  await group.chat(alice, "to a restored state");
});

test("a staged commit survives a restart, with messages in between", async () => {
  const group = await Group.of(["alice", "bob"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  const carol = await Member.create("carol");
  const own = await carol.keyPackage();
  const made = await alice.commit({ proposals: [{ proposalType: 1, keyPackage: own.keyPackage }], forcePath: true });
  const stored = encodeStagedCommit(alice.state, made.staged, alice.rules);
  const between = await bob.send("in between");
  await alice.receive(between);

  alice.state = await decodeGroupState(encodeGroupState(alice.state));
  const staged = await decodeStagedCommit(alice.state, stored);
  expect(staged.commit).toEqual(made.staged.commit);
  expect(staged.added.map(({ leafIndex }) => leafIndex)).toEqual(made.staged.added.map(({ leafIndex }) => leafIndex));
  const late = await bob.send("late");
  alice.state = adoptCommit(alice.state, staged, alice.rules).state;
  await bob.receive(staged.commit);
  await carol.join(staged.welcome, own);
  group.members.push(carol);
  group.expectAgreement();
  await group.chat(alice, "adopted after a restart");
  await expect(alice.receive(late)).resolves.toMatchObject({ kind: "application" });
});

test("what a message writes does not grow with the group", async () => {
  const sizes: number[] = [];
  for (const count of [4, 64]) {
    const { alice, bob } = await largeGroup(count);
    const shelf = new Shelf();
    await alice.receive(await bob.send("the first message expands the tree above bob"));
    await shelf.store(alice.state);
    await alice.receive(await bob.send("the second message moves one ratchet"));
    await shelf.store(alice.state);
    sizes.push(shelf.written);
  }
  expect(sizes[1]).toBeLessThanOrEqual((sizes[0] ?? 0) + 8);
  expect(sizes[1]).toBeLessThanOrEqual(2048);
});
