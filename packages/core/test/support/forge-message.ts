/**
 * Frankenstein's messages: valid but for one thing. Each is signed, tagged and encrypted anew with a member's own keys, so that
 * the check under test refuses it and not one before.
 */
import { randomBytes } from "@coppice/kit";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, EMPTY } from "../../src/codec/bytes.ts";
import type { Codec } from "../../src/codec/codec.ts";
import { encode, fixed, opaque, struct, uint32, uint64 } from "../../src/codec/codec.ts";
import { senderDataKey } from "../../src/crypto/message-protection.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import type {
  AuthenticatedContent,
  Content,
  FramedContent,
  FramedContentAuthData,
} from "../../src/framing/framed-content.ts";
import { authDataFor, contentBodies, contentType, signFramedContent } from "../../src/framing/framed-content.ts";
import { mlsMessage } from "../../src/framing/mls-message.ts";
import type { PrivateMessage } from "../../src/framing/private-message.ts";
import type { PublicMessage } from "../../src/framing/public-message.ts";
import { protectPublic } from "../../src/framing/public-message.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import type { LeafIndex } from "../../src/tree/tree-math.ts";
import type { GroupContext } from "../../src/schedule/group-context.ts";
import type { Member } from "./group.ts";
import { takeKey, takeNextKey } from "./take-key.ts";

/** Changes to what is signed. */
export interface ContentEdits {
  readonly framed?: Partial<FramedContent>;
  /** Signs in place of the member. */
  readonly signer?: Signer;
  /** The context that is signed along; the message is sealed with the real one. */
  readonly context?: Partial<GroupContext>;
  /** After signing. */
  readonly auth?: Partial<FramedContentAuthData>;
}

/** Content by `member` in its current epoch, signed after the edits. */
export async function signedContent(
  member: Member,
  content: Content,
  wireFormat: AuthenticatedContent["wireFormat"],
  { framed: edits, signer = member.signer, context: foreign, auth }: ContentEdits = {},
): Promise<AuthenticatedContent> {
  const { context, leafIndex } = member.state;
  const framed: FramedContent = {
    groupId: context.groupId,
    epoch: context.epoch,
    sender: { senderType: "member", leafIndex },
    authenticatedData: EMPTY,
    content,
    ...edits,
  };
  const signature = await signFramedContent(signer, {
    wireFormat,
    content: framed,
    context: { ...context, ...foreign },
  });
  return { wireFormat, content: framed, auth: { signature, confirmationTag: undefined, ...auth } };
}

export interface PublicEdits extends ContentEdits {
  /** After the membership tag was computed. */
  readonly message?: (message: PublicMessage) => PublicMessage;
}

/** Puts signed content into a public message with the membership tag of the member's epoch. */
export function sealPublic(
  member: Member,
  authenticated: AuthenticatedContent,
  edit: (message: PublicMessage) => PublicMessage = (message) => message,
): Bytes {
  const { context, secrets } = member.state;
  const { membershipKey } = secrets;
  const publicMessage = edit(protectPublic(member.suite, authenticated, { membershipKey, context }));
  return encode(mlsMessage, { wireFormat: "mls_public_message", publicMessage });
}

export async function forgePublic(member: Member, content: Content, edits: PublicEdits = {}): Promise<Bytes> {
  const authenticated = await signedContent(member, content, "mls_public_message", edits);
  return sealPublic(member, authenticated, edits.message);
}

export interface PrivateEdits extends ContentEdits {
  /** What the sender data says. Key and nonce are those of `keyOf`. */
  readonly senderData?: { readonly leafIndex?: number; readonly generation?: number };
  /** Whose ratchet seals, and at which generation. Default: the member's own, at its next one. */
  readonly keyOf?: { readonly leafIndex?: LeafIndex; readonly generation?: number };
  readonly padding?: Bytes;
  /** The encoded sender data. */
  readonly senderDataBytes?: (bytes: Bytes) => Bytes;
  /** The plaintext, in place of content, auth data and padding. */
  readonly plaintext?: (plaintext: Bytes) => Bytes;
  /** The header; the additional data stays that of the content. */
  readonly message?: (message: PrivateMessage) => PrivateMessage;
}

const aad: Codec<Pick<PrivateMessage, "groupId" | "epoch" | "contentType">> = struct({
  groupId: opaque,
  epoch: uint64,
  contentType,
});
const senderDataCodec = struct<{ leafIndex: number; generation: number; reuseGuard: Bytes }>({
  leafIndex: uint32,
  generation: uint32,
  reuseGuard: fixed(4),
});

/** Encrypts signed content with the secret tree of the member's epoch, in any leaf's name; the state stays as it is. */
export async function sealPrivate(
  member: Member,
  { content, auth }: AuthenticatedContent,
  edits: PrivateEdits = {},
): Promise<Bytes> {
  const { suite, state } = member;
  const type = content.content.contentType;
  const leaf = edits.keyOf?.leafIndex ?? state.leafIndex;
  const ratchet = type === "application" ? "application" : "handshake";
  const { key, nonce, generation } =
    edits.keyOf === undefined
      ? takeNextKey(suite, state.secretTree, leaf, ratchet).taken
      : takeKey(suite, state.secretTree, {
          leaf,
          type: ratchet,
          generation: edits.keyOf.generation ?? 0,
          limits: DEFAULT_LIMITS,
        });
  const { groupId, epoch, authenticatedData } = content;
  const header = { groupId, epoch, contentType: type };
  const body = encode(contentBodies[type] as Codec<object>, content.content);
  const whole = concat(body, encode(authDataFor(type), auth), edits.padding ?? EMPTY);
  const plaintext = edits.plaintext?.(whole) ?? whole;
  const reuseGuard = randomBytes(4);
  const guarded = nonce.map((byte, i) => byte ^ (reuseGuard[i] ?? 0));
  const contentAad = concat(encode(aad, header), encode(opaque, authenticatedData));
  const ciphertext = await suite.aead.seal(key, guarded, contentAad, plaintext);
  const outer = senderDataKey(suite, state.secrets.senderDataSecret, ciphertext);
  const said = encode(senderDataCodec, { leafIndex: leaf, generation, reuseGuard, ...edits.senderData });
  const senderData = edits.senderDataBytes?.(said) ?? said;
  const encryptedSenderData = await suite.aead.seal(outer.key, outer.nonce, encode(aad, header), senderData);
  const message = { ...header, authenticatedData, encryptedSenderData, ciphertext };
  return encode(mlsMessage, { wireFormat: "mls_private_message", privateMessage: edits.message?.(message) ?? message });
}

export async function forgePrivate(member: Member, content: Content, edits: PrivateEdits = {}): Promise<Bytes> {
  return sealPrivate(member, await signedContent(member, content, "mls_private_message", edits), edits);
}
