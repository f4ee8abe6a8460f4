/** Framing of this member's content in either wire format (RFC 9420 §6.2, §6.3). */
import { copyBytes } from "@coppice/kit";
import { type Bytes, EMPTY } from "../codec/bytes.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { CoppiceError } from "../errors.ts";
import type { AuthenticatedContent } from "./framed-content.ts";
import { encodeMessage } from "./mls-message.ts";
import { protectPrivate } from "./private-message.ts";
import { protectPublic } from "./public-message.ts";
import type { Limits } from "../limits.ts";
import type { GroupContext } from "../schedule/group-context.ts";
import type { EpochSecrets } from "../schedule/key-schedule.ts";
import type { SecretTree } from "../schedule/secret-tree.ts";

/** The part of a group's state that protects what this member sends. */
interface Protecting {
  readonly suite: CipherSuite;
  readonly context: GroupContext;
  readonly secrets: Pick<EpochSecrets, "membershipKey" | "senderDataSecret">;
  readonly secretTree: SecretTree;
}

/** The part of `Rules` that messages are framed by. */
export interface MessageRules {
  readonly limits: Limits;
  /**
   * What an extension of the protocol asks of a message's authenticated data, sent or received, beyond RFC 9420: throws to refuse
   * the message. Default nothing.
   */
  readonly checkMessage?: (message: { authenticatedData: Bytes; context: GroupContext }) => void;
}

export interface ProtectedMessage<S> {
  /** The next state, with the secrets that it no longer has: erase those once it is stored. */
  readonly state: S;
  readonly consumed: readonly Bytes[];
  /** Encoded `MLSMessage`. */
  readonly message: Bytes;
}

/**
 * Protects signed content under the keys of the current epoch. A private message takes a key of the own ratchet; only where the
 * kernel does not encrypt it is there something to wait for.
 */
export function protectContent<S extends Protecting>(
  state: S,
  content: AuthenticatedContent,
  rules: MessageRules,
  padding = 0,
): ProtectedMessage<S> | Promise<ProtectedMessage<S>> {
  const { suite, context, secrets } = state;
  checkAuthenticatedData(content.content, context, rules);
  const { limits } = rules;
  if (content.wireFormat === "mls_public_message") {
    const publicMessage = protectPublic(suite, content, { membershipKey: secrets.membershipKey, context });
    const message = encodeMessage({ wireFormat: "mls_public_message", publicMessage });
    checkMessageSize(message.length, limits.messageBytes);
    return { state, consumed: [], message };
  }
  const { senderDataSecret } = secrets;
  const sealed = protectPrivate(suite, content, { senderDataSecret, secretTree: state.secretTree, padding });
  const finish = (message: Bytes): ProtectedMessage<S> => {
    checkMessageSize(message.length, limits.messageBytes);
    return { state: { ...state, secretTree: sealed.secretTree }, consumed: sealed.consumed, message };
  };
  return sealed.message instanceof Promise ? sealed.message.then(finish) : finish(sealed.message);
}

/**
 * `ERR_MLS_LIMIT` for a message, or a padded plaintext, of more bytes than a message may have: no message that the others would
 * not decode, and none near what one key of an AEAD may protect (R-6.3.1-10, R-15.1-1).
 */
export function checkMessageSize(length: number, messageBytes: number): void {
  if (length <= messageBytes) return;
  throw new CoppiceError("ERR_MLS_LIMIT", "The message is too long", {
    requirement: "R-15.1-1",
    detail: { messageBytes },
  });
}

/** A copy of what is to be sent in clear; nothing by default. */
export function ownAuthenticatedData({ authenticatedData }: { readonly authenticatedData?: Uint8Array }): Bytes {
  return authenticatedData === undefined ? EMPTY : copyBytes(authenticatedData, "authenticatedData");
}

/** `ERR_MLS_LIMIT` for authenticated data that is longer than the limit, sent or received, and what `checkMessage` throws. */
export function checkAuthenticatedData(
  { authenticatedData }: { readonly authenticatedData: Bytes },
  context: GroupContext,
  { limits, checkMessage }: MessageRules,
): void {
  if (authenticatedData.length <= limits.authenticatedDataBytes) {
    checkMessage?.({ authenticatedData, context });
    return;
  }
  throw new CoppiceError("ERR_MLS_LIMIT", "The authenticated data is too long", {
    requirement: "R-6.3.1-10",
    detail: { authenticatedDataBytes: limits.authenticatedDataBytes },
  });
}
