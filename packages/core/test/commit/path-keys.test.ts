/** Keys of a path that nobody could seal to: also members who do not derive them must refuse them. */
import { expect, test, vi } from "vitest";
import { encode } from "../../src/codec/codec.ts";
import { ratchetTree } from "../../src/framing/group-info.ts";
import { validateTree } from "../../src/tree/validate-tree.ts";
import { RatchetTree } from "../../src/tree/ratchet-tree.ts";
import { forgeCommit } from "../support/forge-commit.ts";
import { expectForgeryRefused, expectRefusal, Group } from "../support/group.ts";

test("a path whose lower node has a key of small order is refused by members above it (R-5.1.1-3, adversarial 15)", async () => {
  const group = await Group.of(["alice", "bob", "carol", "dave"]);
  for (const member of group.members) await group.commit(member);
  const [alice, carol] = [group.member("alice"), group.member("carol")];
  // Carol derives the root only: she sees the lower node's key, but not the secret behind it.
  const { message } = await forgeCommit(alice, { nodeKeys: [new Uint8Array(32)] });
  const expected = { code: "ERR_MLS_UPDATE_PATH", requirement: "R-5.1.1-3" } as const;
  await expectRefusal(carol, expected, () => carol.receive(message));
  await group.commit(alice);
  await group.chat(carol, "the genuine commit went through");
});

test.each([0, 31, 33, 65])(
  "a path whose lower node has a key of %i bytes is refused by members above it (R-5.1.1-3, adversarial 15)",
  async (length) => {
    const group = await Group.of(["alice", "bob", "carol", "dave"]);
    for (const member of group.members) await group.commit(member);
    const [alice, carol] = [group.member("alice"), group.member("carol")];
    const genuine = (await alice.commit()).staged.commit;
    const { message } = await forgeCommit(alice, { nodeKeys: [new Uint8Array(length).fill(9)] });
    const expected = { code: "ERR_MLS_UPDATE_PATH", requirement: "R-5.1.1-3" } as const;
    await expectForgeryRefused(carol, message, expected, genuine);
  },
);

test("a tree with such a key is refused by those who join (R-5.1.1-3)", async () => {
  const group = await Group.of(["alice", "bob"]);
  await group.commit(group.member("alice"));
  const { state, rules, suite } = group.member("bob");
  const nodes = state.tree
    .toWire()
    .map((node) =>
      node?.nodeType === "parent"
        ? ({ ...node, parentNode: { ...node.parentNode, encryptionKey: new Uint8Array(32) } } as const)
        : node,
    );
  const tree = RatchetTree.fromWire(nodes, 4);
  expect(encode(ratchetTree, tree.toWire())).toEqual(encode(ratchetTree, nodes));
  const context = { ...state.context, treeHash: tree.treeHash(suite.hash) };
  await expect(validateTree(suite, tree, { context, rules })).rejects.toMatchObject({
    code: "ERR_MLS_TREE",
    requirement: "R-5.1.1-3",
  });
});

test("a path of thousands of nodes is refused before their keys are looked at (R-7.5-8, adversarial 8)", async () => {
  const group = await Group.of(["alice", "bob"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  const genuine = (await alice.commit()).staged.commit;
  const { message } = await forgeCommit(alice, {
    path: (path) => ({ ...path, nodes: Array.from({ length: 3000 }, () => path.nodes).flat() }),
  });
  const { suite } = bob.state;
  const validatePublicKey = vi.fn(suite.hpke.validatePublicKey);
  bob.state = { ...bob.state, suite: { ...suite, hpke: { ...suite.hpke, validatePublicKey } } };
  const expected = { code: "ERR_MLS_UPDATE_PATH", requirement: "R-7.5-8" } as const;
  await expectForgeryRefused(bob, message, expected, genuine);
  // The leaf's in the forgery, leaf and node in the genuine Commit.
  expect(validatePublicKey).toHaveBeenCalledTimes(3);
});
