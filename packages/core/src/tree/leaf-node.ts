/** Leaf nodes (RFC 9420 §7.2): wire type, signing, signature check. */

import { type Bytes, EMPTY } from "../codec/bytes.ts";
import { type Codec, type Given, closedEnum, copyOf, uint8 } from "../codec/codec.ts";
import type { Writer } from "../codec/writer.ts";
import { type Credential, credential } from "../identity/credential.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { signWithLabel, verifyWithLabel } from "../crypto/labels.ts";
import type { Signer } from "../crypto/signature.ts";
import { type Extension, extensions } from "../extensions/extension.ts";
import { type Capabilities, capabilities } from "../extensions/capabilities.ts";
import type { LeafIndex } from "./tree-math.ts";

/** Seconds since 1970, both bounds inclusive (R-7.2-8). */
export interface Lifetime {
  readonly notBefore: bigint;
  readonly notAfter: bigint;
}

/** How a leaf came to be. */
export type LeafNodeSource =
  | { readonly leafNodeSource: "key_package"; readonly lifetime: Lifetime }
  | { readonly leafNodeSource: "update" }
  | { readonly leafNodeSource: "commit"; readonly parentHash: Bytes };

/** The fields before the source. */
export interface LeafNodeContent {
  readonly encryptionKey: Bytes;
  readonly signatureKey: Bytes;
  readonly credential: Credential;
  readonly capabilities: Capabilities;
}

/**
 * ```tls
 * struct {
 *   HPKEPublicKey encryption_key; SignaturePublicKey signature_key; Credential credential; Capabilities capabilities;
 *   LeafNodeSource leaf_node_source;
 *   select (LeafNode.leaf_node_source) {
 *     case key_package: Lifetime lifetime;
 *     case update:      struct{};
 *     case commit:      opaque parent_hash<V>;
 *   };
 *   Extension extensions<V>;
 *   opaque signature<V>;
 * } LeafNode;
 * ```
 */
export interface LeafNode extends LeafNodeContent {
  readonly source: LeafNodeSource;
  readonly extensions: readonly Extension[];
  readonly signature: Bytes;
}

/** A leaf before it is signed. */
export type UnsignedLeafNode = Omit<LeafNode, "signature">;

// The codecs of what every member has are written out: a struct that goes by names takes three times as long.

const sourceType = closedEnum(uint8, { key_package: 1, update: 2, commit: 3 });

const source: Codec<LeafNodeSource> = {
  encode: (writer, value) => {
    sourceType.encode(writer, value.leafNodeSource);
    if (value.leafNodeSource === "key_package") {
      writer.uint64(value.lifetime.notBefore);
      writer.uint64(value.lifetime.notAfter);
    }
    if (value.leafNodeSource === "commit") writer.opaque(value.parentHash);
  },
  decode: (reader) => {
    const leafNodeSource = sourceType.decode(reader);
    switch (leafNodeSource) {
      case "key_package":
        return { leafNodeSource, lifetime: { notBefore: reader.uint64(), notAfter: reader.uint64() } };
      case "update":
        return { leafNodeSource };
      case "commit":
        return { leafNodeSource, parentHash: reader.opaque() };
    }
  },
};

function writeUnsigned(writer: Writer, leaf: UnsignedLeafNode): void {
  writer.opaque(leaf.encryptionKey);
  writer.opaque(leaf.signatureKey);
  credential.encode(writer, leaf.credential);
  capabilities.encode(writer, leaf.capabilities);
  source.encode(writer, leaf.source);
  extensions.encode(writer, leaf.extensions);
}

export const leafNode: Codec<LeafNode> = {
  encode: (writer, leaf) => {
    writeUnsigned(writer, leaf);
    writer.opaque(leaf.signature);
  },
  decode: (reader) => ({
    encryptionKey: reader.opaque(),
    signatureKey: reader.opaque(),
    credential: credential.decode(reader),
    capabilities: capabilities.decode(reader),
    source: source.decode(reader),
    extensions: extensions.decode(reader),
    signature: reader.opaque(),
  }),
};

/** Where an `update` or `commit` leaf stands: signed along with it. */
export interface LeafNodePlace {
  readonly groupId: Bytes;
  readonly leafIndex: LeafIndex;
}

/** `LeafNodeTBS`: the place follows for sources `update` and `commit` only (R-7.2-3). */
function leafNodeTbs(leaf: UnsignedLeafNode, place: LeafNodePlace | undefined): (writer: Writer) => void {
  return (writer) => {
    writeUnsigned(writer, leaf);
    if (leaf.source.leafNodeSource === "key_package") return;
    if (place === undefined) throw new TypeError("A leaf of this source is signed with its group and index");
    writer.opaque(place.groupId);
    writer.uint(place.leafIndex, 4);
  };
}

/** A signed copy: what a caller does to its buffers later changes nothing. */
export async function signLeafNode(
  given: Given<UnsignedLeafNode>,
  signer: Signer,
  place?: LeafNodePlace,
): Promise<LeafNode> {
  const leaf = copyOf(leafNode, { ...given, signature: EMPTY });
  return { ...leaf, signature: await signWithLabel(signer, "LeafNodeTBS", leafNodeTbs(leaf, place)) };
}

/** `ERR_MLS_SIGNATURE` unless the leaf is signed by its own signature key (R-7.3-3). */
export function verifyLeafNodeSignature(suite: CipherSuite, leaf: LeafNode, place?: LeafNodePlace): Promise<void> {
  const content = leafNodeTbs(leaf, place);
  const { signatureKey: publicKey, signature } = leaf;
  return verifyWithLabel(suite, { publicKey, label: "LeafNodeTBS", content, signature }, "R-7.3-3");
}
