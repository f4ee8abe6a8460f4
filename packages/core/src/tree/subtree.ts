/**
 * The nodes of a persistent ratchet tree (RFC 9420 §4.1): immutable, shared between versions, each with its tree hash
 * (§7.8) and a summary of what is below it, computed once when first asked for.
 */
import type { Bytes } from "../codec/bytes.ts";
import type { LeafNode } from "./leaf-node.ts";
import type { ParentNode, WireNode } from "./parent-node.ts";
import { type Summary, joinSummaries, summarizeLeaf } from "./summary.ts";
import { type NodeIndex, children, leavesBelow } from "./tree-math.ts";

export type Subtree = LeafSlot | ParentSlot;

/** A leaf's place, filled or blank. */
export class LeafSlot {
  readonly index: NodeIndex;
  readonly leafNode: LeafNode | undefined;
  /** The epoch in which the leaf came to stand here (R-3.2-2). */
  readonly since: bigint;
  /** Once computed: see `treeHash` in `tree-hash.ts`. */
  treeHash: Bytes | undefined;
  #summary: Summary | undefined;

  constructor(index: NodeIndex, node: LeafNode | undefined, since: bigint) {
    this.index = index;
    this.leafNode = node;
    this.since = since;
  }

  get summary(): Summary {
    this.#summary ??= summarizeLeaf(this.leafNode);
    return this.#summary;
  }
}

/** A parent's place, filled or blank, with what is below it. */
export class ParentSlot {
  readonly index: NodeIndex;
  readonly parentNode: ParentNode | undefined;
  readonly left: Subtree;
  readonly right: Subtree;
  /** Once computed: see `treeHash` in `tree-hash.ts`. */
  treeHash: Bytes | undefined;
  #summary: Summary | undefined;

  constructor(index: NodeIndex, node: ParentNode | undefined, leftChild: Subtree, rightChild: Subtree) {
    this.index = index;
    this.parentNode = node;
    this.left = leftChild;
    this.right = rightChild;
  }

  get summary(): Summary {
    this.#summary ??= joinSummaries(this.left.summary, this.right.summary, this.parentNode !== undefined);
    return this.#summary;
  }
}

/** A subtree without any node, rooted at `index`. */
export function blankSubtree(index: NodeIndex): Subtree {
  const below = children(index);
  if (below === undefined) return new LeafSlot(index, undefined, 0n);
  return new ParentSlot(index, undefined, blankSubtree(below[0]), blankSubtree(below[1]));
}

/** The subtree at `index`, which is at or below `from`. */
export function descend(from: Subtree, index: NodeIndex): Subtree {
  let at = from;
  while (at.index !== index) {
    if (at instanceof LeafSlot) throw new RangeError(`Node ${String(index)} is not in this tree`);
    at = index < at.index ? at.left : at.right;
  }
  return at;
}

/** What stands at a place, as it goes over the wire. */
export function toWireNode(slot: Subtree): WireNode | undefined {
  if (isLeafSlot(slot)) return slot.leafNode && { nodeType: "leaf", leafNode: slot.leafNode };
  return slot.parentNode && { nodeType: "parent", parentNode: slot.parentNode };
}

/** Resolution (§4.1.1): the nodes that together cover all non-blank leaves below. */
export function resolution(subtree: Subtree): NodeIndex[] {
  const nodes: NodeIndex[] = [];
  const collect = (at: Subtree): void => {
    if (at.summary.blank) return;
    if (at instanceof LeafSlot) {
      nodes.push(at.index);
    } else if (at.parentNode === undefined) {
      collect(at.left);
      collect(at.right);
    } else {
      nodes.push(at.index);
      for (const leaf of at.parentNode.unmergedLeaves) nodes.push((2 * leaf) as NodeIndex);
    }
  };
  collect(subtree);
  return nodes;
}

/** The subtree with these leaves blank and out of every unmerged list; untouched parts are shared. */
export function withoutLeaves(subtree: Subtree, leaves: readonly number[]): Subtree {
  const reach = leavesBelow(subtree.index);
  const inside = leaves.filter((leaf) => Math.abs(2 * leaf - subtree.index) < reach);
  if (inside.length === 0) return subtree;
  if (subtree instanceof LeafSlot) return new LeafSlot(subtree.index, undefined, 0n);
  const gone = new Set(inside);
  const kept = subtree.parentNode && {
    ...subtree.parentNode,
    unmergedLeaves: subtree.parentNode.unmergedLeaves.filter((leaf) => !gone.has(leaf)),
  };
  return new ParentSlot(subtree.index, kept, withoutLeaves(subtree.left, inside), withoutLeaves(subtree.right, inside));
}

export const isLeafSlot = (subtree: Subtree): subtree is LeafSlot => subtree instanceof LeafSlot;
