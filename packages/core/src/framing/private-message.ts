/** Private messages (RFC 9420 §6.3). */
import type { Bytes } from "../codec/bytes.ts";
import { concat, EMPTY, erase } from "../codec/bytes.ts";
import type { Codec } from "../codec/codec.ts";
import { decode, encode, fixed, opaque, struct, uint32, uint64 } from "../codec/codec.ts";
import { Reader } from "../codec/reader.ts";
import { Writer } from "../codec/writer.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { randomBytes } from "../crypto/platform.ts";
import { CoppiceError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { RatchetType, SecretTree } from "../secret-tree.ts";
import { hasLeaf, takeKey, takeNextKey } from "../secret-tree.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import type { AuthenticatedContent, Content, ContentType, FramedContentAuthData } from "./framed-content.ts";
import { authDataFor, contentBodies, contentType } from "./framed-content.ts";

/**
 * ```tls
 * struct {
 *   opaque group_id<V>; uint64 epoch; ContentType content_type; opaque authenticated_data<V>;
 *   opaque encrypted_sender_data<V>; opaque ciphertext<V>;
 * } PrivateMessage;
 * ```
 */
export interface PrivateMessage {
  readonly groupId: Bytes;
  readonly epoch: bigint;
  readonly contentType: ContentType;
  readonly authenticatedData: Bytes;
  readonly encryptedSenderData: Bytes;
  readonly ciphertext: Bytes;
}

export const privateMessage: Codec<PrivateMessage> = struct({
  groupId: opaque,
  epoch: uint64,
  contentType,
  authenticatedData: opaque,
  encryptedSenderData: opaque,
  ciphertext: opaque,
});

type Header = Pick<PrivateMessage, "groupId" | "epoch" | "contentType">;

const header: Codec<Header> = struct({ groupId: opaque, epoch: uint64, contentType });

/**
 * `PrivateContentAAD`, and `SenderDataAAD`, which is what stands in it before the authenticated data (T-25).
 */
function aads(fields: Header, authenticatedData: Bytes): { readonly content: Bytes; readonly senderData: Bytes } {
  const senderData = encode(header, fields);
  return { content: concat(senderData, encode(opaque, authenticatedData)), senderData };
}

/** `struct { uint32 leaf_index; uint32 generation; opaque reuse_guard[4]; } SenderData;` 12 bytes. */
interface SenderData {
  readonly leafIndex: number;
  readonly generation: number;
  readonly reuseGuard: Bytes;
}

const senderData: Codec<SenderData> = struct({ leafIndex: uint32, generation: uint32, reuseGuard: fixed(4) });

/** Key and nonce of the sender data, from a sample of the ciphertext (R-6.3.2-3, R-6.3.2-4). */
export function senderDataKey(
  suite: CipherSuite,
  senderDataSecret: Bytes,
  ciphertext: Bytes,
): { key: Bytes; nonce: Bytes } {
  const context = ciphertext.subarray(0, suite.hash.Nh);
  const [key = EMPTY, nonce = EMPTY] = suite.hash.expandMany(senderDataSecret, [
    { label: "key", context, length: suite.aead.Nk },
    { label: "nonce", context, length: suite.aead.Nn },
  ]);
  return { key, nonce };
}

/** XORs the reuse guard into the first four bytes (R-6.3.1-6). */
function guard(nonce: Bytes, reuseGuard: Bytes): Bytes {
  return nonce.map((byte, i) => byte ^ (reuseGuard[i] ?? 0));
}

const ratchetFor = (type: ContentType): RatchetType => (type === "application" ? "application" : "handshake");

/** What protects private messages of an epoch. */
export interface EpochKeys {
  readonly senderDataSecret: Bytes;
  readonly secretTree: SecretTree;
}

export interface Protected {
  readonly message: PrivateMessage;
  /** The secret tree without the key that was used; store it before the message leaves (R-6.3.1-5). */
  readonly secretTree: SecretTree;
  readonly generation: number;
  /** Erase when `secretTree` is stored. */
  readonly consumed: readonly Bytes[];
}

/** Encrypts a member's content, with `padding` zero bytes at its end (§15.1). */
export async function protectPrivate(
  suite: CipherSuite,
  { content, auth }: AuthenticatedContent,
  { senderDataSecret, secretTree, padding }: EpochKeys & { readonly padding: number },
): Promise<Protected> {
  if (content.sender.senderType !== "member") {
    throw new CoppiceError("ERR_MLS_SENDER", "only members send private messages", { requirement: "R-6.3.2-2" });
  }
  const leafIndex = content.sender.leafIndex as LeafIndex;
  const type = content.content.contentType;
  const fields = { groupId: content.groupId, epoch: content.epoch, contentType: type };
  const { authenticatedData } = content;
  const { key, nonce, generation, next, consumed } = takeNextKey(suite, secretTree, leafIndex, ratchetFor(type));

  const reuseGuard = randomBytes(4);
  const plaintext = encodePlaintext(content.content, auth, padding);
  const aad = aads(fields, authenticatedData);
  const ciphertext = await suite.aead.seal(key, guard(nonce, reuseGuard), aad.content, plaintext);
  erase(key, nonce, plaintext);

  const outer = senderDataKey(suite, senderDataSecret, ciphertext);
  const encryptedSenderData = await suite.aead.seal(
    outer.key,
    outer.nonce,
    aad.senderData,
    encode(senderData, { leafIndex, generation, reuseGuard }),
  );
  erase(outer.key, outer.nonce);
  return {
    message: { ...fields, authenticatedData, encryptedSenderData, ciphertext },
    secretTree: next,
    generation,
    consumed,
  };
}

export interface Unprotected {
  /** The signature is still to be verified: any member can seal in another's name (T-26). */
  readonly authenticated: AuthenticatedContent;
  readonly generation: number;
  /** Adopt it only after the signature verified. */
  readonly secretTree: SecretTree;
  /** Erase when `secretTree` is stored. */
  readonly consumed: readonly Bytes[];
}

/**
 * Decrypts a message. `secretTree` stays as it is: a message that fails costs no key (R-9.2-5).
 * `ERR_MLS_AEAD`, `ERR_MLS_SENDER`, `ERR_MLS_REPLAY`, `ERR_MLS_LIMIT`, `ERR_MLS_DECODE`.
 */
export async function unprotectPrivate(
  suite: CipherSuite,
  message: PrivateMessage,
  {
    senderDataSecret,
    secretTree,
    isMember,
    limits,
  }: EpochKeys & { isMember: (leaf: number) => boolean; limits: Limits },
): Promise<Unprotected> {
  const { groupId, epoch, contentType: type, authenticatedData, ciphertext } = message;
  const outer = senderDataKey(suite, senderDataSecret, ciphertext);
  const aad = aads({ groupId, epoch, contentType: type }, authenticatedData);
  const opened = await suite.aead.open(outer.key, outer.nonce, aad.senderData, message.encryptedSenderData);
  const { leafIndex, generation, reuseGuard } = decode(senderData, opened);
  if (!hasLeaf(secretTree, leafIndex) || !isMember(leafIndex)) {
    throw new CoppiceError("ERR_MLS_SENDER", `leaf ${String(leafIndex)} is not a member`, {
      requirement: "R-6.3.2-6",
      detail: { leafIndex },
    });
  }

  const taken = takeKey(suite, secretTree, { leaf: leafIndex, type: ratchetFor(type), generation, limits });
  const plaintext = await suite.aead
    .open(taken.key, guard(taken.nonce, reuseGuard), aad.content, ciphertext)
    .finally(() => {
      erase(taken.key, taken.nonce);
    });
  const { content, auth } = decodePlaintext(type, plaintext);
  erase(plaintext);
  return {
    authenticated: {
      wireFormat: "mls_private_message",
      content: { groupId, epoch, sender: { senderType: "member", leafIndex }, authenticatedData, content },
      auth,
    },
    generation,
    secretTree: taken.next,
    consumed: taken.consumed,
  };
}

/** `PrivateMessageContent`: body, auth data, then padding to the end. */
function encodePlaintext(content: Content, auth: FramedContentAuthData, padding: number): Bytes {
  const writer = new Writer();
  (contentBodies[content.contentType] as Codec<object>).encode(writer, content);
  authDataFor(content.contentType).encode(writer, auth);
  writer.bytes(padding === 0 ? EMPTY : new Uint8Array(padding));
  return writer.finish();
}

function decodePlaintext(type: ContentType, plaintext: Bytes): { content: Content; auth: FramedContentAuthData } {
  const reader = new Reader(plaintext);
  const content = { contentType: type, ...contentBodies[type].decode(reader) } as Content;
  const auth = authDataFor(type).decode(reader);
  if (reader.rest().some((byte) => byte !== 0)) {
    throw new CoppiceError("ERR_MLS_DECODE", "the padding is not all zero", { requirement: "R-6.3.1-3" });
  }
  return { content, auth };
}
