/** Public messages (RFC 9420 §6.2). */

import { type Bytes, equalConstantTime } from "../codec/bytes.ts";
import { type Codec, opaque, written } from "../codec/codec.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { CoppiceError } from "../errors.ts";
import type { GroupContext } from "../schedule/group-context.ts";
import {
  type AuthenticatedContent,
  type FramedContent,
  type FramedContentAuthData,
  authDataFor,
  framedContent,
  framedContentTbs,
} from "./framed-content.ts";

/** Signed but not encrypted. `membership_tag` is there exactly for members (R-6.2-1). */
export interface PublicMessage {
  readonly content: FramedContent;
  readonly auth: FramedContentAuthData;
  readonly membershipTag: Bytes | undefined;
}

/**
 * ```tls
 * struct {
 *   FramedContent content; FramedContentAuthData auth;
 *   select (PublicMessage.content.sender.sender_type) { case member: MAC membership_tag; ... };
 * } PublicMessage;
 * ```
 */
export const publicMessage: Codec<PublicMessage> = {
  encode: (writer, { content, auth, membershipTag }) => {
    framedContent.encode(writer, content);
    authDataFor(content.content.contentType).encode(writer, auth);
    if (content.sender.senderType !== "member") return;
    if (membershipTag === undefined) throw new TypeError("A member's public message carries a membership tag");
    opaque.encode(writer, membershipTag);
  },
  decode: (reader) => {
    const content = framedContent.decode(reader);
    const auth = authDataFor(content.content.contentType).decode(reader);
    const membershipTag = content.sender.senderType === "member" ? opaque.decode(reader) : undefined;
    return { content, auth, membershipTag };
  },
};

/** What protects public messages of an epoch. */
export interface MembershipKeys {
  readonly membershipKey: Bytes;
  readonly context: GroupContext;
}

/** `MAC(membership_key, FramedContentTBM)` (R-6.2-2). */
function membershipTagFor(
  suite: CipherSuite,
  message: Pick<PublicMessage, "content" | "auth">,
  keys: MembershipKeys,
): Bytes {
  const { content, auth } = message;
  const tbs = framedContentTbs("mls_public_message", content, keys.context);
  const tbm = written((writer) => {
    tbs(writer);
    authDataFor(content.content.contentType).encode(writer, auth);
  });
  return suite.hash.hmac(keys.membershipKey, tbm);
}

/** `ERR_MLS_SENDER` for application data, which is only ever sent encrypted (R-6-1). */
export function protectPublic(
  suite: CipherSuite,
  authenticated: AuthenticatedContent,
  keys: MembershipKeys,
): PublicMessage {
  const { content, auth } = authenticated;
  refuseApplicationData(content);
  const membershipTag =
    content.sender.senderType === "member" ? membershipTagFor(suite, { content, auth }, keys) : undefined;
  return { content, auth, membershipTag };
}

/** Checks the membership tag of a member's message; the signature is still to be verified. `ERR_MLS_MAC`, `ERR_MLS_SENDER`. */
export function unprotectPublic(
  suite: CipherSuite,
  message: PublicMessage,
  keys: MembershipKeys,
): AuthenticatedContent {
  const { content, auth, membershipTag } = message;
  refuseApplicationData(content);
  if (content.sender.senderType === "member") {
    if (membershipTag === undefined || !equalConstantTime(membershipTag, membershipTagFor(suite, message, keys))) {
      throw new CoppiceError("ERR_MLS_MAC", "The membership tag does not verify", { requirement: "R-6.2-3" });
    }
  }
  return { wireFormat: "mls_public_message", content, auth };
}

/** `ERR_MLS_SENDER` for application data, which is only ever sent encrypted (R-6-1). */
export function refuseApplicationData(content: FramedContent): void {
  if (content.content.contentType === "application") {
    throw new CoppiceError("ERR_MLS_SENDER", "Application data is never sent as a public message", {
      requirement: "R-6-1",
    });
  }
}
