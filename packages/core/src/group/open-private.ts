/** Private messages that arrive (RFC 9420 §6.3, §15): which keys open them, who wrote them. */
import type { Bytes } from "../codec/bytes.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { verifyAuthenticatedContent } from "../framing/framed-content.ts";
import type { PrivateMessage } from "../framing/private-message.ts";
import { type OpeningKeys, type Unprotected, unprotectPrivate } from "../framing/unprotect.ts";
import type { KnowingState, Transition } from "../state/group-state.ts";
import { type MessageRules, checkAuthenticatedData } from "../framing/protect.ts";
import { succeeded } from "../result.ts";
import type { Identity } from "../identity/authentication.ts";
import type { GroupContext } from "../schedule/group-context.ts";
import type { SecretTree } from "../schedule/secret-tree.ts";
import { findMember } from "../state/former-members.ts";
import { type Author, authorOf, checkCurrentEpoch, checkGroup, wrongEpoch, wrongSender } from "./senders.ts";

/** An application message that opened and verified. */
export interface OpenedApplication {
  readonly kind: "application";
  readonly epoch: bigint;
  /** Sent in clear by the sender, authenticated. */
  readonly authenticatedData: Bytes;
  readonly data: Bytes;
  /** The author, as a member of the message's epoch; a leaf index says nothing in another one (R-5.3.3-1). */
  readonly sender: Author;
  /** Gaps hint at suppressed messages (R-16.9-1). */
  readonly generation: number;
}

/** What opens and verifies the messages of an epoch. */
export interface EpochView extends OpeningKeys {
  readonly context: GroupContext;
  /** Authors are looked up among the members of their epoch (T-33). */
  readonly findMember: (leaf: number) => Identity | undefined;
}

/** What opens this message: the keys of the current epoch, or those of a past one if they are kept. */
export function openingKeys(state: KnowingState, message: PrivateMessage, rules: MessageRules): EpochView {
  checkGroup(state, message);
  const { context, senderDataSecret, secretTree } = epochOf(state, message);
  checkAuthenticatedData(message, context, rules);
  const { limits } = rules;
  const find = (leaf: number): Identity | undefined => findMember(state, context.epoch, leaf);
  return {
    context,
    senderDataSecret,
    secretTree,
    limits,
    findMember: find,
    isMember: (leaf) => find(leaf) !== undefined,
    own: state.leafIndex,
  };
}

/** Only application messages may be late: a handshake of a past epoch has no effect any more. */
function epochOf(
  state: KnowingState,
  { epoch, contentType }: PrivateMessage,
): Pick<EpochView, "context" | "senderDataSecret" | "secretTree"> {
  const { context, secretTree, secrets } = state;
  if (epoch === context.epoch) return { context, secretTree, senderDataSecret: secrets.senderDataSecret };
  if (contentType !== "application") checkCurrentEpoch(state, epoch);
  const past = state.pastEpochs.find(({ context }) => context.epoch === epoch);
  if (past === undefined) {
    throw wrongEpoch("The keys of the message's epoch are gone", "R-15.3-4", {
      epoch: state.context.epoch,
      received: epoch,
    });
  }
  return past;
}

/** The author, whose signature verifies. `ERR_MLS_SENDER`, `ERR_MLS_SIGNATURE`. */
export async function verifyAuthor(
  suite: CipherSuite,
  { authenticated }: Unprotected,
  { findMember, context }: EpochView,
): Promise<Author> {
  const author = authorOf(authenticated.content, findMember);
  await verifyAuthenticatedContent(suite, authenticated, { publicKey: author.signatureKey, context });
  return author;
}

/** Opens one private message and verifies its author. A message that is refused changes nothing (T-26). */
export async function openPrivate<S extends KnowingState>(
  state: S,
  message: PrivateMessage,
  rules: MessageRules,
): Promise<OpenedPrivate<S>> {
  return openWith(state, message, openingKeys(state, message, rules));
}

/** A private message that opened, with its author, and the state without its key. */
type OpenedPrivate<S extends KnowingState> = Transition<S> & { readonly opened: Unprotected; readonly author: Author };

/** The same with what opens the message: `view` is of its epoch. */
export async function openWith<S extends KnowingState>(
  state: S,
  message: PrivateMessage,
  view: EpochView,
): Promise<OpenedPrivate<S>> {
  const { outcomes, secretTree, consumed } = await unprotectPrivate(state.suite, [message], view);
  const [opened] = outcomes;
  if (opened === undefined || !succeeded(opened)) throw opened ?? new RangeError("A message has an outcome");
  const author = await verifyAuthor(state.suite, opened, view);
  return { opened, author, state: withSecretTree(state, message.epoch, secretTree), consumed };
}

/** What a message says whose author is verified. */
export function applicationFrom({ authenticated, generation }: Unprotected, sender: Author): OpenedApplication {
  const { content, authenticatedData, epoch } = authenticated.content;
  if (content.contentType !== "application") throw wrongSender("A handshake among application messages", "R-6.3-1");
  return { kind: "application", epoch, authenticatedData, data: content.applicationData, sender, generation };
}

/** The state without the keys that the messages of an epoch took. */
export function withSecretTree<S extends KnowingState>(state: S, epoch: bigint, secretTree: SecretTree): S {
  if (epoch === state.context.epoch) return { ...state, secretTree };
  const pastEpochs = state.pastEpochs.map((past) => (past.context.epoch === epoch ? { ...past, secretTree } : past));
  return { ...state, pastEpochs };
}
