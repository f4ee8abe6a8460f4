/** Private messages (RFC 9420 §6.3): the wire type, and sealing one. Opening them is in `unprotect.ts`. */
import type { Bytes } from "../codec/bytes.ts";
import { type Codec, checkReadable, written } from "../codec/codec.ts";
import { Reader } from "../codec/reader.ts";
import { Writer } from "../codec/writer.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { newReuseGuard } from "../crypto/reuse-guard.ts";
import { CoppiceError } from "../errors.ts";
import { type RatchetType, type SecretTree, useNextSecret } from "../schedule/secret-tree.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import {
  type AuthenticatedContent,
  type Content,
  type ContentType,
  type FramedContentAuthData,
  authDataFor,
  contentBodies,
  contentType,
} from "./framed-content.ts";

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

type Header = Pick<PrivateMessage, "groupId" | "epoch" | "contentType" | "authenticatedData">;

/** Writes `PrivateContentAAD`. Returns where `SenderDataAAD` ends, which is what stands in it before the authenticated data (T-25). */
function writeAad(writer: Writer, header: Header): number {
  writer.opaque(header.groupId);
  writer.uint64(header.epoch);
  contentType.encode(writer, header.contentType);
  const end = writer.length;
  writer.opaque(header.authenticatedData);
  return end;
}

/** `PrivateContentAAD` and `SenderDataAAD` of a message. */
export function aads(header: Header): { readonly contentAad: Bytes; readonly senderDataAad: Bytes } {
  let end = 0;
  const contentAad = written((writer) => {
    end = writeAad(writer, header);
  });
  return { contentAad, senderDataAad: contentAad.slice(0, end) };
}

export const privateMessage: Codec<PrivateMessage> = {
  encode: (writer, message) => {
    writeAad(writer, message);
    writer.opaque(message.encryptedSenderData);
    writer.opaque(message.ciphertext);
  },
  decode: (reader) => ({
    groupId: reader.opaque(),
    epoch: reader.uint64(),
    contentType: contentType.decode(reader),
    authenticatedData: reader.opaque(),
    encryptedSenderData: reader.opaque(),
    ciphertext: reader.opaque(),
  }),
};

/** `version` and `wire_format` of the MLSMessage around it (§6). */
const MESSAGE_START = Uint8Array.of(0, 1, 0, 2);

/** `struct { uint32 leaf_index; uint32 generation; opaque reuse_guard[4]; } SenderData;` 12 bytes. */
export interface SenderData {
  readonly leafIndex: number;
  readonly generation: number;
  readonly reuseGuard: Bytes;
}

/** All of `bytes`; `ERR_MLS_DECODE` for any other number of them. */
export function decodeSenderData(bytes: Bytes): SenderData {
  const reader = new Reader(bytes);
  const senderData = { leafIndex: reader.uint(4), generation: reader.uint(4), reuseGuard: reader.bytes(4) };
  reader.finish();
  return senderData;
}

export const ratchetFor = (type: ContentType): RatchetType => (type === "application" ? "application" : "handshake");

/** What protects private messages of an epoch. */
export interface EpochKeys {
  readonly senderDataSecret: Bytes;
  readonly secretTree: SecretTree;
}

export interface Protected {
  /** Encoded `MLSMessage`. */
  readonly message: Bytes | Promise<Bytes>;
  /** The secret tree without the key that was used; store it before the message leaves (R-6.3.1-5). */
  readonly secretTree: SecretTree;
  readonly generation: number;
  /** Erase when `secretTree` is stored. */
  readonly consumed: readonly Bytes[];
}

/** Encrypts a member's content, with `padding` zero bytes at its end (§15.1). */
export function protectPrivate(
  suite: CipherSuite,
  { content, auth }: AuthenticatedContent,
  { senderDataSecret, secretTree, padding }: EpochKeys & { readonly padding: number },
): Protected {
  if (content.sender.senderType !== "member") {
    throw new CoppiceError("ERR_MLS_SENDER", "Only members send private messages", { requirement: "R-6.3.2-2" });
  }
  const leafIndex = content.sender.leafIndex as LeafIndex;
  const type = content.content.contentType;
  const { groupId, epoch, authenticatedData } = content;
  let senderDataAadEnd = 0;
  const header = written((writer) => {
    writer.bytes(MESSAGE_START);
    senderDataAadEnd = writeAad(writer, { groupId, epoch, contentType: type, authenticatedData });
  });
  const { taken, next, consumed } = writePlaintext(content.content, auth, padding).lend((plaintext) =>
    useNextSecret(suite, secretTree, {
      leaf: leafIndex,
      type: ratchetFor(type),
      use: ({ secret, generation }) =>
        suite.messages.seal({
          ratchetSecret: secret,
          generation,
          senderDataSecret,
          leafIndex,
          reuseGuard: newReuseGuard(),
          header,
          aadStart: MESSAGE_START.length,
          senderDataAadEnd,
          plaintext,
        }),
    }),
  );
  return { message: taken.message, secretTree: next, generation: taken.generation, consumed };
}

/** `PrivateMessageContent`: body, auth data, then padding to the end. */
function writePlaintext(content: Content, auth: FramedContentAuthData, padding: number): Writer {
  const writer = new Writer();
  (contentBodies[content.contentType] as Codec<object>).encode(writer, content);
  authDataFor(content.contentType).encode(writer, auth);
  writer.zeros(padding);
  checkReadable(writer, Number.POSITIVE_INFINITY);
  return writer;
}
