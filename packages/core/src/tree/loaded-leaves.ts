/** The leaves of a ratchet tree of which not everything is loaded: enough to know who sent a message. */
import { notLoaded } from "../result.ts";
import type { LeafNode } from "./leaf-node.ts";

/** Leaves by index, as far as they are known. */
export interface KnownLeaves {
  /** Leaves, filled or blank: a power of two. */
  readonly leafCount: number;
  /** `index` from a decoder: undefined when out of range or blank. `ERR_MLS_NOT_LOADED` if that is not known. */
  findLeaf(index: number): LeafNode | undefined;
}

/** Leaves by index: a ratchet tree, or those of one that were loaded. */
export interface Leaves extends KnownLeaves {
  /** Leaves that are not blank. */
  readonly memberCount: number;
}

/** The leaves that were loaded, blank ones among them. A value: loading more makes another. */
export class LoadedLeaves implements Leaves {
  readonly leafCount: number;
  readonly memberCount: number;
  readonly #leaves: ReadonlyMap<number, LeafNode | undefined>;

  constructor(leafCount: number, memberCount: number, leaves: ReadonlyMap<number, LeafNode | undefined> = new Map()) {
    this.leafCount = leafCount;
    this.memberCount = memberCount;
    this.#leaves = leaves;
  }

  findLeaf(index: number): LeafNode | undefined {
    if (!this.isLoaded(index)) throw notLoaded({ leafIndex: index });
    return index < this.leafCount ? this.#leaves.get(index) : undefined;
  }

  /** Whether `findLeaf` has an answer. */
  isLoaded(index: number): boolean {
    return index >= this.leafCount || this.#leaves.has(index);
  }

  /** These, with `leaves` in their places. */
  with(leafCount: number, memberCount: number, leaves: ReadonlyMap<number, LeafNode | undefined>): LoadedLeaves {
    if (leaves.size === 0 && leafCount === this.leafCount && memberCount === this.memberCount) return this;
    const kept = [...this.#leaves].filter(([index]) => index < leafCount);
    return new LoadedLeaves(leafCount, memberCount, new Map([...kept, ...leaves]));
  }
}
