/** Private messages (RFC 9420 §6.3): the wire type, and sealing one. Opening them is in `unprotect.ts`. */
import type { Expansion } from "@coppice/wasm";
import type { Bytes } from "../codec/bytes.ts";
import { EMPTY, erase } from "../codec/bytes.ts";
import type { Codec } from "../codec/codec.ts";
import { encode, fixed, opaque, struct, uint32, uint64, written } from "../codec/codec.ts";
import { Writer } from "../codec/writer.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { randomBytes } from "../crypto/platform.ts";
import { CoppiceError } from "../errors.ts";
import type { MessageKey, RatchetType, SecretTree } from "../secret-tree.ts";
import { takeNextKey } from "../secret-tree.ts";
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

/** `PrivateContentAAD`, and `SenderDataAAD`, which is what stands in it before the authenticated data (T-25). */
export function aads(
  fields: Header,
  authenticatedData: Bytes,
): { readonly content: Bytes; readonly senderData: Bytes } {
  let end = 0;
  const content = written((writer) => {
    header.encode(writer, fields);
    end = writer.length;
    writer.opaque(authenticatedData);
  });
  return { content, senderData: content.slice(0, end) };
}

/** `struct { uint32 leaf_index; uint32 generation; opaque reuse_guard[4]; } SenderData;` 12 bytes. */
export interface SenderData {
  readonly leafIndex: number;
  readonly generation: number;
  readonly reuseGuard: Bytes;
}

export const senderData: Codec<SenderData> = struct({ leafIndex: uint32, generation: uint32, reuseGuard: fixed(4) });

/** What to expand for the sender data of a message: key and nonce, from a sample of its ciphertext (R-6.3.2-3, R-6.3.2-4). */
export function senderDataExpansions({ hash, aead }: CipherSuite, ciphertext: Bytes): readonly [Expansion, Expansion] {
  const context = ciphertext.subarray(0, hash.Nh);
  return [
    { label: "key", context, length: aead.Nk },
    { label: "nonce", context, length: aead.Nn },
  ];
}

/** Key and nonce of the sender data of one message. */
export function senderDataKey(suite: CipherSuite, senderDataSecret: Bytes, ciphertext: Bytes): MessageKey {
  const expansions = senderDataExpansions(suite, ciphertext);
  const [key = EMPTY, nonce = EMPTY] = suite.hash.expandMany(senderDataSecret, expansions);
  return { key, nonce };
}

/** XORs the reuse guard into the first four bytes (R-6.3.1-6). */
export function guard(nonce: Bytes, reuseGuard: Bytes): Bytes {
  const guarded = nonce.slice();
  for (const [i, byte] of reuseGuard.entries()) guarded[i] = (guarded[i] ?? 0) ^ byte;
  return guarded;
}

export const ratchetFor = (type: ContentType): RatchetType => (type === "application" ? "application" : "handshake");

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
  const { groupId, epoch, authenticatedData } = content;
  const { taken, next, consumed } = takeNextKey(suite, secretTree, leafIndex, ratchetFor(type));
  const { key, nonce, generation } = taken;

  const reuseGuard = randomBytes(4);
  const aad = aads({ groupId, epoch, contentType: type }, authenticatedData);
  const ciphertext = await writePlaintext(content.content, auth, padding).lend((plaintext) =>
    suite.aead.seal(key, guard(nonce, reuseGuard), aad.content, plaintext),
  );
  erase(key, nonce);

  const outer = senderDataKey(suite, senderDataSecret, ciphertext);
  const encryptedSenderData = await suite.aead.seal(
    outer.key,
    outer.nonce,
    aad.senderData,
    encode(senderData, { leafIndex, generation, reuseGuard }),
  );
  erase(outer.key, outer.nonce);
  return {
    message: { groupId, epoch, contentType: type, authenticatedData, encryptedSenderData, ciphertext },
    secretTree: next,
    generation,
    consumed,
  };
}

/** `PrivateMessageContent`: body, auth data, then padding to the end. */
function writePlaintext(content: Content, auth: FramedContentAuthData, padding: number): Writer {
  const writer = new Writer();
  (contentBodies[content.contentType] as Codec<object>).encode(writer, content);
  authDataFor(content.contentType).encode(writer, auth);
  writer.zeros(padding);
  return writer;
}
