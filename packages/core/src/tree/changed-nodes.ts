/** The difference between two versions of a ratchet tree, at the cost of what changed: shared subtrees are not visited. */
import type { RatchetTree } from "./ratchet-tree.ts";
import { type Subtree, isLeafSlot } from "./subtree.ts";
import { type NodeIndex, children, root } from "./tree-math.ts";

/** Places at which `after` has another node than `before`, with what stands there: undefined where the tree ends before. */
export function changedNodes(
  before: RatchetTree | undefined,
  after: RatchetTree,
): (readonly [NodeIndex, Subtree | undefined])[] {
  const found: (readonly [NodeIndex, Subtree | undefined])[] = [];
  const compare = (index: NodeIndex, old: Subtree | undefined, now: Subtree | undefined): void => {
    if (old === now || (old?.summary.blank !== false && now?.summary.blank !== false)) return;
    const [was, is] = [old?.index === index ? old : undefined, now?.index === index ? now : undefined];
    if (contentOf(was) !== contentOf(is)) found.push([index, is]);
    const below = children(index);
    if (below === undefined) return;
    compare(below[0], childOf(old, index, "left"), childOf(now, index, "left"));
    compare(below[1], childOf(old, index, "right"), childOf(now, index, "right"));
  };
  compare(root(Math.max(before?.leafCount ?? 1, after.leafCount)), before?.root, after.root);
  return found;
}

const contentOf = (slot: Subtree | undefined): object | undefined =>
  slot && (isLeafSlot(slot) ? slot.leafNode : slot.parentNode);

/** The child at a side of `index`. A tree that ends below `index` is its left child, since trees grow to the right. */
function childOf(slot: Subtree | undefined, index: NodeIndex, side: "left" | "right"): Subtree | undefined {
  if (slot === undefined || slot.index !== index) return side === "left" ? slot : undefined;
  return isLeafSlot(slot) ? undefined : slot[side];
}
