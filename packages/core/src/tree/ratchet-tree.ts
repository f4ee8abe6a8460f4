/**
 * The public ratchet tree (RFC 9420 §4, §7.7): a persistent value. A change copies one path and shares the rest, so old
 * epochs and staged commits cost O(log N).
 */
import type { HashKernel } from "@coppice/wasm";
import { type Bytes, equalBytes } from "../codec/bytes.ts";
import { CoppiceError } from "../errors.ts";
import { KeyIndex } from "./key-index.ts";
import type { LeafNode } from "./leaf-node.ts";
import type { Leaves } from "./loaded-leaves.ts";
import type { ParentNode, WireNode } from "./parent-node.ts";
import {
  type Subtree,
  blankSubtree,
  descend,
  isLeafSlot,
  LeafSlot,
  ParentSlot,
  resolution,
  toWireNode,
} from "./subtree.ts";
import type { Summary } from "./summary.ts";
import { treeHash } from "./tree-hash.ts";
import type { LeafIndex, NodeIndex } from "./tree-math.ts";
import * as math from "./tree-math.ts";

/** Encryption and signature keys of a tree. */
interface Keys {
  readonly encryption: KeyIndex;
  readonly signature: KeyIndex;
}

const encryptionKeyAt = (place: Subtree | undefined): Bytes | undefined =>
  place && (isLeafSlot(place) ? place.leafNode : place.parentNode)?.encryptionKey;

const signatureKeyAt = (place: Subtree | undefined): Bytes | undefined =>
  place && isLeafSlot(place) ? place.leafNode?.signatureKey : undefined;

/** The keys of a tree in which `after` takes the place of `before`. */
function exchangeKeys(keys: Keys, before: Subtree | undefined, after: Subtree | undefined): Keys {
  return {
    encryption: exchangeKey(keys.encryption, encryptionKeyAt(before), encryptionKeyAt(after)),
    signature: exchangeKey(keys.signature, signatureKeyAt(before), signatureKeyAt(after)),
  };
}

function exchangeKey(index: KeyIndex, before: Bytes | undefined, after: Bytes | undefined): KeyIndex {
  // Members seldom change their signature key.
  if (before !== undefined && after !== undefined && equalBytes(before, after)) return index;
  const without = before === undefined ? index : index.remove(before);
  return after === undefined ? without : without.add(after);
}

/** A place with this node: a leaf's if there is nothing `below`. `ERR_MLS_TREE` for a node of the wrong kind. */
function slotOf(
  { index, node, since }: { index: NodeIndex; node: WireNode | undefined; since: bigint },
  below?: readonly [left: Subtree, right: Subtree],
): Subtree {
  if (node !== undefined && (node.nodeType === "leaf") !== math.isLeaf(index)) {
    throw new CoppiceError("ERR_MLS_TREE", `Node ${String(index)} is of the wrong kind`, {
      requirement: "R-12.4.3.3-4",
    });
  }
  return below === undefined
    ? new LeafSlot(index, node?.nodeType === "leaf" ? node.leafNode : undefined, since)
    : new ParentSlot(index, node?.nodeType === "parent" ? node.parentNode : undefined, ...below);
}

const withUnmerged = (node: ParentNode, added: readonly LeafIndex[]): ParentNode => ({
  ...node,
  unmergedLeaves: [...node.unmergedLeaves, ...added].sort((a: number, b: number) => a - b),
});

/** A node, a leaf with the epoch since which it stands where it is. */
export type NodeSince = WireNode & { readonly since?: bigint };

/** What to put at an ancestor of a changed leaf. */
type ParentEdit = (current: ParentNode | undefined, index: NodeIndex) => ParentNode | undefined;

const blankParent: ParentEdit = () => undefined;

/** The public half of a group: its members and the keys above them. A value: a change makes another tree. */
export class RatchetTree implements Leaves {
  readonly root: Subtree;
  readonly #keys: Keys;
  readonly #epoch: bigint;

  private constructor(root: Subtree, keys: Keys, epoch: bigint) {
    this.root = root;
    this.#keys = keys;
    this.#epoch = epoch;
  }

  /** A tree of one leaf, at epoch 0. */
  static of(leaf: LeafNode): RatchetTree {
    const root = new LeafSlot(0 as NodeIndex, leaf, 0n);
    return new RatchetTree(
      root,
      exchangeKeys({ encryption: KeyIndex.EMPTY, signature: KeyIndex.EMPTY }, undefined, root),
      0n,
    );
  }

  /**
   * The tree of a `ratchet_tree` extension (§12.4.3.3), padded with blanks to a full one. Its structure is checked, its
   * contents are not: see `validateTree`. No leaf counts as older than `epoch`. `ERR_MLS_TREE`, and `ERR_MLS_LIMIT` for more
   * than `maxLeaves` leaves.
   */
  static fromWire(nodes: readonly (WireNode | undefined)[], maxLeaves: number, epoch = 0n): RatchetTree {
    if (nodes.length === 0 || nodes.at(-1) === undefined) {
      throw new CoppiceError("ERR_MLS_TREE", "The ratchet tree is empty or ends with a blank", {
        requirement: "R-12.4.3.3-3",
      });
    }
    if (nodes.length % 2 === 0) {
      throw new CoppiceError("ERR_MLS_TREE", "The ratchet tree ends with a parent", { requirement: "R-12.4.3.3-4" });
    }
    const leafCount = math.paddedLeafCount((nodes.length + 1) / 2);
    if (leafCount > maxLeaves) {
      throw new CoppiceError("ERR_MLS_LIMIT", `The ratchet tree has more than ${String(maxLeaves)} leaves`, {
        detail: { leafCount, maxLeaves },
      });
    }
    return RatchetTree.fromNodes(leafCount, (index) => nodes[index], epoch);
  }

  /**
   * A tree of `leafCount` (a power of two) leaves from its nodes; those that do not say since when they stand there do so since
   * `epoch`. `ERR_MLS_TREE` for a node of the wrong kind.
   */
  static fromNodes(leafCount: number, nodeAt: (index: NodeIndex) => NodeSince | undefined, epoch = 0n): RatchetTree {
    const encryptionKeys: Bytes[] = [];
    const signatureKeys: Bytes[] = [];
    const build = (index: NodeIndex): Subtree => {
      const node = nodeAt(index);
      const children = math.children(index);
      const below = children && ([build(children[0]), build(children[1])] as const);
      const built = slotOf({ index, node, since: node?.since ?? epoch }, below);
      if (node?.nodeType === "leaf") {
        encryptionKeys.push(node.leafNode.encryptionKey);
        signatureKeys.push(node.leafNode.signatureKey);
      } else if (node !== undefined) {
        encryptionKeys.push(node.parentNode.encryptionKey);
      }
      return built;
    };
    const root = build(math.root(leafCount));
    const keys = { encryption: KeyIndex.of(encryptionKeys), signature: KeyIndex.of(signatureKeys) };
    return new RatchetTree(root, keys, epoch);
  }

  /**
   * A tree of `leafCount` leaves that has `nodes` at their places, blank where undefined, and is this one at all others. It
   * shares what is the same. `ERR_MLS_TREE` for a node of the wrong kind.
   */
  withNodes(leafCount: number, nodes: ReadonlyMap<number, NodeSince | undefined>): RatchetTree {
    if (nodes.size === 0 && leafCount === this.leafCount) return this;
    let keys = this.#keys;
    const replace = (at: Subtree, changed: readonly number[]): Subtree => {
      if (changed.length === 0) return at;
      const { index } = at;
      const node: NodeSince | undefined = nodes.has(index) ? nodes.get(index) : toWireNode(at);
      const [before, after] = [changed.filter((other) => other < index), changed.filter((other) => other > index)];
      const below = isLeafSlot(at) ? undefined : ([replace(at.left, before), replace(at.right, after)] as const);
      const next = slotOf({ index, node, since: node?.since ?? this.#epoch }, below);
      keys = exchangeKeys(keys, at, next);
      return next;
    };
    const forgetKeys = (at: Subtree): void => {
      if (at.summary.blank) return;
      keys = exchangeKeys(keys, at, undefined);
      if (isLeafSlot(at)) return;
      forgetKeys(at.left);
      forgetKeys(at.right);
    };
    const start = this.#reaching(leafCount);
    const inside = [...nodes.keys()].filter((index) => index < math.nodeCount(start.leafCount));
    let root = replace(start.root, inside);
    for (; !isLeafSlot(root) && root.index > math.root(leafCount); root = root.left) {
      keys = exchangeKeys(keys, root, undefined);
      forgetKeys(root.right);
    }
    return new RatchetTree(root, keys, this.#epoch);
  }

  /** The same tree. Leaves that are put into it, or into what becomes of it, stand there since `epoch`. */
  enter(epoch: bigint): RatchetTree {
    return new RatchetTree(this.root, this.#keys, epoch);
  }

  /** In-order nodes without trailing blanks (R-12.4.3.3-2). */
  toWire(): (WireNode | undefined)[] {
    const nodes = this.slots().map(toWireNode);
    while (nodes.length > 0 && nodes.at(-1) === undefined) nodes.pop();
    return nodes;
  }

  /** All places, filled or blank, in order. */
  slots(): readonly Subtree[] {
    const slots: Subtree[] = [];
    const visit = (at: Subtree): void => {
      if (!isLeafSlot(at)) visit(at.left);
      slots.push(at);
      if (!isLeafSlot(at)) visit(at.right);
    };
    visit(this.root);
    return slots;
  }

  /** Leaves, filled or blank: a power of two. */
  get leafCount(): number {
    return math.leavesBelow(this.root.index);
  }

  get summary(): Summary {
    return this.root.summary;
  }

  get memberCount(): number {
    return this.summary.leafCount;
  }

  /** No two nodes share an encryption key and no two leaves a signature key (R-16.7-1). */
  get keysAreUnique(): boolean {
    return this.#keys.encryption.duplicates === 0 && this.#keys.signature.duplicates === 0;
  }

  hasEncryptionKey(key: Bytes): boolean {
    return this.#keys.encryption.has(key);
  }

  hasSignatureKey(key: Bytes): boolean {
    return this.#keys.signature.has(key);
  }

  /** `index` from a decoder: undefined when out of range or blank. */
  findLeaf(index: number): LeafNode | undefined {
    return Number.isInteger(index) && index >= 0 && index < this.leafCount ? this.leaf(index as LeafIndex) : undefined;
  }

  leaf(index: LeafIndex): LeafNode | undefined {
    const slot = descend(this.root, math.leafToNode(index));
    return isLeafSlot(slot) ? slot.leafNode : undefined;
  }

  /**
   * The epoch in which a member's leaf was last replaced, by an Update, a path or its Add, as far as this client has seen: no
   * earlier than the epoch in which it began to follow the group. Undefined for a blank (R-3.2-2).
   */
  leafSince(index: LeafIndex): bigint | undefined {
    const slot = descend(this.root, math.leafToNode(index));
    return isLeafSlot(slot) && slot.leafNode !== undefined ? slot.since : undefined;
  }

  /** Public key at a node; undefined for a blank. */
  encryptionKey(index: NodeIndex): Bytes | undefined {
    return encryptionKeyAt(descend(this.root, index));
  }

  subtree(index: NodeIndex): Subtree {
    return descend(this.root, index);
  }

  resolution(index: NodeIndex): NodeIndex[] {
    return resolution(this.subtree(index));
  }

  /** Non-blank leaves, by index. */
  *members(): Generator<readonly [LeafIndex, LeafNode]> {
    for (const slot of this.slots()) {
      if (isLeafSlot(slot) && slot.leafNode !== undefined) yield [math.nodeToLeaf(slot.index), slot.leafNode];
    }
  }

  /** Tree hash of the whole tree (§7.8). */
  treeHash(hash: HashKernel): Bytes {
    return treeHash(hash, this.root);
  }

  /** Direct path of a leaf without nodes whose copath child has an empty resolution (§4.1.2), from the leaf up. */
  filteredDirectPath(leaf: LeafIndex): { readonly node: NodeIndex; readonly copathChild: NodeIndex }[] {
    const path: { node: NodeIndex; copathChild: NodeIndex }[] = [];
    const target = math.leafToNode(leaf);
    for (let at = this.root; !isLeafSlot(at); at = target < at.index ? at.left : at.right) {
      const copathChild = target < at.index ? at.right : at.left;
      if (!copathChild.summary.blank) path.push({ node: at.index, copathChild: copathChild.index });
    }
    return path.reverse();
  }

  /** Puts `leaf` (or a blank) at `index` and edits all its ancestors. */
  replacePath(index: LeafIndex, leaf: LeafNode | undefined, editParent: ParentEdit): RatchetTree {
    let keys = this.#keys;
    const target = math.leafToNode(index);
    const replace = (at: Subtree): Subtree => {
      const next = isLeafSlot(at)
        ? new LeafSlot(at.index, leaf, this.#epoch)
        : new ParentSlot(
            at.index,
            editParent(at.parentNode, at.index),
            target < at.index ? replace(at.left) : at.left,
            target < at.index ? at.right : replace(at.right),
          );
      keys = exchangeKeys(keys, at, next);
      return next;
    };
    return new RatchetTree(replace(this.root), keys, this.#epoch);
  }

  /** Applies an Update (§12.1.2): the leaf is replaced, its ancestors become blank. */
  updateLeaf(index: LeafIndex, leaf: LeafNode): RatchetTree {
    return this.replacePath(index, leaf, blankParent);
  }

  /** Applies a Remove (§12.1.3): leaf and ancestors become blank, then the tree is truncated. */
  removeLeaf(index: LeafIndex): RatchetTree {
    return this.replacePath(index, undefined, blankParent).#truncate();
  }

  /**
   * Applies Adds, one after the other (§12.1.1): each takes the leftmost blank leaf, extending the tree if there is none, and
   * is unmerged at every non-blank ancestor. All in one pass.
   */
  addLeaves<T extends { readonly leafNode: LeafNode }>(
    newcomers: readonly T[],
  ): { readonly tree: RatchetTree; readonly placed: readonly (readonly [LeafIndex, T])[] } {
    const placed: (readonly [LeafIndex, T])[] = [];
    let keys = this.#keys;
    const fill = (at: Subtree): Subtree => {
      const next = newcomers[placed.length];
      if (next === undefined || at.summary.leafCount === math.leavesBelow(at.index)) return at;
      if (isLeafSlot(at)) {
        const filled = new LeafSlot(at.index, next.leafNode, this.#epoch);
        placed.push([math.nodeToLeaf(at.index), next]);
        keys = exchangeKeys(keys, at, filled);
        return filled;
      }
      const before = placed.length;
      const [left, right] = [fill(at.left), fill(at.right)];
      const here = placed.slice(before).map(([index]) => index);
      return new ParentSlot(at.index, at.parentNode && withUnmerged(at.parentNode, here), left, right);
    };
    const root = fill(this.#roomFor(newcomers.length).root);
    return { tree: new RatchetTree(root, keys, this.#epoch), placed };
  }

  /** The leftmost blank leaf and the tree that has it, extended if need be (R-12.4.2-7). */
  reserveLeaf(): { readonly tree: RatchetTree; readonly index: LeafIndex } {
    const tree = this.#roomFor(1);
    let at = tree.root;
    while (!isLeafSlot(at)) at = at.left.summary.leafCount < math.leavesBelow(at.left.index) ? at.left : at.right;
    return { tree, index: math.nodeToLeaf(at.index) };
  }

  /** The tree, extended until it has `count` blank leaves. */
  #roomFor(count: number): RatchetTree {
    return this.leafCount - this.summary.leafCount < count ? this.#extend().#roomFor(count) : this;
  }

  /** The tree, extended until it has `leafCount` leaves. */
  #reaching(leafCount: number): RatchetTree {
    return this.leafCount < leafCount ? this.#extend().#reaching(leafCount) : this;
  }

  /** Doubles the tree: a blank root over the old tree and a blank half (§7.7). */
  #extend(): RatchetTree {
    const leafCount = this.leafCount * 2;
    if (leafCount > math.MAX_LEAF_COUNT) {
      throw new CoppiceError("ERR_MLS_LIMIT", `A tree has at most ${String(math.MAX_LEAF_COUNT)} leaves`);
    }
    const index = math.root(leafCount);
    const blank = blankSubtree((index + this.leafCount) as NodeIndex);
    return new RatchetTree(new ParentSlot(index, undefined, this.root, blank), this.#keys, this.#epoch);
  }

  /** While the right half is blank, the left half is the tree (R-7.7-2). */
  #truncate(): RatchetTree {
    let root = this.root;
    let keys = this.#keys;
    while (!isLeafSlot(root) && root.right.summary.blank) {
      keys = exchangeKeys(keys, root, undefined);
      root = root.left;
    }
    return new RatchetTree(root, keys, this.#epoch);
  }
}
