/**
 * Which public keys a tree holds (R-16.7-1): a persistent multiset, so that versions of a tree share it and uniqueness
 * needs no scan. A crit-bit trie: every inner node names the first bit in which its two sides differ.
 */

import { type Bytes, equalBytes } from "../codec/bytes.ts";

type Node = Entry | Inner;

interface Entry {
  readonly key: Bytes;
  readonly count: number;
}

interface Inner {
  readonly bit: number;
  readonly zero: Node;
  readonly one: Node;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const isInner = (node: Node): node is Inner => "bit" in node;

/** Bits of the length (16) come before those of the key, so that no key is a prefix of another. */
function bitAt(key: Bytes, bit: number): number {
  if (bit < 16) return (key.length >>> (15 - bit)) & 1;
  return ((key[(bit - 16) >>> 3] ?? 0) >>> (7 - (bit & 7))) & 1;
}

/** First bit in which two different keys differ. */
function firstDifference(a: Bytes, b: Bytes): number {
  if (a.length !== b.length) return Math.clz32(a.length ^ b.length) - 16;
  let i = 0;
  while (a[i] === b[i]) i++;
  return 16 + 8 * i + Math.clz32((a[i] ?? 0) ^ (b[i] ?? 0)) - 24;
}

/** The only entry that may equal `key`. */
function nearest(node: Node, key: Bytes): Entry {
  let at = node;
  while (isInner(at)) at = bitAt(key, at.bit) === 0 ? at.zero : at.one;
  return at;
}

/** Copies the path to the entry of `key`, which exists, with another count; 0 takes it out. */
function recount(node: Node, key: Bytes, count: number): Node | undefined {
  if (!isInner(node)) return count === 0 ? undefined : { key: node.key, count };
  const { bit, zero, one } = node;
  if (bitAt(key, bit) === 0) {
    const changed = recount(zero, key, count);
    return changed === undefined ? one : { bit, zero: changed, one };
  }
  const changed = recount(one, key, count);
  return changed === undefined ? zero : { bit, zero, one: changed };
}

function insert(node: Node, entry: Entry, bit: number): Node {
  if (isInner(node) && node.bit < bit) {
    const { bit: at, zero, one } = node;
    return bitAt(entry.key, at) === 0
      ? { bit: at, zero: insert(zero, entry, bit), one }
      : { bit: at, zero, one: insert(one, entry, bit) };
  }
  return bitAt(entry.key, bit) === 0 ? { bit, zero: entry, one: node } : { bit, zero: node, one: entry };
}

/** Changes the nodes that it made itself. */
class Builder {
  root: Node | undefined;
  duplicates = 0;

  add(key: Bytes): void {
    if (this.root === undefined) {
      this.root = { key, count: 1 };
      return;
    }
    const closest: Mutable<Entry> = nearest(this.root, key);
    if (equalBytes(closest.key, key)) {
      closest.count++;
      if (closest.count === 2) this.duplicates++;
      return;
    }
    const bit = firstDifference(closest.key, key);
    let above: Mutable<Inner> | undefined;
    let at = this.root;
    while (isInner(at) && at.bit < bit) {
      above = at;
      at = bitAt(key, at.bit) === 0 ? at.zero : at.one;
    }
    const inner = insert(at, { key, count: 1 }, bit);
    if (above === undefined) this.root = inner;
    else if (bitAt(key, above.bit) === 0) above.zero = inner;
    else above.one = inner;
  }
}

export class KeyIndex {
  static readonly EMPTY: KeyIndex = new KeyIndex(undefined, 0);

  /** The index of all keys of a tree: built in place, since nothing shares it yet. */
  static of(keys: Iterable<Bytes>): KeyIndex {
    const builder = new Builder();
    for (const key of keys) builder.add(key);
    return new KeyIndex(builder.root, builder.duplicates);
  }

  readonly #root: Node | undefined;
  /** How many keys are in more than once. */
  readonly duplicates: number;

  private constructor(root: Node | undefined, duplicates: number) {
    this.#root = root;
    this.duplicates = duplicates;
  }

  has(key: Bytes): boolean {
    return this.#root !== undefined && equalBytes(nearest(this.#root, key).key, key);
  }

  add(key: Bytes): KeyIndex {
    if (this.#root === undefined) return new KeyIndex({ key, count: 1 }, 0);
    const { key: closest, count } = nearest(this.#root, key);
    return equalBytes(closest, key)
      ? new KeyIndex(recount(this.#root, key, count + 1), this.duplicates + (count === 1 ? 1 : 0))
      : new KeyIndex(insert(this.#root, { key, count: 1 }, firstDifference(closest, key)), this.duplicates);
  }

  /** Takes out one occurrence; no change if there is none. */
  remove(key: Bytes): KeyIndex {
    if (this.#root === undefined) return this;
    const { key: closest, count } = nearest(this.#root, key);
    if (!equalBytes(closest, key)) return this;
    return new KeyIndex(recount(this.#root, key, count - 1), this.duplicates - (count === 2 ? 1 : 0));
  }
}
