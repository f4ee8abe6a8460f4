/** Opening private messages (RFC 9420 §6.3), many at a time: each step takes one call of the kernel for all of them. */

import { type Bytes, erase } from "../codec/bytes.ts";
import { untrusted } from "../codec/reader.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { CoppiceError, isCoppiceError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { type Result, attempt, succeeded } from "../result.ts";
import { type SecretTree, type TakenKey, hasLeaf, takeKeys } from "../schedule/secret-tree.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import {
  type AuthenticatedContent,
  type Content,
  type ContentType,
  type FramedContentAuthData,
  authDataFor,
  contentBodies,
} from "./framed-content.ts";
import {
  type EpochKeys,
  type PrivateMessage,
  type SenderData,
  aads,
  decodeSenderData,
  ratchetFor,
} from "./private-message.ts";

/** What opens private messages of an epoch. */
export interface OpeningKeys extends EpochKeys {
  readonly isMember: (leaf: number) => boolean;
  /** The leaf of the member who opens. */
  readonly own: number;
  readonly limits: Limits;
}

/** A message that was opened. */
export interface Unprotected {
  /** The signature is still to be verified: any member can seal in another's name (T-26). */
  readonly authenticated: AuthenticatedContent;
  readonly generation: number;
}

/** What opening messages of an epoch gives. */
export interface UnprotectedMany {
  /** In the order of the messages. */
  readonly outcomes: readonly Result<Unprotected>[];
  /** Without the keys of all messages whose sender is known. To be adopted once their signatures verified. */
  readonly secretTree: SecretTree;
  /** Whether `secretTree` lacks the key of a message that was refused. A message that fails costs no key (R-9.2-5). */
  readonly costsKeys: boolean;
  /** Erase when `secretTree` is stored. */
  readonly consumed: readonly Bytes[];
}

/**
 * Opens messages of one epoch, all of them application messages or all of them handshakes. Codes of what is refused:
 * `ERR_MLS_AEAD`, `ERR_MLS_SENDER`, `ERR_MLS_REPLAY`, `ERR_MLS_ECHO`, `ERR_MLS_LIMIT`, `ERR_MLS_DECODE`.
 */
export async function unprotectPrivate(
  suite: CipherSuite,
  messages: readonly PrivateMessage[],
  keys: OpeningKeys,
): Promise<UnprotectedMany> {
  const [first] = messages;
  if (first === undefined) return { outcomes: [], secretTree: keys.secretTree, costsKeys: false, consumed: [] };
  const sealed = messages.map(withAads);
  const senderData = await suite.messages.openSenderData(keys.senderDataSecret, sealed);
  const sent = inPlace(sealed, senderData, (message, plaintext): Sent => ({
    message,
    sender: senderOf(plaintext, keys),
  }));

  const senders = sent.filter(succeeded).map(({ sender }) => sender);
  const wanted = { type: ratchetFor(first.contentType), messages: senders, limits: keys.limits };
  const { taken, next, consumed } = takeKeys(suite, keys.secretTree, wanted);
  const keyed = inPlace(
    sent,
    taken.map((key, place) => (senders[place]?.leafIndex === keys.own ? echoed(key) : key)),
    withKey,
  );

  const withKeys = keyed.filter(succeeded);
  const contents = await suite.messages.openContents(withKeys, (plaintext, place) =>
    attempt(() => unprotectedFrom(withKeys[place] as Keyed, plaintext, keys.limits)),
  );
  for (const { key, nonce } of withKeys) erase(key, nonce);
  const outcomes = inPlace(keyed, contents, (_, content) => content);
  const costsKeys = outcomes.some((outcome, i) => !succeeded(outcome) && succeeded(keyed[i]));
  return { outcomes, secretTree: next, costsKeys, consumed };
}

/** An own message took its key when it was made: that it comes back is no replay. */
function echoed(key: Result<TakenKey>): Result<TakenKey> {
  if (!isCoppiceError(key, "ERR_MLS_REPLAY")) return key;
  const { requirement = "R-9.2-1", detail } = key;
  return new CoppiceError("ERR_MLS_ECHO", "An own message came back: its key is gone", { requirement, detail });
}

/** Leaves that the senders of messages of one epoch say they have; without those whose sender data do not open. */
export async function claimedSenders(
  suite: CipherSuite,
  messages: readonly PrivateMessage[],
  { senderDataSecret, secretTree }: EpochKeys,
): Promise<ReadonlySet<LeafIndex>> {
  const opened = await suite.messages.openSenderData(senderDataSecret, messages.map(withAads));
  const claimed = opened.filter(succeeded).map((plaintext) => decodeSenderData(plaintext).leafIndex);
  return new Set(claimed.filter((leaf) => hasLeaf(secretTree, leaf)));
}

/** Combines the items that were not refused before, in their order, with what came of them. */
function inPlace<T extends object, R extends object, U>(
  items: readonly Result<T>[],
  results: readonly Result<R>[],
  combine: (item: T, result: R) => U,
): Result<U>[] {
  let at = 0;
  return items.map((item) =>
    attempt(() => {
      if (isCoppiceError(item)) throw item;
      const result = results[at++];
      if (result === undefined || isCoppiceError(result)) throw result ?? new RangeError("A result is missing");
      return combine(item, result);
    }),
  );
}

/** A message with what its two ciphertexts authenticate. */
interface WithAads {
  readonly message: PrivateMessage;
  readonly contentAad: Bytes;
  readonly senderDataAad: Bytes;
  readonly encryptedSenderData: Bytes;
  readonly ciphertext: Bytes;
}

function withAads(message: PrivateMessage): WithAads {
  const { encryptedSenderData, ciphertext } = message;
  const { contentAad, senderDataAad } = aads(message);
  return { message, contentAad, senderDataAad, encryptedSenderData, ciphertext };
}

type Sender = SenderData & { readonly leafIndex: LeafIndex };

function senderOf(plaintext: Bytes, { secretTree, isMember }: OpeningKeys): Sender {
  const { leafIndex, generation, reuseGuard } = decodeSenderData(plaintext);
  if (!hasLeaf(secretTree, leafIndex) || !isMember(leafIndex)) {
    throw new CoppiceError("ERR_MLS_SENDER", `Leaf ${String(leafIndex)} is not a member`, {
      requirement: "R-6.3.2-6",
      detail: { leafIndex },
    });
  }
  return { leafIndex, generation, reuseGuard };
}

/** A message whose sender is known. */
interface Sent {
  readonly message: WithAads;
  readonly sender: Sender;
}

/** A message with the key of its generation. */
interface Keyed extends Sent {
  readonly key: Bytes;
  readonly nonce: Bytes;
  readonly reuseGuard: Bytes;
  readonly contentAad: Bytes;
  readonly ciphertext: Bytes;
}

const withKey = ({ message, sender }: Sent, { key, nonce }: TakenKey): Keyed => ({
  message,
  sender,
  key,
  nonce,
  reuseGuard: sender.reuseGuard,
  contentAad: message.contentAad,
  ciphertext: message.ciphertext,
});

function unprotectedFrom({ message: { message }, sender }: Keyed, plaintext: Bytes, limits: Limits): Unprotected {
  const { groupId, epoch, contentType, authenticatedData } = message;
  const { leafIndex, generation } = sender;
  const { content, auth } = decodePlaintext(contentType, plaintext, limits);
  return {
    authenticated: {
      wireFormat: "mls_private_message",
      content: { groupId, epoch, sender: { senderType: "member", leafIndex }, authenticatedData, content },
      auth,
    },
    generation,
  };
}

/** `PrivateMessageContent`: body, auth data, then padding to the end. */
function decodePlaintext(
  type: ContentType,
  plaintext: Bytes,
  { proposalsPerCommit }: Limits,
): { content: Content; auth: FramedContentAuthData } {
  const reader = untrusted(plaintext, proposalsPerCommit);
  const content = { contentType: type, ...contentBodies[type].decode(reader) } as Content;
  const auth = authDataFor(type).decode(reader);
  if (!reader.restIsZero()) {
    throw new CoppiceError("ERR_MLS_DECODE", "The padding is not all zero", { requirement: "R-6.3.1-3" });
  }
  return { content, auth };
}
