/** The ratchet tree (RFC 9420 §4, §7.7) against an array that is written down as in the RFC. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, toHex, utf8 } from "../../src/codec/bytes.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import type { LeafNode } from "../../src/tree/leaf-node.ts";
import { hashPath, verifyParentHashes } from "../../src/tree/parent-hash.ts";
import type { WireNode } from "../../src/tree/parent-node.ts";
import { RatchetTree } from "../../src/tree/ratchet-tree.ts";
import { treeHash } from "../../src/tree/tree-hash.ts";
import type { LeafIndex, NodeIndex } from "../../src/tree/tree-math.ts";
import { verifyUnmergedLeaves } from "../../src/tree/validate-tree.ts";
import { NaiveTree } from "../support/naive-tree.ts";

const suite = await getCipherSuite(1);

let serial = 0;
/** 32 bytes that no other call returns. */
const freshKey = (): Bytes => suite.hash.digest(utf8(`key ${String(serial++)}`));

function leafOf(source: LeafNode["source"] = { leafNodeSource: "update" }): LeafNode {
  return {
    encryptionKey: freshKey(),
    signatureKey: freshKey(),
    credential: basicCredential(`member ${String(serial)}`),
    capabilities: { versions: [1], cipherSuites: [1], extensions: [], proposals: [], credentials: [1] },
    source,
    extensions: [],
    signature: EMPTY,
  };
}

/** A tree and its model, changed together. */
class Pair {
  tree: RatchetTree;
  readonly model: NaiveTree;

  constructor() {
    const leaf = leafOf();
    this.tree = RatchetTree.of(leaf);
    this.model = NaiveTree.of(leaf);
  }

  /** Adds some at once; the model adds them one by one. */
  add(count = 1): void {
    const newcomers = Array.from({ length: count }, () => ({ leafNode: leafOf() }));
    const { tree, placed } = this.tree.addLeaves(newcomers);
    expect(placed.map(([index]) => index)).toEqual(newcomers.map(({ leafNode }) => this.model.add(leafNode)));
    this.tree = tree;
  }

  remove(index: number): void {
    this.tree = this.tree.removeLeaf(index as LeafIndex);
    this.model.remove(index);
  }

  update(index: number): void {
    const leaf = leafOf();
    this.tree = this.tree.updateLeaf(index as LeafIndex, leaf);
    this.model.update(index, leaf);
  }

  commit(index: number): void {
    const path = this.tree.filteredDirectPath(index as LeafIndex);
    const keys = path.map(freshKey);
    const { parents, leafParentHash } = hashPath(suite.hash, this.tree, index as LeafIndex, keys);
    const leaf = leafOf({ leafNodeSource: "commit", parentHash: leafParentHash });
    this.tree = this.tree.replacePath(index as LeafIndex, leaf, (_, node) => parents.get(node));
    this.model.setPath(suite, index, keys, (parentHash) => {
      expect(toHex(parentHash)).toBe(toHex(leafParentHash));
      return leaf;
    });
  }

  get members(): number[] {
    return [...this.tree.members()].map(([index]) => index);
  }

  expectSame(): void {
    const { tree, model } = this;
    expect(tree.leafCount).toBe(model.leafCount);
    expect(tree.toWire()).toEqual(model.toWire());
    expect(toHex(tree.treeHash(suite.hash))).toBe(toHex(model.treeHash(suite)));
    for (let x = 0; x < model.nodes.length; x++) {
      expect(tree.resolution(x as NodeIndex)).toEqual(model.resolution(x));
    }
    for (const leaf of this.members) {
      expect(tree.filteredDirectPath(leaf as LeafIndex)).toEqual(model.filteredDirectPath(leaf));
    }
    expect(model.parentHashesAreValid(suite)).toBe(true);
    verifyParentHashes(suite.hash, tree);
    verifyUnmergedLeaves(tree);
    expect(tree.keysAreUnique).toBe(true);
  }
}

const operation = fc.record({
  kind: fc.constantFrom("add", "add", "remove", "update", "commit", "commit"),
  at: fc.nat(),
});

test("agrees with the model in every step (R-4.1.1-1, R-4.1.1-2, R-4.1.2-3, R-7.7-1, R-7.7-2, R-7.8-1, R-7.8-2, R-7.8-3, R-7.9-1, R-7.9-2, R-7.9-3, R-7.9-4, R-7.5-2, R-7.5-6)", () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 5, maxLength: 25 }), (operations) => {
      const pair = new Pair();
      for (const { kind, at } of operations) {
        const { members } = pair;
        const index = members[at % members.length] ?? 0;
        if (kind === "add" || (kind === "remove" && members.length === 1)) pair.add(1 + (at % 3) * (at % 5));
        else if (kind === "remove") pair.remove(index);
        else if (kind === "update") pair.update(index);
        else pair.commit(index);
        pair.expectSame();
      }
      const again = RatchetTree.fromWire(pair.tree.toWire(), 1024);
      expect(toHex(again.treeHash(suite.hash))).toBe(toHex(pair.tree.treeHash(suite.hash)));
    }),
    { numRuns: 25 },
  );
});

test("a version is never changed: every older tree keeps its hash", () => {
  const pair = new Pair();
  const versions: [RatchetTree, string][] = [];
  const remember = (): void => {
    versions.push([pair.tree, toHex(pair.model.treeHash(suite))]);
  };
  for (let i = 0; i < 9; i++) {
    pair.add();
    remember();
  }
  for (const index of [0, 4, 9, 2]) {
    pair.commit(index);
    remember();
    pair.remove(index);
    remember();
  }
  for (const [tree, hash] of versions) {
    expect(toHex(RatchetTree.fromWire(tree.toWire(), 16).treeHash(suite.hash))).toBe(hash);
    expect(toHex(tree.treeHash(suite.hash))).toBe(hash);
  }
});

describe("the example of §4.1 (R-4.1.1-3, R-4.1.2-4)", () => {
  const parentAt = (unmergedLeaves: number[]): WireNode => ({
    nodeType: "parent",
    parentNode: { encryptionKey: freshKey(), parentHash: EMPTY, unmergedLeaves },
  });

  test("the resolution of a blank root is that of its sides", () => {
    // X over A and B, where B is unmerged; Y over E and F; H under blanks.
    const leaves = ["A", "B", undefined, undefined, "E", "F", undefined, "H"];
    const nodes = Array.from({ length: 15 }, (_, i): WireNode | undefined =>
      i % 2 === 0 && leaves[i / 2] !== undefined ? { nodeType: "leaf", leafNode: leafOf() } : undefined,
    );
    nodes[1] = parentAt([1]);
    nodes[9] = parentAt([]);
    const tree = RatchetTree.fromWire(nodes, 8);
    expect(tree.resolution(7 as NodeIndex)).toEqual([1, 2, 9, 14]);
    expect(tree.resolution(4 as NodeIndex)).toEqual([]);
    expect(tree.resolution(12 as NodeIndex)).toEqual([]);
  });

  test("nodes with an empty copath child are left out of a filtered direct path", () => {
    const leaves = ["A", "B", undefined, undefined, "E", "F", "G", undefined];
    const nodes = Array.from({ length: 13 }, (_, i): WireNode | undefined =>
      i % 2 === 0 && leaves[i / 2] !== undefined ? { nodeType: "leaf", leafNode: leafOf() } : undefined,
    );
    const tree = RatchetTree.fromWire(nodes, 8);
    const path = (leaf: number): number[] => tree.filteredDirectPath(leaf as LeafIndex).map(({ node }) => node);
    expect(path(0)).toEqual([1, 7]);
    expect(path(1)).toEqual([1, 7]);
    expect(path(4)).toEqual([9, 11, 7]);
    expect(path(5)).toEqual([9, 11, 7]);
    expect(path(6)).toEqual([11, 7]);
  });
});

test("blank subtrees at different places have different hashes (R-7.8-4, T-19)", () => {
  const pair = new Pair();
  for (let i = 0; i < 4; i++) pair.add();
  const hash = (node: number): string => toHex(treeHash(suite.hash, pair.tree.subtree(node as NodeIndex)));
  expect(new Set([hash(10), hash(12), hash(14)]).size).toBe(3);
  expect(hash(13)).not.toBe(hash(11));
});

describe("indices from the network (adversarial 3, adversarial 33)", () => {
  const pair = new Pair();
  pair.add();
  pair.add();

  test("are members or nothing", () => {
    expect(pair.tree.findLeaf(0)).toBeDefined();
    for (const index of [3, 4, 2 ** 31, 2 ** 32 - 1, -1, 0.5, Number.NaN]) {
      expect(pair.tree.findLeaf(index)).toBeUndefined();
    }
    expect(() => pair.tree.subtree(8 as NodeIndex)).toThrow(RangeError);
  });

  test("the first leaf is one like the others, and the last one too", () => {
    const small = new Pair();
    small.commit(0);
    small.expectSame();
    small.add();
    small.remove(0);
    small.expectSame();
    expect(small.members).toEqual([1]);
    small.add();
    expect(small.members).toEqual([0, 1]);
  });
});

describe("a tree with other nodes", () => {
  const three = new Pair();
  three.add(2);
  three.commit(0);
  const six = new Pair();
  six.add(5);
  six.commit(3);

  /** Of both trees, those of the first: blanks where only the second has a node. */
  const nodesOf = (first: RatchetTree, second: RatchetTree): ReadonlyMap<number, WireNode | undefined> => {
    const nodes = first.toWire();
    return new Map([...second.toWire(), ...nodes].map((_, index) => [index, nodes[index]]));
  };

  test.each([
    ["more", six.tree, three.tree],
    ["fewer", three.tree, six.tree],
  ])("and %s leaves is the tree that has them, with its keys", (_, wanted, from) => {
    const made = from.withNodes(wanted.leafCount, nodesOf(wanted, from));
    expect(made.toWire()).toEqual(wanted.toWire());
    expect(made.leafCount).toBe(wanted.leafCount);
    expect(toHex(made.treeHash(suite.hash))).toBe(toHex(wanted.treeHash(suite.hash)));
    expect(made.keysAreUnique).toBe(true);
    for (const [, leaf] of wanted.members()) expect(made.hasEncryptionKey(leaf.encryptionKey)).toBe(true);
    for (const [, leaf] of from.members()) expect(made.hasSignatureKey(leaf.signatureKey)).toBe(false);
  });

  test("shares what is the same, and counts a key that is there twice", () => {
    const leafNode = six.tree.leaf(5 as LeafIndex);
    if (leafNode === undefined) throw new Error("no leaf");
    const made = six.tree.withNodes(8, new Map([[4, { nodeType: "leaf", leafNode }]]));
    expect(made.subtree(11 as NodeIndex)).toBe(six.tree.subtree(11 as NodeIndex));
    expect(made.keysAreUnique).toBe(false);
    expect(made.withNodes(8, new Map([[4, undefined]])).keysAreUnique).toBe(true);
  });

  test("refuses a node of the wrong kind", () => {
    const node = { nodeType: "leaf", leafNode: leafOf() } as const;
    expect(() => six.tree.withNodes(8, new Map([[1, node]]))).toThrow(
      expect.objectContaining({ code: "ERR_MLS_TREE" }),
    );
  });
});

describe("the ratchet_tree extension (R-12.4.3.3-1, R-12.4.3.3-2, R-12.4.3.3-3)", () => {
  test("ends with the last node that is not blank", () => {
    const pair = new Pair();
    for (let i = 0; i < 5; i++) pair.add();
    pair.remove(5);
    expect(pair.tree.leafCount).toBe(8);
    expect(pair.tree.toWire()).toHaveLength(9);
    pair.expectSame();
  });

  test.each([
    ["empty", [], "R-12.4.3.3-3"],
    ["blank", [undefined], "R-12.4.3.3-3"],
    ["ends with a parent", [undefined, { nodeType: "parent", parentNode: {} }], "R-12.4.3.3-4"],
  ])("that is %s is refused (adversarial 4)", (_, nodes, requirement) => {
    expect(() => RatchetTree.fromWire(nodes as WireNode[], 8)).toThrow(
      expect.objectContaining({ code: "ERR_MLS_TREE", requirement }),
    );
  });

  test("over the size cap is refused before it is built (adversarial 4, adversarial 8)", () => {
    const nodes = Array.from<WireNode | undefined>({ length: 2 * 65_537 - 1 });
    nodes[nodes.length - 1] = { nodeType: "leaf", leafNode: leafOf() };
    expect(() => RatchetTree.fromWire(nodes, 65_536)).toThrow(expect.objectContaining({ code: "ERR_MLS_LIMIT" }));
  });
});
