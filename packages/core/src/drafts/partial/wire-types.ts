/** The structs that Partial MLS puts around messages. None of them has a wire format of its own: applications say which is which. */
import { type Codec, decodeReceived, encodeToSend, map, opaque, optional, struct, uint32 } from "../../codec/codec.ts";
import type { Bytes } from "../../codec/bytes.ts";
import { type MessageLimits, type MlsMessage, isDecoded, mlsMessage } from "../../framing/mls-message.ts";
import { type PrivateMessage, privateMessage } from "../../framing/private-message.ts";
import { type PublicMessage, publicMessage } from "../../framing/public-message.ts";
import { type Welcome, welcome } from "../../framing/welcome.ts";
import { type MembershipProof, membershipProof } from "./membership-proof.ts";

/**
 * ```tls
 * struct { T message; MembershipProof sender_membership_proof; } SenderAuthenticatedMessage<T>;
 * ```
 */
export interface SenderAuthenticated<T> {
  readonly message: T;
  readonly senderMembershipProof: MembershipProof;
}

export const senderAuthenticated = <T>(message: Codec<T>): Codec<SenderAuthenticated<T>> =>
  struct<SenderAuthenticated<T>>({ message, senderMembershipProof: membershipProof });

/** A message to the group with the proof of its sender. */
export type SenderAuthenticatedMessage = SenderAuthenticated<FramedMessage>;

/** An `MLSMessage` that was sent to a group. */
export type FramedMessage = Extract<MlsMessage, { wireFormat: "mls_public_message" | "mls_private_message" }>;

const framed: { readonly [F in FramedMessage["wireFormat"]]: Codec<FramedMessage> } = {
  mls_public_message: map(
    publicMessage,
    (message): FramedMessage => ({ wireFormat: "mls_public_message", publicMessage: message }),
    (message) => bodyOf(message, "publicMessage"),
  ),
  mls_private_message: map(
    privateMessage,
    (message): FramedMessage => ({ wireFormat: "mls_private_message", privateMessage: message }),
    (message) => bodyOf(message, "privateMessage"),
  ),
};

interface Bodies {
  readonly publicMessage: PublicMessage;
  readonly privateMessage: PrivateMessage;
}

function bodyOf<K extends keyof Bodies>(message: Partial<Bodies>, name: K): Bodies[K] {
  const body: Partial<Bodies>[K] = message[name];
  if (body === undefined) throw new TypeError("The message is of another wire format");
  return body;
}

/** `SenderAuthenticatedMessage<PublicMessage>` or `SenderAuthenticatedMessage<PrivateMessage>`: the message stands in it without a header. */
export const senderAuthenticatedMessage = (
  wireFormat: FramedMessage["wireFormat"],
): Codec<SenderAuthenticatedMessage> => senderAuthenticated(framed[wireFormat]);

/**
 * ```tls
 * struct { SenderAuthenticatedMessage<Welcome> welcome; MembershipProof joiner_membership_proof; } AnnotatedWelcome;
 * ```
 */
export interface AnnotatedWelcome {
  readonly welcome: SenderAuthenticated<Welcome>;
  readonly joinerMembershipProof: MembershipProof;
}

export const annotatedWelcome: Codec<AnnotatedWelcome> = struct({
  welcome: senderAuthenticated(welcome),
  joinerMembershipProof: membershipProof,
});

/**
 * ```tls
 * struct {
 *   MLSMessage commit; optional<MembershipProof> sender_membership_proof; opaque tree_hash_after<V>;
 *   optional<uint32> resolution_index; MembershipProof sender_membership_proof_after;
 *   MembershipProof receiver_membership_proof_after;
 * } AnnotatedCommit;
 * ```
 */
export interface AnnotatedCommit {
  readonly commit: MlsMessage;
  /** Of the epoch that the Commit ends; undefined for who joins by it. */
  readonly senderMembershipProof: MembershipProof | undefined;
  /** Of the epoch that the Commit begins, as the proofs after it are. */
  readonly treeHashAfter: Bytes;
  /** Which ciphertext of the update path is this receiver's; undefined if the Commit has no path. */
  readonly resolutionIndex: number | undefined;
  readonly senderMembershipProofAfter: MembershipProof;
  readonly receiverMembershipProofAfter: MembershipProof;
}

export const annotatedCommit: Codec<AnnotatedCommit> = struct({
  commit: mlsMessage,
  senderMembershipProof: optional(membershipProof),
  treeHashAfter: opaque,
  resolutionIndex: optional(uint32),
  senderMembershipProofAfter: membershipProof,
  receiverMembershipProofAfter: membershipProof,
});

/** What was received, encoded or decoded already. `ERR_MLS_DECODE`, `ERR_MLS_LIMIT`. */
export function received<T extends object>(
  codec: Codec<T>,
  given: Uint8Array | T,
  { field, limits }: { readonly field: keyof T & string; readonly limits: MessageLimits },
): T {
  if (isDecoded<T>(given, field, "the message")) return given;
  return decodeReceived(codec, given, limits.messageBytes, limits.proposalsPerCommit);
}

/** The bytes of what is to be sent. `ERR_MLS_LIMIT` for what others would not decode. */
export const toSend = <T>(codec: Codec<T>, value: NoInfer<T>): Bytes => encodeToSend(codec, value);
