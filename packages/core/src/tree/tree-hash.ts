/** Tree hashes (RFC 9420 §7.8): each is computed once and stays with its node, which later versions of the tree share. */
import type { HashKernel } from "@coppice/wasm";
import type { Bytes } from "../codec/bytes.ts";
import { type Codec, closedEnum, encodeFor, opaque, optional, struct, uint32, uint8 } from "../codec/codec.ts";
import { Writer } from "../codec/writer.ts";
import { type LeafNode, leafNode } from "./leaf-node.ts";
import { type ParentNode, parentNode } from "./parent-node.ts";
import { type Subtree, isLeafSlot } from "./subtree.ts";
import { type LeafIndex, level } from "./tree-math.ts";

type NodeType = "leaf" | "parent";
const nodeType: Codec<NodeType> = closedEnum(uint8, { leaf: 1, parent: 2 });

/**
 * ```tls
 * struct {
 *   NodeType node_type;
 *   select (TreeHashInput.node_type) {
 *     case leaf:   LeafNodeHashInput{ uint32 leaf_index; optional<LeafNode> leaf_node; };
 *     case parent: ParentNodeHashInput{ optional<ParentNode> parent_node; opaque left_hash<V>; opaque right_hash<V>; };
 *   };
 * } TreeHashInput;
 * ```
 */
const leafHashInput = struct<{ nodeType: NodeType; leafIndex: number; leafNode: LeafNode | undefined }>({
  nodeType,
  leafIndex: uint32,
  leafNode: optional(leafNode),
});

const parentHashInput = struct<{
  nodeType: NodeType;
  parentNode: ParentNode | undefined;
  leftHash: Bytes;
  rightHash: Bytes;
}>({ nodeType, parentNode: optional(parentNode), leftHash: opaque, rightHash: opaque });

function writeInput(writer: Writer, hash: HashKernel, slot: Subtree): void {
  if (isLeafSlot(slot)) {
    leafHashInput.encode(writer, { nodeType: "leaf", leafIndex: slot.index / 2, leafNode: slot.leafNode });
    return;
  }
  const leftHash = treeHash(hash, slot.left);
  const rightHash = treeHash(hash, slot.right);
  parentHashInput.encode(writer, { nodeType: "parent", parentNode: slot.parentNode, leftHash, rightHash });
}

/** Tree hash of a leaf, for those who have no more of the tree. */
export const leafTreeHash = (hash: HashKernel, leafIndex: LeafIndex, leaf: LeafNode | undefined): Bytes =>
  encodeFor(leafHashInput, { nodeType: "leaf", leafIndex, leafNode: leaf }, (input) => hash.digest(input));

/** Tree hash of a parent over those of its children, for those who have no more of the tree. */
export const parentTreeHash = (
  hash: HashKernel,
  parent: ParentNode | undefined,
  { leftHash, rightHash }: { readonly leftHash: Bytes; readonly rightHash: Bytes },
): Bytes =>
  encodeFor(parentHashInput, { nodeType: "parent", parentNode: parent, leftHash, rightHash }, (input) =>
    hash.digest(input),
  );

/** Inputs that are encoded side by side before the kernel is called. */
const BATCH = 64;

/** Tree hash of a subtree. Nodes without one are hashed level by level, many in one call of the kernel. */
export function treeHash(hash: HashKernel, subtree: Subtree): Bytes {
  if (subtree.treeHash !== undefined) return subtree.treeHash;
  const levels = Array.from({ length: level(subtree.index) + 1 }, (): Subtree[] => []);
  collectUnhashed(subtree, levels);
  for (const slots of levels) {
    const [slot] = slots;
    // After a Commit, all nodes without a hash are on one path.
    if (slot !== undefined && slots.length === 1) hashOne(hash, slot);
    else for (let at = 0; at < slots.length; at += BATCH) hashBatch(hash, slots.slice(at, at + BATCH));
  }
  return treeHash(hash, subtree);
}

function collectUnhashed(subtree: Subtree, levels: Subtree[][]): void {
  if (subtree.treeHash !== undefined) return;
  if (!isLeafSlot(subtree)) {
    collectUnhashed(subtree.left, levels);
    collectUnhashed(subtree.right, levels);
  }
  levels[level(subtree.index)]?.push(subtree);
}

/** Hashes a node, those below being done. */
function hashOne(hash: HashKernel, slot: Subtree): void {
  const writer = new Writer();
  writeInput(writer, hash, slot);
  writer.lend((input) => {
    slot.treeHash = hash.digest(input);
  });
}

/** Hashes nodes of one level, those below being done. */
function hashBatch(hash: HashKernel, slots: readonly Subtree[]): void {
  const writer = new Writer();
  const ends = slots.map((slot) => {
    writeInput(writer, hash, slot);
    return writer.length;
  });
  writer.lend((inputs) => {
    const hashes = hash.digestMany(ends.map((end, i) => inputs.subarray(ends[i - 1] ?? 0, end)));
    for (const [i, slot] of slots.entries()) slot.treeHash = hashes[i];
  });
}
