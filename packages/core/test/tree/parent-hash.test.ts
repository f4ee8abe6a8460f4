/** Parent hashes (RFC 9420 §7.9): which trees a chain of hashes covers, and which are forged. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, toHex, utf8 } from "../../src/codec/bytes.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import type { LeafNode } from "../../src/tree/leaf-node.ts";
import { hashPath, verifyParentHashes } from "../../src/tree/parent-hash.ts";
import type { ParentNode, WireNode } from "../../src/tree/parent-node.ts";
import { RatchetTree } from "../../src/tree/ratchet-tree.ts";
import { isLeafSlot, toWireNode, withoutLeaves } from "../../src/tree/subtree.ts";
import { treeHash } from "../../src/tree/tree-hash.ts";
import type { LeafIndex, NodeIndex } from "../../src/tree/tree-math.ts";
import { NaiveTree } from "../support/naive-tree.ts";

const suite = await getCipherSuite(1);
let serial = 0;
const freshKey = (): Bytes => suite.hash.digest(utf8(`key ${String(serial++)}`));
const leafOf = (source: LeafNode["source"] = { leafNodeSource: "update" }): LeafNode => ({
  encryptionKey: freshKey(),
  signatureKey: freshKey(),
  credential: basicCredential("someone"),
  capabilities: { versions: [1], cipherSuites: [1], extensions: [], proposals: [], credentials: [1] },
  source,
  extensions: [],
  signature: EMPTY,
});

function treeOf(leaves: number): RatchetTree {
  let tree = RatchetTree.of(leafOf());
  for (let i = 1; i < leaves; i++) tree = tree.addLeaves([{ leafNode: leafOf() }]).tree;
  return tree;
}

function commit(tree: RatchetTree, index: number): RatchetTree {
  const leaf = index as LeafIndex;
  const keys = tree.filteredDirectPath(leaf).map(freshKey);
  const { parents, leafParentHash } = hashPath(suite.hash, tree, leaf, keys);
  const source = { leafNodeSource: "commit", parentHash: leafParentHash } as const;
  return tree.replacePath(leaf, leafOf(source), (_, node) => parents.get(node));
}

const withNode = (tree: RatchetTree, node: number, wire: WireNode): RatchetTree =>
  tree.withNodes(tree.leafCount, new Map([[node, wire]]));

/** The tree with one parent changed, whatever that does to its hashes. */
function withParent(tree: RatchetTree, node: number, edit: (parent: ParentNode) => ParentNode): RatchetTree {
  const slot = tree.subtree(node as NodeIndex);
  if (isLeafSlot(slot) || slot.parentNode === undefined) throw new RangeError("no parent there");
  return withNode(tree, node, { nodeType: "parent", parentNode: edit(slot.parentNode) });
}

const valid = (tree: RatchetTree): boolean => {
  const naive = new NaiveTree(
    Array.from({ length: 2 * tree.leafCount - 1 }, (_, i) => {
      const node = toWireNode(tree.subtree(i as NodeIndex));
      return node?.nodeType === "leaf" ? node.leafNode : node?.parentNode;
    }),
  );
  const expected = naive.parentHashesAreValid(suite);
  let actual = true;
  try {
    verifyParentHashes(suite.hash, tree);
  } catch (error) {
    expect(error).toMatchObject({ code: "ERR_MLS_TREE", requirement: "R-7.9.2-2" });
    actual = false;
  }
  expect(actual).toBe(expected);
  return actual;
};

describe("trees that are valid", () => {
  test("after each Commit, Add and Remove (R-7.9-2, R-7.9-4, R-7.9.1-1, R-7.9.2-1, R-7.9.2-4)", () => {
    let tree = treeOf(7);
    for (const index of [0, 3, 6, 1]) {
      tree = commit(tree, index);
      expect(valid(tree)).toBe(true);
    }
    tree = tree.addLeaves([{ leafNode: leafOf() }]).tree;
    expect(valid(tree)).toBe(true);
    tree = commit(tree, 4);
    tree = tree.removeLeaf(5 as LeafIndex).addLeaves([{ leafNode: leafOf() }]).tree;
    expect(valid(tree)).toBe(true);
    expect(valid(commit(tree, 7))).toBe(true);
  });

  test("without parents: leaves of other sources start no chain (R-7.9.2-5)", () => {
    expect(valid(treeOf(5))).toBe(true);
  });

  test("with blanks above: an empty parent hash below a grown root is kept (T-18, adversarial 20)", () => {
    const old = commit(commit(treeOf(4), 0), 2);
    const grown = old.addLeaves([{ leafNode: leafOf() }]).tree;
    expect(grown.subtree(3 as NodeIndex)).toMatchObject({ parentNode: { parentHash: EMPTY } });
    expect(valid(grown)).toBe(true);
  });

  test("with a member who joined since: it is left out of the sibling's hash (R-7.9-3, T-16)", () => {
    let tree = commit(treeOf(7), 0);
    tree = commit(tree, 4);
    const joined = tree.addLeaves([{ leafNode: leafOf() }]).tree;
    expect(joined.subtree(7 as NodeIndex)).toMatchObject({ parentNode: { unmergedLeaves: [7] } });
    expect(joined.subtree(11 as NodeIndex)).toMatchObject({ parentNode: { unmergedLeaves: [7] } });
    expect(valid(joined)).toBe(true);
    const sibling = joined.subtree(11 as NodeIndex);
    const original = withoutLeaves(sibling, [7]);
    expect(toHex(treeHash(suite.hash, original))).toBe(toHex(treeHash(suite.hash, tree.subtree(11 as NodeIndex))));
  });
});

describe("trees that are forged (adversarial 20)", () => {
  const tree = commit(commit(treeOf(8), 0), 5);

  test.each<[string, number, (parent: ParentNode) => ParentNode]>([
    ["another key at the root", 7, (parent) => ({ ...parent, encryptionKey: freshKey() })],
    ["another key below it", 9, (parent) => ({ ...parent, encryptionKey: freshKey() })],
    ["an empty parent hash where there was one", 11, (parent) => ({ ...parent, parentHash: EMPTY })],
    ["a parent hash at the root", 7, (parent) => ({ ...parent, parentHash: freshKey() })],
    ["an unmerged leaf that is merged (T-17)", 7, (parent) => ({ ...parent, unmergedLeaves: [6] })],
    ["an unmerged leaf on the covered side (T-17)", 11, (parent) => ({ ...parent, unmergedLeaves: [4] })],
    ["an unmerged leaf on the other side", 7, (parent) => ({ ...parent, unmergedLeaves: [2] })],
  ])("%s: refused (R-7.9.2-1, R-7.9.2-2)", (_, node, edit) => {
    expect(valid(tree)).toBe(true);
    expect(valid(withParent(tree, node, edit))).toBe(false);
  });

  test("a parent that nobody set: refused", () => {
    const parentNode = { encryptionKey: freshKey(), parentHash: EMPTY, unmergedLeaves: [] };
    const forged = withNode(tree, 13, { nodeType: "parent", parentNode });
    expect(valid(forged)).toBe(false);
  });

  test("a member swapped for another beside the path: refused (R-7.9-1)", () => {
    const forged = withNode(tree, 8, { nodeType: "leaf", leafNode: leafOf() });
    expect(valid(forged)).toBe(false);
  });

  test("the leaf's chain taken away: refused (R-7.9.2-5)", () => {
    const forged = withNode(tree, 10, { nodeType: "leaf", leafNode: leafOf() });
    expect(valid(forged)).toBe(false);
  });
});

test("many unmerged leaves cost no more than the tree is large (adversarial 8)", () => {
  const leaves = 2 ** 13;
  const unmergedLeaves = Array.from({ length: leaves / 2 }, (_, i) => leaves / 2 + i);
  const tree = RatchetTree.fromNodes(leaves, (index) => {
    if (index % 2 === 0) return { nodeType: "leaf", leafNode: leafOf() };
    const listed = index === leaves - 1 || index === leaves + leaves / 2 - 1;
    return listed
      ? { nodeType: "parent", parentNode: { encryptionKey: freshKey(), parentHash: EMPTY, unmergedLeaves } }
      : undefined;
  });
  const started = performance.now();
  expect(() => {
    verifyParentHashes(suite.hash, tree);
  }).toThrow(expect.objectContaining({ requirement: "R-7.9.2-2" }));
  expect(performance.now() - started).toBeLessThan(3000);
});
