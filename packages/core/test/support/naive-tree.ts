/**
 * The ratchet tree as an array of nodes, literally as RFC 9420 has it (§4.1, §7.7 to §7.9, Appendix C): slow, without sharing
 * or caching, and independent of the tree under test.
 */
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, EMPTY, toHex } from "../../src/codec/bytes.ts";
import { encode, opaque, uint32 } from "../../src/codec/codec.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import type { LeafNode } from "../../src/tree/leaf-node.ts";
import { leafNode } from "../../src/tree/leaf-node.ts";
import type { ParentNode, WireNode } from "../../src/tree/parent-node.ts";
import { parentNode } from "../../src/tree/parent-node.ts";

type Slot = LeafNode | ParentNode | undefined;

const isParent = (slot: Slot): slot is ParentNode => slot !== undefined && "unmergedLeaves" in slot;
const isLeaf = (slot: Slot): slot is LeafNode => slot !== undefined && "capabilities" in slot;

/** Appendix C, as printed there. */
function level(x: number): number {
  if ((x & 1) === 0) return 0;
  let k = 0;
  while (((x >> k) & 1) === 1) k++;
  return k;
}
const left = (x: number): number => x ^ (1 << (level(x) - 1));
const right = (x: number): number => x ^ (3 << (level(x) - 1));
const parent = (x: number): number => {
  const k = level(x);
  const b = (x >> (k + 1)) & 1;
  return (x | (1 << k)) ^ (b << (k + 1));
};

export class NaiveTree {
  /** 2^(d+1) - 1 nodes. */
  nodes: Slot[];

  constructor(nodes: Slot[]) {
    this.nodes = nodes;
  }

  static of(leaf: LeafNode): NaiveTree {
    return new NaiveTree([leaf]);
  }

  copy(): NaiveTree {
    return new NaiveTree([...this.nodes]);
  }

  get leafCount(): number {
    return (this.nodes.length + 1) / 2;
  }

  get root(): number {
    return this.leafCount - 1;
  }

  directPath(x: number): number[] {
    const path: number[] = [];
    for (let at = x; at !== this.root;) {
      at = parent(at);
      path.push(at);
    }
    return path;
  }

  copath(x: number): number[] {
    return [x, ...this.directPath(x).slice(0, -1)].filter((at) => at !== this.root).map((at) => this.sibling(at));
  }

  sibling(x: number): number {
    const above = parent(x);
    return x === left(above) ? right(above) : left(above);
  }

  /** §4.1.1 */
  resolution(x: number): number[] {
    const slot = this.nodes[x];
    if (isParent(slot)) return [x, ...slot.unmergedLeaves.map((leaf) => 2 * leaf)];
    if (isLeaf(slot)) return [x];
    return level(x) === 0 ? [] : [...this.resolution(left(x)), ...this.resolution(right(x))];
  }

  /** §4.1.2 */
  filteredDirectPath(leaf: number): { node: number; copathChild: number }[] {
    const copath = this.copath(2 * leaf);
    return this.directPath(2 * leaf)
      .map((node, i) => ({ node, copathChild: copath[i] ?? -1 }))
      .filter(({ copathChild }) => this.resolution(copathChild).length > 0);
  }

  /** §7.8 */
  treeHash(suite: CipherSuite, x: number = this.root): Bytes {
    const slot = this.nodes[x];
    const presence = Uint8Array.of(slot === undefined ? 0 : 1);
    if (level(x) === 0) {
      const body = isLeaf(slot) ? encode(leafNode, slot) : EMPTY;
      return suite.hash.digest(concat(Uint8Array.of(1), encode(uint32, x / 2), presence, body));
    }
    const body = isParent(slot) ? encode(parentNode, slot) : EMPTY;
    const [leftHash, rightHash] = [this.treeHash(suite, left(x)), this.treeHash(suite, right(x))];
    return suite.hash.digest(
      concat(Uint8Array.of(2), presence, body, encode(opaque, leftHash), encode(opaque, rightHash)),
    );
  }

  /** §7.9: the parent hash of the parent at `x` with the copath child `sibling`. */
  parentHash(suite: CipherSuite, x: number, sibling: number): Bytes {
    const slot = this.nodes[x];
    if (!isParent(slot)) throw new RangeError("a blank has no parent hash");
    const original = this.copy();
    for (const leaf of slot.unmergedLeaves) original.nodes[2 * leaf] = undefined;
    original.nodes = original.nodes.map((at) =>
      isParent(at)
        ? { ...at, unmergedLeaves: at.unmergedLeaves.filter((leaf) => !slot.unmergedLeaves.includes(leaf)) }
        : at,
    );
    return suite.hash.digest(
      concat(
        encode(opaque, slot.encryptionKey),
        encode(opaque, slot.parentHash),
        encode(opaque, original.treeHash(suite, sibling)),
      ),
    );
  }

  /** §7.9.2: every non-blank parent is covered from one of its sides. */
  parentHashesAreValid(suite: CipherSuite): boolean {
    return this.nodes.every((slot, x) => {
      if (!isParent(slot)) return true;
      return [left(x), right(x)].some((child) => {
        const sibling = child === left(x) ? right(x) : left(x);
        const expected = toHex(this.parentHash(suite, x, sibling));
        const unmergedHere = slot.unmergedLeaves.map((leaf) => 2 * leaf).filter((at) => this.isBelow(at, child));
        return this.resolution(child).some((d) => {
          const rest = this.resolution(child).filter((at) => at !== d);
          const same = rest.length === unmergedHere.length && rest.every((at) => unmergedHere.includes(at));
          const carried = this.carried(d);
          return same && carried !== undefined && toHex(carried) === expected;
        });
      });
    });
  }

  private carried(x: number): Bytes | undefined {
    const slot = this.nodes[x];
    if (isParent(slot)) return slot.parentHash;
    return isLeaf(slot) && slot.source.leafNodeSource === "commit" ? slot.source.parentHash : undefined;
  }

  isBelow(x: number, ancestor: number): boolean {
    return x === ancestor || (x !== this.root && this.directPath(x).includes(ancestor));
  }

  /** §12.1.1 */
  add(leaf: LeafNode): number {
    let index = Array.from({ length: this.leafCount }, (_, i) => i).find((i) => this.nodes[2 * i] === undefined);
    if (index === undefined) {
      index = this.leafCount;
      this.nodes = [...this.nodes, ...Array.from<undefined>({ length: this.nodes.length + 1 })];
    }
    this.nodes[2 * index] = leaf;
    for (const x of this.directPath(2 * index)) {
      const slot = this.nodes[x];
      if (!isParent(slot)) continue;
      const unmergedLeaves = [...slot.unmergedLeaves, index].sort((a, b) => a - b);
      this.nodes[x] = { ...slot, unmergedLeaves };
    }
    return index;
  }

  /** §12.1.2 */
  update(index: number, leaf: LeafNode): void {
    this.nodes[2 * index] = leaf;
    for (const x of this.directPath(2 * index)) this.nodes[x] = undefined;
  }

  /** §12.1.3 */
  remove(index: number): void {
    this.nodes[2 * index] = undefined;
    for (const x of this.directPath(2 * index)) this.nodes[x] = undefined;
    while (this.leafCount > 1 && this.nodes.slice(this.root + 1).every((slot) => slot === undefined)) {
      this.nodes = this.nodes.slice(0, this.root);
    }
  }

  /** §7.5: new keys on the filtered direct path, parent hashes from the top down; the other ancestors become blank. */
  setPath(suite: CipherSuite, index: number, keys: readonly Bytes[], leaf: (parentHash: Bytes) => LeafNode): void {
    const filtered = this.filteredDirectPath(index);
    for (const x of this.directPath(2 * index)) this.nodes[x] = undefined;
    let above: Bytes = EMPTY;
    for (const [i, { node, copathChild }] of [...filtered.entries()].reverse()) {
      this.nodes[node] = { encryptionKey: keys[i] ?? EMPTY, parentHash: above, unmergedLeaves: [] };
      above = this.parentHash(suite, node, copathChild);
    }
    this.nodes[2 * index] = leaf(above);
  }

  toWire(): (WireNode | undefined)[] {
    const wire = this.nodes.map((slot): WireNode | undefined => {
      if (isLeaf(slot)) return { nodeType: "leaf", leafNode: slot };
      return slot && { nodeType: "parent", parentNode: slot };
    });
    return wire.slice(0, wire.findLastIndex((node) => node !== undefined) + 1);
  }
}
