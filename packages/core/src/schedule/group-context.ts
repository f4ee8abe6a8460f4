/** The group context (RFC 9420 §8.1): what all members agree on in an epoch. */
import type { Bytes } from "../codec/bytes.ts";
import { type Codec, encode, opaque, struct, uint16, uint64 } from "../codec/codec.ts";
import { type Extension, extensions } from "../extensions/extension.ts";

/**
 * ```tls
 * struct {
 *   ProtocolVersion version; CipherSuite cipher_suite; opaque group_id<V>; uint64 epoch;
 *   opaque tree_hash<V>; opaque confirmed_transcript_hash<V>; Extension extensions<V>;
 * } GroupContext;
 * ```
 */
export interface GroupContext {
  readonly version: number;
  readonly cipherSuite: number;
  readonly groupId: Bytes;
  readonly epoch: bigint;
  readonly treeHash: Bytes;
  readonly confirmedTranscriptHash: Bytes;
  readonly extensions: readonly Extension[];
}

export const groupContext: Codec<GroupContext> = struct({
  version: uint16,
  cipherSuite: uint16,
  groupId: opaque,
  epoch: uint64,
  treeHash: opaque,
  confirmedTranscriptHash: opaque,
  extensions,
});

const encoded = new WeakMap<GroupContext, Bytes>();

/** The bytes of a context, computed once: every message of an epoch is signed with them. */
export function encodeGroupContext(context: GroupContext): Bytes {
  let bytes = encoded.get(context);
  if (bytes === undefined) {
    bytes = encode(groupContext, context);
    encoded.set(context, bytes);
  }
  return bytes;
}
