/** Unmerged leaves of a received tree (RFC 9420 §12.4.3.1). The other checks of a tree are tested where it is joined. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, utf8 } from "../../src/codec/bytes.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { RatchetTree } from "../../src/tree/ratchet-tree.ts";
import type { WireNode } from "../../src/tree/parent-node.ts";
import { verifyUnmergedLeaves } from "../../src/tree/validate-tree.ts";
import { isCoppiceError } from "../../src/errors.ts";

const keyOf = (kind: string, index: number): Bytes => utf8(`${kind} key ${String(index)}`.padEnd(32));

function leaf(index: number): WireNode {
  return {
    nodeType: "leaf",
    leafNode: {
      encryptionKey: keyOf("encryption", index),
      signatureKey: keyOf("signature", index),
      credential: basicCredential(String(index)),
      capabilities: { versions: [1], cipherSuites: [1], extensions: [], proposals: [], credentials: [1] },
      source: { leafNodeSource: "update" },
      extensions: [],
      signature: EMPTY,
    },
  };
}

const parent = (index: number, unmergedLeaves: readonly number[]): WireNode => ({
  nodeType: "parent",
  parentNode: { encryptionKey: keyOf("encryption", index), parentHash: EMPTY, unmergedLeaves },
});

/** Four leaves but the blank ones, and parents by their node index with what they list. */
function treeOf(blank: readonly number[], parents: Readonly<Record<number, readonly number[]>>): RatchetTree {
  return RatchetTree.fromNodes(4, (index) => {
    if (index % 2 === 0) return blank.includes(index / 2) ? undefined : leaf(index);
    const unmerged = parents[index];
    return unmerged && parent(index, unmerged);
  });
}

/** The requirement that the tree breaks, and where. */
function refusal(tree: RatchetTree): unknown {
  try {
    verifyUnmergedLeaves(tree);
    return "accepted";
  } catch (error) {
    if (!isCoppiceError(error)) throw error;
    return [error.code, error.requirement, error.detail["node"]];
  }
}

describe("unmerged leaves", () => {
  test.each<[string, RatchetTree]>([
    ["of either half", treeOf([], { 3: [1, 2], 1: [1], 5: [2] })],
    ["below blank parents", treeOf([], { 3: [0, 3] })],
    ["of a parent alone", treeOf([], { 1: [1], 3: [] })],
    ["of a parent that the root does not know of", treeOf([], { 5: [3] })],
  ])("%s are as they should be", (_, tree) => {
    expect(refusal(tree)).toBe("accepted");
  });

  test.each<[string, RatchetTree, string, number]>([
    ["a blank one, left", treeOf([1], { 3: [1] }), "R-12.4.3.1-10", 2],
    ["a blank one, right", treeOf([2], { 3: [2] }), "R-12.4.3.1-10", 4],
    ["a blank one that all above list", treeOf([2], { 3: [2], 5: [2] }), "R-12.4.3.1-10", 4],
    ["of the other half, left of it", treeOf([], { 5: [1] }), "R-12.4.3.1-10", 5],
    ["of the other half, right of it", treeOf([], { 1: [2] }), "R-12.4.3.1-10", 1],
    ["not listed between, left", treeOf([], { 3: [0, 1], 1: [1] }), "R-12.4.3.1-11", 1],
    ["not listed between, right", treeOf([], { 3: [3], 5: [2] }), "R-12.4.3.1-11", 5],
  ])(
    "%s are refused, and the place is named (R-12.4.3.1-10, R-12.4.3.1-11, adversarial 4)",
    (_, tree, requirement, node) => {
      expect(refusal(tree)).toEqual(["ERR_MLS_TREE", requirement, node]);
    },
  );
});
