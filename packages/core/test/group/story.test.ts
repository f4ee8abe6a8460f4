/** Groups that live: adding, talking, updating, removing, in every suite and on both kernels. */
import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/codec/bytes.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { exportSecret } from "../../src/group/export.ts";
import { createProposal, createUpdateProposal } from "../../src/group/send.ts";
import { Group, Member } from "../support/group.ts";

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
