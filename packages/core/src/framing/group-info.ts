/** GroupInfo (RFC 9420 §12.4.3): what a joiner needs to know of a group. */
import type { Bytes } from "../codec/bytes.ts";
import { type Codec, opaque, optional, struct, uint32, vector } from "../codec/codec.ts";
import type { Writer } from "../codec/writer.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { signWithLabel, verifyWithLabel } from "../crypto/labels.ts";
import type { Signer } from "../crypto/signature.ts";
import { type Extension, extensions } from "../extensions/extension.ts";
import { type GroupContext, groupContext } from "../schedule/group-context.ts";
import { type WireNode, wireNode } from "../tree/parent-node.ts";

/**
 * ```tls
 * struct {
 *   GroupContext group_context; Extension extensions<V>; MAC confirmation_tag; uint32 signer;
 *   opaque signature<V>;
 * } GroupInfo;
 * ```
 */
export interface GroupInfo {
  readonly groupContext: GroupContext;
  readonly extensions: readonly Extension[];
  readonly confirmationTag: Bytes;
  /** Leaf index as received: any uint32. */
  readonly signer: number;
  readonly signature: Bytes;
}

const unsigned = { groupContext, extensions, confirmationTag: opaque, signer: uint32 } as const;
const groupInfoTbs: Codec<Omit<GroupInfo, "signature">> = struct(unsigned);

export const groupInfo: Codec<GroupInfo> = struct({ ...unsigned, signature: opaque });

const tbs =
  (content: Omit<GroupInfo, "signature">) =>
  (writer: Writer): void => {
    groupInfoTbs.encode(writer, content);
  };

export async function signGroupInfo(content: Omit<GroupInfo, "signature">, signer: Signer): Promise<GroupInfo> {
  return { ...content, signature: await signWithLabel(signer, "GroupInfoTBS", tbs(content)) };
}

/** `ERR_MLS_SIGNATURE` unless `publicKey`, the signature key of the leaf at `signer`, signed it (R-12.4.3-4). */
export function verifyGroupInfoSignature(suite: CipherSuite, info: GroupInfo, publicKey: Bytes): Promise<void> {
  const { signature, ...content } = info;
  return verifyWithLabel(suite, { publicKey, label: "GroupInfoTBS", content: tbs(content), signature }, "R-12.4.3-4");
}

/**
 * `optional<Node> ratchet_tree<V>` (§12.4.3.3), in order, without trailing blanks. A blank takes one byte on the wire and
 * more in memory: `maxNodes` bounds the list before it is built.
 */
export const boundedRatchetTree = (maxNodes: number): Codec<readonly (WireNode | undefined)[]> =>
  vector(optional(wireNode), maxNodes);

/** The same without a bound of its own, for trees that this client writes. */
export const ratchetTree: Codec<readonly (WireNode | undefined)[]> = vector(optional(wireNode));
