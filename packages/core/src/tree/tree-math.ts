/** Array-based tree arithmetic (RFC 9420 Appendix C): leaf i is node 2i; a tree has 2^d leaves. */

declare const leafIndexBrand: unique symbol;
declare const nodeIndexBrand: unique symbol;

/** Index of a leaf, below the leaf count of its tree. */
export type LeafIndex = number & { readonly [leafIndexBrand]: true };
/** Index of a node, below the node count of its tree. */
export type NodeIndex = number & { readonly [nodeIndexBrand]: true };

/** Trees stay far below 2^30 leaves, so that 32-bit signed operators are exact (T-32). */
export const MAX_LEAF_COUNT: number = 2 ** 24;

const nodeIndex = (value: number): NodeIndex => value as NodeIndex;

/** `RangeError` unless `index` is a leaf of a tree of `leafCount` leaves. */
export function toLeafIndex(index: number, leafCount: number): LeafIndex {
  if (!Number.isInteger(index) || index < 0 || index >= leafCount) {
    throw new RangeError(`Leaf ${String(index)} is outside a tree of ${String(leafCount)} leaves`);
  }
  return index as LeafIndex;
}

/** `RangeError` unless `index` is a node of a tree of `leafCount` leaves. */
export function toNodeIndex(index: number, leafCount: number): NodeIndex {
  if (!Number.isInteger(index) || index < 0 || index >= nodeCount(leafCount)) {
    throw new RangeError(`Node ${String(index)} is outside a tree of ${String(leafCount)} leaves`);
  }
  return nodeIndex(index);
}

/** Nodes of a tree of `leafCount` (a power of two) leaves. */
export const nodeCount = (leafCount: number): number => 2 * leafCount - 1;

export const root = (leafCount: number): NodeIndex => nodeIndex(leafCount - 1);

export const leafToNode = (leaf: LeafIndex): NodeIndex => nodeIndex(2 * leaf);

/** The leaf at an even node index. */
export const nodeToLeaf = (node: NodeIndex): LeafIndex => (node / 2) as LeafIndex;

export const isLeaf = (node: NodeIndex): boolean => (node & 1) === 0;

/** Height above the leaves: the number of trailing one bits. */
export const level = (node: NodeIndex): number => 31 - Math.clz32(~node & (node + 1));

/** Leaves below a node. */
export const leavesBelow = (node: NodeIndex): number => 1 << level(node);

/** Undefined for a leaf. */
export function left(node: NodeIndex): NodeIndex | undefined {
  const height = level(node);
  return height === 0 ? undefined : nodeIndex(node ^ (1 << (height - 1)));
}

/** Undefined for a leaf. */
export function right(node: NodeIndex): NodeIndex | undefined {
  const height = level(node);
  return height === 0 ? undefined : nodeIndex(node ^ (3 << (height - 1)));
}

/** Left and right; undefined for a leaf. */
export function children(node: NodeIndex): readonly [left: NodeIndex, right: NodeIndex] | undefined {
  const half = leavesBelow(node) / 2;
  return half < 1 ? undefined : [nodeIndex(node - half), nodeIndex(node + half)];
}

/** Undefined for the root. */
export function parent(node: NodeIndex, leafCount: number): NodeIndex | undefined {
  if (node === root(leafCount)) return undefined;
  const height = level(node);
  return nodeIndex((node | (1 << height)) & ~(1 << (height + 1)));
}

/** Undefined for the root. */
export function sibling(node: NodeIndex, leafCount: number): NodeIndex | undefined {
  const above = parent(node, leafCount);
  if (above === undefined) return undefined;
  return node < above ? right(above) : left(above);
}

/** Parents from `node` (excluded) to the root (R-4.1.2-1). */
export function directPath(node: NodeIndex, leafCount: number): NodeIndex[] {
  const path: NodeIndex[] = [];
  for (let at = parent(node, leafCount); at !== undefined; at = parent(at, leafCount)) path.push(at);
  return path;
}

/** Sibling of `node`, then of each node of its direct path but the root (R-4.1.2-2). */
export function copath(node: NodeIndex, leafCount: number): NodeIndex[] {
  const path: NodeIndex[] = [];
  for (let at: NodeIndex | undefined = node; at !== undefined; at = parent(at, leafCount)) {
    const other = sibling(at, leafCount);
    if (other !== undefined) path.push(other);
  }
  return path;
}

/** Whether `node` is `ancestor` or below it. */
export function isBelow(node: NodeIndex, ancestor: NodeIndex): boolean {
  return Math.abs(node - ancestor) < leavesBelow(ancestor);
}

/** Lowest node that has both at or below it. */
export function commonAncestor(a: NodeIndex, b: NodeIndex, leafCount: number): NodeIndex {
  for (let at: NodeIndex | undefined = a; at !== undefined; at = parent(at, leafCount)) if (isBelow(b, at)) return at;
  throw new RangeError(`Nodes ${String(a)} and ${String(b)} are not in one tree of ${String(leafCount)} leaves`);
}

/** Smallest power of two that is at least `count`. */
export function paddedLeafCount(count: number): number {
  let size = 1;
  while (size < count) size *= 2;
  return size;
}
