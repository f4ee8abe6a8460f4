/** Framed content and its authentication (RFC 9420 §6, §6.1). */
import type { Bytes } from "../codec/bytes.ts";
import { type Codec, closedEnum, nothing, opaque, select, struct, uint16, uint32, uint8 } from "../codec/codec.ts";
import { Writer } from "../codec/writer.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { signWithLabel, verifyWithLabel } from "../crypto/labels.ts";
import type { Signer } from "../crypto/signature.ts";
import { type GroupContext, encodeGroupContext } from "../schedule/group-context.ts";
import { MLS10 } from "../extensions/capabilities.ts";
import { type Commit, commit } from "./commit.ts";
import { type Proposal, proposal } from "./proposal.ts";

export type ContentType = "application" | "proposal" | "commit";

export const contentType: Codec<ContentType> = closedEnum<ContentType>(uint8, {
  application: 1,
  proposal: 2,
  commit: 3,
});

/** Wire formats that carry framed content. */
export type FramedWireFormat = "mls_public_message" | "mls_private_message";

/**
 * ```tls
 * struct {
 *   SenderType sender_type;
 *   select (Sender.sender_type) {
 *     case member: uint32 leaf_index; case external: uint32 sender_index;
 *     case new_member_commit: case new_member_proposal: struct{};
 *   };
 * } Sender;
 * ```
 */
export type Sender =
  | { readonly senderType: "member"; readonly leafIndex: number }
  | { readonly senderType: "external"; readonly senderIndex: number }
  | { readonly senderType: "new_member_proposal" }
  | { readonly senderType: "new_member_commit" };

export const sender: Codec<Sender> = select<"senderType", Sender["senderType"], Sender>(
  "senderType",
  closedEnum(uint8, { member: 1, external: 2, new_member_proposal: 3, new_member_commit: 4 }),
  {
    member: struct({ leafIndex: uint32 }),
    external: struct({ senderIndex: uint32 }),
    new_member_proposal: nothing,
    new_member_commit: nothing,
  },
);

/** A proposal with who sent it. */
export interface SentProposal {
  readonly proposal: Proposal;
  readonly sender: Sender;
}

/** What a message says, by content type. */
export type Content =
  | { readonly contentType: "application"; readonly applicationData: Bytes }
  | { readonly contentType: "proposal"; readonly proposal: Proposal }
  | { readonly contentType: "commit"; readonly commit: Commit };

/** The bodies, as they stand in a PrivateMessageContent. */
export const contentBodies: {
  readonly [T in ContentType]: Codec<Omit<Extract<Content, { contentType: T }>, "contentType">>;
} = {
  application: {
    encode: (writer, { applicationData }) => {
      writer.opaque(applicationData);
    },
    decode: (reader) => ({ applicationData: reader.opaque() }),
  },
  proposal: struct({ proposal }),
  commit: struct({ commit }),
};

const content: Codec<Content> = select<"contentType", ContentType, Content>("contentType", contentType, contentBodies);

/**
 * ```tls
 * struct {
 *   opaque group_id<V>; uint64 epoch; Sender sender; opaque authenticated_data<V>;
 *   ContentType content_type; select (FramedContent.content_type) { ... };
 * } FramedContent;
 * ```
 */
export interface FramedContent {
  readonly groupId: Bytes;
  readonly epoch: bigint;
  readonly sender: Sender;
  readonly authenticatedData: Bytes;
  readonly content: Content;
}

export const framedContent: Codec<FramedContent> = {
  encode: (writer, framed) => {
    writer.opaque(framed.groupId);
    writer.uint64(framed.epoch);
    sender.encode(writer, framed.sender);
    writer.opaque(framed.authenticatedData);
    content.encode(writer, framed.content);
  },
  decode: (reader) => ({
    groupId: reader.opaque(),
    epoch: reader.uint64(),
    sender: sender.decode(reader),
    authenticatedData: reader.opaque(),
    content: content.decode(reader),
  }),
};

/** `confirmation_tag` is there exactly for commits (R-6.1-2). */
export interface FramedContentAuthData {
  readonly signature: Bytes;
  readonly confirmationTag: Bytes | undefined;
}

const signatureOnly: Codec<FramedContentAuthData> = {
  encode: (writer, { signature }) => {
    writer.opaque(signature);
  },
  decode: (reader) => ({ signature: reader.opaque(), confirmationTag: undefined }),
};

const withConfirmation: Codec<FramedContentAuthData> = {
  encode: (writer, { signature, confirmationTag }) => {
    if (confirmationTag === undefined) throw new TypeError("A commit is framed with its confirmation tag");
    writer.opaque(signature);
    writer.opaque(confirmationTag);
  },
  decode: (reader) => ({ signature: reader.opaque(), confirmationTag: reader.opaque() }),
};

/** The auth data that belongs to a content type. */
export const authDataFor = (type: ContentType): Codec<FramedContentAuthData> =>
  type === "commit" ? withConfirmation : signatureOnly;

const wireFormat: Codec<FramedWireFormat> = closedEnum(uint16, { mls_public_message: 1, mls_private_message: 2 });

/**
 * Content with its signature: the common form of public and private messages (R-6-7). Nothing in it is trusted before
 * `verifyAuthenticatedContent` and, for a Commit, its confirmation tag.
 */
export interface AuthenticatedContent {
  readonly wireFormat: FramedWireFormat;
  readonly content: FramedContent;
  readonly auth: FramedContentAuthData;
}

/** `struct { WireFormat wire_format; FramedContent content; FramedContentAuthData auth; } AuthenticatedContent;` */
export const authenticatedContent: Codec<AuthenticatedContent> = {
  encode: (writer, value) => {
    wireFormat.encode(writer, value.wireFormat);
    framedContent.encode(writer, value.content);
    authDataFor(value.content.content.contentType).encode(writer, value.auth);
  },
  decode: (reader) => {
    const format = wireFormat.decode(reader);
    const framed = framedContent.decode(reader);
    return { wireFormat: format, content: framed, auth: authDataFor(framed.content.contentType).decode(reader) };
  },
};

/**
 * ```tls
 * struct { WireFormat wire_format; FramedContent content; opaque signature<V>; } ConfirmedTranscriptHashInput;
 * ```
 */
export function confirmedTranscriptHashInput({
  wireFormat: format,
  content: framed,
  auth,
}: AuthenticatedContent): Bytes {
  const writer = new Writer();
  wireFormat.encode(writer, format);
  framedContent.encode(writer, framed);
  opaque.encode(writer, auth.signature);
  return writer.finish();
}

/** `FramedContentTBS` (§6.1): the group context follows for member and new_member_commit (R-6.1-1). */
export function framedContentTbs(
  format: FramedWireFormat,
  framed: FramedContent,
  context: GroupContext,
): (writer: Writer) => void {
  return (writer) => {
    writer.uint(MLS10, 2);
    wireFormat.encode(writer, format);
    framedContent.encode(writer, framed);
    const { senderType } = framed.sender;
    if (senderType === "member" || senderType === "new_member_commit") writer.bytes(encodeGroupContext(context));
  };
}

export function signFramedContent(
  signer: Signer,
  {
    wireFormat: format,
    content: framed,
    context,
  }: { wireFormat: FramedWireFormat; content: FramedContent; context: GroupContext },
): Promise<Bytes> {
  return signWithLabel(signer, "FramedContentTBS", framedContentTbs(format, framed, context));
}

/** `ERR_MLS_SIGNATURE` unless `publicKey` signed this content in this context (R-6.1-8). */
export function verifyAuthenticatedContent(
  suite: CipherSuite,
  { wireFormat: format, content: framed, auth }: AuthenticatedContent,
  { publicKey, context }: { publicKey: Bytes; context: GroupContext },
): Promise<void> {
  return verifyWithLabel(
    suite,
    {
      publicKey,
      label: "FramedContentTBS",
      content: framedContentTbs(format, framed, context),
      signature: auth.signature,
    },
    "R-6.1-8",
  );
}
