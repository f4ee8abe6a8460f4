/** Update paths (RFC 9420 §7.6). */
import type { Bytes } from "../codec/bytes.ts";
import { type Codec, opaque, struct, vector } from "../codec/codec.ts";
import { type HpkeCiphertext, hpkeCiphertext } from "../crypto/hpke.ts";
import { type LeafNode, leafNode } from "./leaf-node.ts";

/** `struct { HPKEPublicKey encryption_key; HPKECiphertext encrypted_path_secret<V>; } UpdatePathNode;` */
export interface UpdatePathNode {
  readonly encryptionKey: Bytes;
  /** One per node of the copath child's resolution, without leaves added in the same Commit; may be none (T-5). */
  readonly encryptedPathSecret: readonly HpkeCiphertext[];
}

/** `struct { LeafNode leaf_node; UpdatePathNode nodes<V>; } UpdatePath;` */
export interface UpdatePath {
  readonly leafNode: LeafNode;
  /** One per node of the filtered direct path, from the leaf up. */
  readonly nodes: readonly UpdatePathNode[];
}

export const updatePath: Codec<UpdatePath> = struct({
  leafNode,
  nodes: vector(struct({ encryptionKey: opaque, encryptedPathSecret: vector(hpkeCiphertext) })),
});
