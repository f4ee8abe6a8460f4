/** Groups that live: adding, talking, updating, removing, in every suite and on both kernels. */
import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/codec/bytes.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { exportSecret } from "../../src/group/export.ts";
import { createProposal, createUpdateProposal } from "../../src/group/send.ts";
import { at, Group, Member } from "../support/group.ts";

describe.each([
  ["wasm", 1],
  ["noble", 1],
  ["wasm", 2],
  ["wasm", 3],
  ["wasm", 7],
] as const)("on the %s kernel with suite %i", (kernel, suiteId) => {
  test("members join, talk, refresh their keys and are removed", async () => {
    const suite = await getCipherSuite(suiteId, { kernel });
    const group = await Group.of(["alice", "bob", "carol"], { suite });
    const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
    await group.chat(alice, "hello");
    await group.chat(bob, "hello yourself");

    await group.commit(bob);
    await group.commit(carol, { wireFormat: "mls_public_message" });
    await group.chat(carol, "after two commits");

    const dave = await Member.create("dave", { suite });
    await group.add(bob, [dave]);
    await group.chat(dave, "I am new");

    const beforeRemoval = carol.state;
    const made = await group.commit(alice, { proposals: [{ proposalType: 3, removed: carol.state.leafIndex }] });
    expect(carol.state.status).toBe("removed");
    expect(beforeRemoval.context.epoch).toBe(made.staged.epoch);
    await group.chat(dave, "carol is gone");

    const exported = group.members.map(({ state }) =>
      exportSecret(state, { label: "test", context: utf8("x"), length: 32 }),
    );
    expect(exported.every((secret) => secret.join() === exported[0]?.join())).toBe(true);
  });
});

test.each([1, 2, 3, 4, 5, 7, 8, 9])(
  "%i members: the last leave and more come in one Commit, the first leaf too (adversarial 33)",
  async (size) => {
    const names = Array.from({ length: size }, (_, i) => `member ${String(i)}`);
    const group = await Group.of(names);
    const committer = at(group.members, size >>> 1);
    const newcomers = await Promise.all(["x", "y", "z"].map((name) => Member.create(name)));
    const packages = await Promise.all(newcomers.map((newcomer) => newcomer.keyPackage()));
    const leaving = [0, size - 2, size - 1].filter((index, i, all) => index >= 0 && all.indexOf(index) === i);
    const made = await group.commit(committer, {
      proposals: [
        ...leaving
          .filter((removed) => removed !== committer.state.leafIndex)
          .map((removed) => ({ proposalType: 3, removed }) as const),
        ...packages.map(({ keyPackage }) => ({ proposalType: 1, keyPackage }) as const),
      ],
    });
    for (const [i, newcomer] of newcomers.entries()) await newcomer.join(made.staged.welcome, at(packages, i));
    group.members.push(...newcomers);
    group.expectAgreement();
    for (const member of group.members) await group.commit(member);
    await group.chat(at(newcomers, 2), "hello");
    const first = group.members.find(({ state }) => state.leafIndex === 0);
    if (first !== undefined) await group.chat(first, "from the first leaf");
  },
);

test("proposals of others take effect by reference, an own Update with its pending key (T-12, T-13)", async () => {
  const group = await Group.of(["alice", "bob", "carol", "dave"]);
  const [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map((name) => group.member(name));
  if (!alice || !bob || !carol || !dave) throw new Error("four members");
  const update = await createUpdateProposal(bob.state, bob);
  bob.state = update.state;
  const leave = await createProposal(dave.state, { proposalType: 3, removed: dave.state.leafIndex }, dave);
  dave.state = leave.state;
  for (const member of [alice, carol, dave]) await member.receive(update.message);
  for (const member of [alice, bob, carol]) await member.receive(leave.message);
  await group.commit(alice);
  expect(dave.state.status).toBe("removed");
  expect(bob.state.leafSince).toBe(bob.state.context.epoch);
  await group.chat(bob, "with my new leaf key");
  await group.commit(carol);
  await group.chat(alice, "still together");
});
