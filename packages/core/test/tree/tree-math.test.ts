/** Tree arithmetic (RFC 9420 Appendix C). */
import { describe, expect, test } from "vitest";
import type { LeafIndex, NodeIndex } from "../../src/tree/tree-math.ts";
import * as math from "../../src/tree/tree-math.ts";

const nodes = (leafCount: number): NodeIndex[] =>
  Array.from({ length: math.nodeCount(leafCount) }, (_, i) => math.toNodeIndex(i, leafCount));

describe.each([1, 2, 4, 8, 64])("a tree of %i leaves (R-4.1-1, R-C-1, R-C-2)", (leafCount) => {
  const { left, right, parent, sibling, root, level } = math;

  test("parents and children belong together; the root has neither parent nor sibling, leaves have no children", () => {
    for (const node of nodes(leafCount)) {
      const below = [left(node), right(node)];
      expect(below.every((child) => (child === undefined) === math.isLeaf(node))).toBe(true);
      for (const child of below) if (child !== undefined) expect(parent(child, leafCount)).toBe(node);
      expect(parent(node, leafCount) === undefined).toBe(node === root(leafCount));
      expect(sibling(node, leafCount) === undefined).toBe(node === root(leafCount));
      if (!math.isLeaf(node)) expect(level(left(node) ?? node)).toBe(level(node) - 1);
    }
  });

  test("direct path and copath end below the root (R-4.1.2-1, R-4.1.2-2)", () => {
    for (const node of nodes(leafCount)) {
      const path = math.directPath(node, leafCount);
      const expected = node === root(leafCount) ? [] : [root(leafCount)];
      expect(path.slice(-1)).toEqual(expected);
      const copath = math.copath(node, leafCount);
      expect(copath).toHaveLength(path.length);
      for (const [i, at] of path.entries()) {
        const child = i === 0 ? node : path[i - 1];
        expect([left(at), right(at)].sort()).toEqual([child, copath[i]].sort());
      }
    }
  });

  test("the common ancestor by shifting is that by intersection (R-C-3)", () => {
    const withSelf = (node: NodeIndex): NodeIndex[] => [node, ...math.directPath(node, leafCount)];
    const all = nodes(leafCount).filter((node) => node % 3 === 0);
    for (const a of all) {
      for (const b of all) {
        const others = new Set(withSelf(b));
        expect(math.commonAncestor(a, b, leafCount)).toBe(withSelf(a).find((node) => others.has(node)));
      }
    }
  });

  test("what is below a node", () => {
    for (const ancestor of nodes(leafCount)) {
      const below = nodes(leafCount).filter((node) => math.isBelow(node, ancestor));
      expect(below).toEqual(
        nodes(leafCount).filter((node) => node === ancestor || math.directPath(node, leafCount).includes(ancestor)),
      );
      expect(below.filter(math.isLeaf)).toHaveLength(math.leavesBelow(ancestor));
    }
  });
});

test("indices outside a tree are refused (R-C-1)", () => {
  for (const index of [-1, 4, 0.5, 2 ** 32, Number.NaN]) expect(() => math.toLeafIndex(index, 4)).toThrow(RangeError);
  for (const index of [-1, 7, 0.5, 2 ** 32]) expect(() => math.toNodeIndex(index, 4)).toThrow(RangeError);
  expect(math.toLeafIndex(3, 4)).toBe(3);
  expect(() => math.commonAncestor(0 as NodeIndex, 100 as NodeIndex, 4)).toThrow(RangeError);
});

test("the largest trees stay exact in 32-bit arithmetic (T-32)", () => {
  const leafCount = math.MAX_LEAF_COUNT;
  const last = math.leafToNode((leafCount - 1) as LeafIndex);
  expect(math.level(math.root(leafCount))).toBe(24);
  expect(math.directPath(last, leafCount)).toHaveLength(24);
  expect(math.directPath(last, leafCount).at(-1)).toBe(math.root(leafCount));
  expect(math.leavesBelow(math.root(leafCount))).toBe(leafCount);
});

test("trees are padded to a power of two", () => {
  expect([1, 2, 3, 4, 5, 8, 9].map(math.paddedLeafCount)).toEqual([1, 2, 4, 4, 8, 8, 16]);
});
