/** Parent hashes (RFC 9420 §7.9): each non-blank parent is bound to the leaf that last set it. */
import type { HashKernel } from "@coppice/wasm";
import { type Bytes, EMPTY, equalBytes } from "../codec/bytes.ts";
import { type Codec, encodeFor, opaque, struct } from "../codec/codec.ts";
import { CoppiceError } from "../errors.ts";
import type { ParentNode } from "./parent-node.ts";
import type { RatchetTree } from "./ratchet-tree.ts";
import { type Subtree, descend, isLeafSlot, ParentSlot, resolution, withoutLeaves } from "./subtree.ts";
import { treeHash } from "./tree-hash.ts";
import { type LeafIndex, type NodeIndex, isBelow } from "./tree-math.ts";

/**
 * ```tls
 * struct { HPKEPublicKey encryption_key; opaque parent_hash<V>; opaque original_sibling_tree_hash<V>; } ParentHashInput;
 * ```
 */
const parentHashInput: Codec<{ encryptionKey: Bytes; parentHash: Bytes; originalSiblingTreeHash: Bytes }> = struct({
  encryptionKey: opaque,
  parentHash: opaque,
  originalSiblingTreeHash: opaque,
});

/** The parent hash of `parent` with respect to the child on the other side of `sibling` (R-7.9-1, R-7.9-3). */
function parentHash(hash: HashKernel, parent: ParentNode, sibling: Subtree): Bytes {
  return parentHashOver(hash, parent, treeHash(hash, withoutLeaves(sibling, parent.unmergedLeaves)));
}

/** The same from the tree hash that the sibling had when `parent` was set. */
export function parentHashOver(
  hash: HashKernel,
  { encryptionKey, parentHash: above }: Pick<ParentNode, "encryptionKey" | "parentHash">,
  originalSiblingTreeHash: Bytes,
): Bytes {
  const input = { encryptionKey, parentHash: above, originalSiblingTreeHash };
  return encodeFor(parentHashInput, input, (bytes) => hash.digest(bytes));
}

/** A path of new public keys, chained by parent hashes from the top down (R-7.9-2, R-7.9-4). */
export interface HashedPath {
  readonly parents: ReadonlyMap<NodeIndex, ParentNode>;
  /** For the leaf below the path. Empty if the path is. */
  readonly leafParentHash: Bytes;
}

/**
 * Parent nodes for the filtered direct path of `leaf`, given their new keys from the leaf up. `tree` is the tree after
 * proposals; the siblings it is hashed with are off the path, so it need not have the new keys yet.
 */
export function hashPath(
  hash: HashKernel,
  tree: RatchetTree,
  leaf: LeafIndex,
  encryptionKeys: readonly Bytes[],
): HashedPath {
  const parents = new Map<NodeIndex, ParentNode>();
  const path = tree.filteredDirectPath(leaf);
  let above: Bytes = EMPTY;
  for (const [i, { node, copathChild }] of [...path.entries()].reverse()) {
    const encryptionKey = encryptionKeys[i];
    if (encryptionKey === undefined) throw new RangeError("One key per node of the filtered direct path is needed");
    const parent: ParentNode = { encryptionKey, parentHash: above, unmergedLeaves: [] };
    parents.set(node, parent);
    above = parentHash(hash, parent, tree.subtree(copathChild));
  }
  return { parents, leafParentHash: above };
}

/** The parent hash that a node carries: empty for the top of a path, undefined for leaves without one (R-7.9.2-5). */
function carriedParentHash(subtree: Subtree): Bytes | undefined {
  if (!isLeafSlot(subtree)) return subtree.parentNode?.parentHash;
  const source = subtree.leafNode?.source;
  return source?.leafNodeSource === "commit" ? source.parentHash : undefined;
}

/** Whether `child`'s side proves that `parent` was set by a path through it (R-7.9.2-1). */
function isCoveredFrom(hash: HashKernel, parent: ParentNode, child: Subtree, sibling: Subtree): boolean {
  const unmerged = new Set(parent.unmergedLeaves.map((leaf) => 2 * leaf));
  const covered = resolution(child);
  const [candidate, ...others] = covered.filter((node) => !unmerged.has(node));
  if (candidate === undefined || others.length > 0) return false;
  // The second half of the rule (T-17): all unmerged leaves of this side are in the resolution, beside the candidate.
  const unmergedHere = [...unmerged].filter((node) => isBelow(node as NodeIndex, child.index));
  if (unmergedHere.length !== covered.length - 1) return false;
  const carried = carriedParentHash(descend(child, candidate));
  return carried !== undefined && equalBytes(carried, parentHash(hash, parent, sibling));
}

/** Refuses a tree with a non-blank parent that no chain of parent hashes covers: `ERR_MLS_TREE` (R-7.9.2-2). */
export function verifyParentHashes(hash: HashKernel, tree: RatchetTree): void {
  for (const slot of tree.slots()) {
    if (!(slot instanceof ParentSlot) || slot.parentNode === undefined) continue;
    const { parentNode, left, right } = slot;
    if (!isCoveredFrom(hash, parentNode, left, right) && !isCoveredFrom(hash, parentNode, right, left)) {
      throw new CoppiceError("ERR_MLS_TREE", `Parent ${String(slot.index)} is not parent-hash valid`, {
        requirement: "R-7.9.2-2",
        detail: { node: slot.index },
      });
    }
  }
}
