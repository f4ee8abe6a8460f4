/** Parent nodes (RFC 9420 §7.1) and the node type of the ratchet tree extension (§12.4.3.3). */
import type { Bytes } from "../codec/bytes.ts";
import { type Codec, closedEnum, map, uint32, uint8, vector } from "../codec/codec.ts";
import { CoppiceError } from "../errors.ts";
import { type LeafNode, leafNode } from "./leaf-node.ts";

/**
 * ```tls
 * struct { HPKEPublicKey encryption_key; opaque parent_hash<V>; uint32 unmerged_leaves<V>; } ParentNode;
 * ```
 */
export interface ParentNode {
  readonly encryptionKey: Bytes;
  readonly parentHash: Bytes;
  /** Leaf indices, strictly increasing (R-7.1-2). */
  readonly unmergedLeaves: readonly number[];
}

function increasing(leaves: readonly number[]): readonly number[] {
  for (let i = 1; i < leaves.length; i++) {
    if ((leaves[i - 1] ?? 0) >= (leaves[i] ?? 0)) {
      throw new CoppiceError("ERR_MLS_TREE", "Unmerged leaves are not strictly increasing", { requirement: "R-7.1-2" });
    }
  }
  return leaves;
}

const unmergedLeaves: Codec<readonly number[]> = map(vector(uint32), increasing, (leaves) => leaves);

export const parentNode: Codec<ParentNode> = {
  encode: (writer, parent) => {
    writer.opaque(parent.encryptionKey);
    writer.opaque(parent.parentHash);
    unmergedLeaves.encode(writer, parent.unmergedLeaves);
  },
  decode: (reader) => ({
    encryptionKey: reader.opaque(),
    parentHash: reader.opaque(),
    unmergedLeaves: unmergedLeaves.decode(reader),
  }),
};

const nodeType = closedEnum(uint8, { leaf: 1, parent: 2 });

/** A node on the wire. */
export type WireNode =
  | { readonly nodeType: "leaf"; readonly leafNode: LeafNode }
  | { readonly nodeType: "parent"; readonly parentNode: ParentNode };

/**
 * ```tls
 * struct {
 *   NodeType node_type;
 *   select (Node.node_type) { case leaf: LeafNode leaf_node; case parent: ParentNode parent_node; };
 * } Node;
 * ```
 */
export const wireNode: Codec<WireNode> = {
  encode: (writer, node) => {
    nodeType.encode(writer, node.nodeType);
    if (node.nodeType === "leaf") leafNode.encode(writer, node.leafNode);
    else parentNode.encode(writer, node.parentNode);
  },
  decode: (reader) =>
    nodeType.decode(reader) === "leaf"
      ? { nodeType: "leaf", leafNode: leafNode.decode(reader) }
      : { nodeType: "parent", parentNode: parentNode.decode(reader) },
};
