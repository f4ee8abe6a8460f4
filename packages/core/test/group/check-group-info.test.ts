/** Trees of hostile size are refused before they are built (adversarial 8). */
import { afterEach, expect, test, vi } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat } from "../../src/codec/bytes.ts";
import { encode, opaque } from "../../src/codec/codec.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { readTree } from "../../src/group/check-group-info.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { ratchetTree } from "../../src/framing/group-info.ts";
import { RatchetTree } from "../../src/tree/ratchet-tree.ts";
import type { WireNode } from "../../src/tree/parent-node.ts";
import { Group } from "../support/group.ts";

afterEach(() => vi.restoreAllMocks());

test("a tree of millions of blanks is refused at its first node too many (R-2.1.2-8, adversarial 8)", async () => {
  const group = await Group.of(["alice"]);
  const alice = group.member("alice");
  const info = await createGroupInfo(alice.state, alice.signer, { tree: false });
  const blanks = encode(opaque, concat(new Uint8Array(8 * 1024 * 1024)));
  expect(() => readTree(alice.suite, info, blanks, { ...DEFAULT_LIMITS, treeLeaves: 4 })).toThrow(
    expect.objectContaining({ code: "ERR_MLS_LIMIT", requirement: "R-2.1.2-8", detail: { maxElements: 7 } }),
  );
  expect(readTree(alice.suite, info, undefined, DEFAULT_LIMITS)).toBeUndefined();
});

test("a tree over 64 MiB is read where messages may be that long", async () => {
  const alice = (await Group.of(["alice"])).member("alice");
  const info = await createGroupInfo(alice.state, alice.signer, { tree: false });
  const [node] = alice.state.tree.toWire();
  if (node?.nodeType !== "leaf") throw new TypeError("a leaf");
  const long: WireNode = { ...node, leafNode: { ...node.leafNode, signature: new Uint8Array(64 * 2 ** 20) } };
  const encoded = encode(ratchetTree, [long]);
  const limits = { ...DEFAULT_LIMITS, messageBytes: 2 ** 27 };
  expect(readTree(alice.suite, info, encoded, limits)?.leafCount).toBe(1);
  expect(() => readTree(alice.suite, info, encoded, DEFAULT_LIMITS)).toThrow(
    expect.objectContaining({ code: "ERR_MLS_LIMIT" }),
  );
});

test.each<[string, string, (node: WireNode, key: Bytes) => WireNode]>([
  [
    "ERR_MLS_LEAF_NODE",
    "R-5.1.1-1",
    (node, encryptionKey) =>
      node.nodeType === "leaf" ? { ...node, leafNode: { ...node.leafNode, encryptionKey } } : node,
  ],
  [
    "ERR_MLS_LEAF_NODE",
    "R-5.1.1-2",
    (node, signatureKey) =>
      node.nodeType === "leaf" ? { ...node, leafNode: { ...node.leafNode, signatureKey } } : node,
  ],
  [
    "ERR_MLS_TREE",
    "R-5.1.1-3",
    (node, encryptionKey) =>
      node.nodeType === "parent" ? { ...node, parentNode: { ...node.parentNode, encryptionKey } } : node,
  ],
])(
  "a tree with keys of another length is refused before it is built: %s (%s, adversarial 8)",
  async (code, requirement, edit) => {
    const group = await Group.of(["alice", "bob"]);
    await group.commit(group.member("alice"));
    const { suite, state, signer } = group.member("alice");
    const info = await createGroupInfo(state, signer, { tree: false });
    const build = vi.spyOn(RatchetTree, "fromNodes");
    for (const length of [0, 31, 33, 4000]) {
      const nodes = state.tree.toWire().map((node) => node && edit(node, new Uint8Array(length)));
      expect(() => readTree(suite, info, encode(ratchetTree, nodes), DEFAULT_LIMITS)).toThrow(
        expect.objectContaining({ code, requirement }),
      );
    }
    expect(build).not.toHaveBeenCalled();
  },
);
