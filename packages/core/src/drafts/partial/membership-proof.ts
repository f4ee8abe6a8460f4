/** Membership proofs (Partial MLS, "Membership Proofs and Partial Trees"): one leaf, and the way from it to the tree hash. */
import { type Bytes, equalBytes } from "../../codec/bytes.ts";
import { type Codec, map, opaque, optional, struct, uint32, vector } from "../../codec/codec.ts";
import type { CipherSuite } from "../../crypto/cipher-suite.ts";
import { type ErrorDetail, CoppiceError } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { LeafNode } from "../../tree/leaf-node.ts";
import { type ParentNode, type WireNode, wireNode } from "../../tree/parent-node.ts";
import type { RatchetTree } from "../../tree/ratchet-tree.ts";
import { isLeafSlot, toWireNode } from "../../tree/subtree.ts";
import { leafTreeHash, parentTreeHash, treeHash } from "../../tree/tree-hash.ts";
import { type LeafIndex, type NodeIndex, copath, directPath, leafToNode, toLeafIndex } from "../../tree/tree-math.ts";

/**
 * ```tls
 * struct { opaque hash_value<V>; } CopathHash;
 * struct {
 *   uint32 leaf_index; uint32 n_leaves; optional<Node> direct_path_nodes<V>; CopathHash copath_hashes<V>;
 * } MembershipProof;
 * ```
 */
export interface MembershipProof {
  /** As received: any uint32. */
  readonly leafIndex: number;
  /** Leaves of the tree, blank ones included. As received: any uint32. */
  readonly nLeaves: number;
  /** The leaf, then its ancestors up to the root; undefined for blanks. */
  readonly directPathNodes: readonly (WireNode | undefined)[];
  /** Tree hashes of the leaf's sibling, then of the siblings of its ancestors: `Nh` bytes each. */
  readonly copathHashes: readonly Bytes[];
}

export const copathHash: Codec<Bytes> = map(
  struct({ hashValue: opaque }),
  ({ hashValue }) => hashValue,
  (hashValue) => ({ hashValue }),
);

/** Levels above the leaves of the largest tree that a uint32 can count. */
const MOST_LEVELS = 32;

export const membershipProof: Codec<MembershipProof> = struct({
  leafIndex: uint32,
  nLeaves: uint32,
  directPathNodes: vector(optional(wireNode), MOST_LEVELS + 1),
  copathHashes: vector(copathHash, MOST_LEVELS),
});

const malformed = (message: string, requirement: string, detail: ErrorDetail = {}): CoppiceError =>
  new CoppiceError("ERR_MLS_TREE", message, { requirement, detail });

/** An ancestor of a proven leaf. */
export interface SliceNode {
  readonly index: NodeIndex;
  /** Undefined for a blank. */
  readonly parentNode: ParentNode | undefined;
  /** Tree hash of the child that the leaf is not below. */
  readonly copathHash: Bytes;
}

/** A proof of the right shape, of which nothing is hashed yet. */
export interface ShapedProof {
  readonly leafIndex: LeafIndex;
  /** A power of two. */
  readonly leafCount: number;
  readonly leaf: LeafNode;
  /** From the leaf up to the root. */
  readonly parents: readonly SliceNode[];
  readonly proof: MembershipProof;
}

/** Checks what costs nothing: sizes and kinds (P-6-1 to P-6-6). `ERR_MLS_TREE`, and `ERR_MLS_LIMIT` for too many leaves. */
export function checkShape(suite: CipherSuite, proof: MembershipProof, { treeLeaves }: Limits): ShapedProof {
  const { leafIndex, nLeaves, directPathNodes, copathHashes } = proof;
  if (nLeaves > treeLeaves) {
    throw new CoppiceError(
      "ERR_MLS_LIMIT",
      `The membership proof is of a tree of more than ${String(treeLeaves)} leaves`,
      {
        requirement: "P-6-1",
        detail: { nLeaves, treeLeaves },
      },
    );
  }
  const levels = Math.log2(nLeaves);
  if (!Number.isInteger(levels)) {
    throw malformed("The leaf count of the membership proof is not a power of two", "P-6-2", { nLeaves });
  }
  if (leafIndex >= nLeaves) throw malformed("The proven leaf is outside the tree", "P-6-3", { leafIndex, nLeaves });
  if (directPathNodes.length !== levels + 1 || copathHashes.length !== levels) {
    throw malformed("The membership proof does not have one node and one hash for each level of the tree", "P-6-4", {
      levels,
      nodes: directPathNodes.length,
      hashes: copathHashes.length,
    });
  }
  const [leaf, ...parents] = directPathNodes;
  if (leaf?.nodeType !== "leaf" || parents.some((node) => node?.nodeType === "leaf")) {
    throw malformed("The membership proof does not lead from a leaf over parents", "P-6-5");
  }
  if (copathHashes.some(({ length }) => length !== suite.hash.Nh)) {
    throw malformed("A copath hash does not have the length of the suite's hash", "P-6-6");
  }
  const index = leafIndex as LeafIndex;
  return {
    leafIndex: index,
    leafCount: nLeaves,
    leaf: leaf.leafNode,
    parents: directPath(leafToNode(index), nLeaves).map((node, i): SliceNode => {
      const [parent, hash] = [parents[i], copathHashes[i]];
      if (hash === undefined) throw new RangeError("A proof of this shape has a hash for each level");
      return {
        index: node,
        parentNode: parent?.nodeType === "parent" ? parent.parentNode : undefined,
        copathHash: hash,
      };
    }),
    proof,
  };
}

/** A leaf and its ancestors, proven to be in the tree that has this hash. */
export class TreeSlice {
  readonly leafIndex: LeafIndex;
  readonly leafCount: number;
  readonly leaf: LeafNode;
  /** From the leaf up to the root. */
  readonly parents: readonly SliceNode[];
  readonly treeHash: Bytes;
  readonly proof: MembershipProof;

  /** The recursion of RFC 9420 §7.8, from the leaf up. */
  constructor({ hash }: Pick<CipherSuite, "hash">, { leafIndex, leafCount, leaf, parents, proof }: ShapedProof) {
    let reached = leafTreeHash(hash, leafIndex, leaf);
    for (const [level, { parentNode, copathHash: other }] of parents.entries()) {
      const isRight = ((leafIndex >>> level) & 1) === 1;
      const below = isRight ? { leftHash: other, rightHash: reached } : { leftHash: reached, rightHash: other };
      reached = parentTreeHash(hash, parentNode, below);
    }
    this.leafIndex = leafIndex;
    this.leafCount = leafCount;
    this.leaf = leaf;
    this.parents = parents;
    this.treeHash = reached;
    this.proof = proof;
  }

  /** Public key at a node of this slice; undefined for a blank, and for what is not part of it. */
  encryptionKey(index: NodeIndex): Bytes | undefined {
    if (index === leafToNode(this.leafIndex)) return this.leaf.encryptionKey;
    return this.parents.find((node) => node.index === index)?.parentNode?.encryptionKey;
  }

  /** Ancestors that are not blank, from the leaf up. */
  get filled(): readonly (SliceNode & { readonly parentNode: ParentNode })[] {
    return this.parents.flatMap(({ parentNode, ...node }) =>
      parentNode === undefined ? [] : [{ ...node, parentNode }],
    );
  }
}

/** Hashes a proof. `ERR_MLS_TREE` unless it is valid relative to `expected` (`requirement`). */
export function proveSlice(
  suite: CipherSuite,
  shaped: ShapedProof,
  { treeHash: expected, requirement }: { readonly treeHash: Bytes; readonly requirement: string },
): TreeSlice {
  const slice = new TreeSlice(suite, shaped);
  if (!equalBytes(slice.treeHash, expected)) {
    throw malformed("The membership proof is of another tree", requirement, { leafIndex: slice.leafIndex });
  }
  return slice;
}

/** `ERR_MLS_TREE` unless two proofs are of trees of one size; their hashes are still to be compared (P-6-8). */
export function checkSameSize(a: ShapedProof, b: ShapedProof): void {
  if (a.leafCount !== b.leafCount) throw malformed("Two membership proofs are of trees of different size", "P-6-8");
}

/**
 * Proves that a member is in a tree: about 200 bytes for the leaf and 100 for each level of the tree. `RangeError` for a leaf that is
 * blank or outside it.
 */
export function proveMembership({ hash }: Pick<CipherSuite, "hash">, tree: RatchetTree, leaf: number): MembershipProof {
  const { leafCount } = tree;
  const node = leafToNode(toLeafIndex(leaf, leafCount));
  const slot = tree.subtree(node);
  if (!isLeafSlot(slot) || slot.leafNode === undefined) throw new RangeError(`Leaf ${String(leaf)} is blank`);
  return {
    leafIndex: leaf,
    nLeaves: leafCount,
    directPathNodes: [node, ...directPath(node, leafCount)].map((index) => toWireNode(tree.subtree(index))),
    copathHashes: copath(node, leafCount).map((index) => treeHash(hash, tree.subtree(index))),
  };
}
