/** Receiving messages (RFC 9420 §6.1, §12.1, §12.4.2, §15). A message that is refused changes nothing (T-26). */
import type { Bytes } from "../codec/bytes.ts";
import { encode } from "../codec/codec.ts";
import { type ProcessedCommit, processCommit } from "../commit/process.ts";
import { makeProposalRef } from "../crypto/labels.ts";
import { CoppiceError } from "../errors.ts";
import {
  type AuthenticatedContent,
  type FramedContent,
  type FramedWireFormat,
  authenticatedContent,
  verifyAuthenticatedContent,
} from "../framing/framed-content.ts";
import { type MlsMessage, decodeMessage, isDecoded } from "../framing/mls-message.ts";
import type { PrivateMessage } from "../framing/private-message.ts";
import type { Proposal } from "../framing/proposal.ts";
import { type PublicMessage, unprotectPublic } from "../framing/public-message.ts";
import {
  type GroupState,
  type KnowingState,
  type Transition,
  requireActive,
  requireReadable,
} from "../state/group-state.ts";
import { checkAuthenticatedData } from "../framing/protect.ts";
import { checkProposal, checkWireFormat } from "../proposal/validate-list.ts";
import type { Rules } from "../rules.ts";
import { checkOutsidePolicy } from "../proposal/policy.ts";
import { type OpenedApplication, applicationFrom, openPrivate } from "./open-private.ts";
import { cacheProposal } from "./send.ts";
import { checkCurrentEpoch, checkGroup, senderKey, wrongSender } from "./senders.ts";

interface Received extends Transition {
  readonly epoch: bigint;
  /** Sent in clear by the sender, authenticated. */
  readonly authenticatedData: Bytes;
}

/** An application message that opened and verified. */
export type ReceivedApplication = Received & OpenedApplication;

/** A proposal that waits in `state.proposals` for a Commit. */
export interface ReceivedProposal extends Received {
  readonly kind: "proposal";
  readonly proposal: Proposal;
  readonly ref: Bytes;
  readonly sender: FramedContent["sender"];
}

/** A Commit that was applied: `state` is in the next epoch. */
export interface ReceivedCommit extends Received {
  readonly kind: "commit";
  readonly effect: ProcessedCommit["effect"];
}

/** What a message was, by `kind`. */
export type ReceivedMessage = ReceivedApplication | ReceivedProposal | ReceivedCommit;

/**
 * Processes a message of this group: encoded, or decoded already. Returns the next state and what the message said or did.
 * Store the state, then erase `consumed`. For an own Commit that comes back, see `adoptCommit`; own private messages cannot
 * be opened (T-27): `ERR_MLS_ECHO`, where a message of somebody else that comes again is `ERR_MLS_REPLAY`.
 *
 * @example
 * ```ts run
 * import { createApplicationMessage, erase, processMessage, utf8 } from "@coppice/core";
 * import { alice, bob, rules } from "./example-group.ts"; // docs/examples
 *
 * const { message } = await createApplicationMessage(alice.state, utf8("hello"), { rules, signer: alice.signer });
 * const received = await processMessage(bob.state, message, { rules });
 * switch (received.kind) {
 *   case "application":
 *     console.assert(new TextDecoder().decode(received.data) === "hello");
 *     break;
 *   case "proposal":
 *   case "commit":
 * }
 * // Store received.state, then:
 * erase(...received.consumed);
 * ```
 */
export async function processMessage(
  state: GroupState,
  message: Uint8Array | MlsMessage,
  { rules }: { readonly rules: Rules },
): Promise<ReceivedMessage> {
  const decoded = decodeGroupMessage(message, rules);
  return decoded.wireFormat === "mls_public_message"
    ? await receivePublic(state, decoded.publicMessage, rules)
    : await receivePrivate(state, decoded.privateMessage, rules);
}

/** `ERR_MLS_DECODE` for what is malformed or not sent to a group. */
export function decodeGroupMessage(
  message: Uint8Array | MlsMessage,
  { limits }: Pick<Rules, "limits">,
): Extract<MlsMessage, { wireFormat: FramedWireFormat }> {
  const decoded = isDecoded<MlsMessage>(message, "wireFormat", "message") ? message : decodeMessage(message, limits);
  if (decoded.wireFormat === "mls_public_message" || decoded.wireFormat === "mls_private_message") return decoded;
  throw new CoppiceError("ERR_MLS_DECODE", `${decoded.wireFormat} is not a message to a group`, {
    detail: { received: decoded.wireFormat },
  });
}

async function receivePublic(state: GroupState, message: PublicMessage, rules: Rules): Promise<ReceivedMessage> {
  requireActive(state);
  checkGroup(state, message.content);
  checkCurrentEpoch(state, message.content.epoch);
  const { suite, context, secrets } = state;
  checkAuthenticatedData(message.content, context, rules);
  const authenticated = unprotectPublic(suite, message, { membershipKey: secrets.membershipKey, context });
  const publicKey = senderKey(state, authenticated.content);
  await verifyAuthenticatedContent(suite, authenticated, { publicKey, context });
  return handleHandshake({ state, consumed: [] }, authenticated, rules);
}

async function receivePrivate(state: GroupState, message: PrivateMessage, rules: Rules): Promise<ReceivedMessage> {
  (message.contentType === "application" ? requireReadable : requireActive)(state);
  const { opened, author, ...transition } = await openPrivate(state, message, rules);
  return message.contentType === "application"
    ? { ...applicationFrom(opened, author), ...transition }
    : handleHandshake(transition, opened.authenticated, rules);
}

/** A proposal or Commit of the current epoch whose signature verified. */
async function handleHandshake(
  { state, consumed }: Transition,
  authenticated: AuthenticatedContent,
  rules: Rules,
): Promise<ReceivedProposal | ReceivedCommit> {
  const { content, sender, epoch, authenticatedData } = authenticated.content;
  if (content.contentType === "commit") {
    const { commit } = content;
    const done = await processCommit(state, { authenticated, commit }, rules);
    return { kind: "commit", ...done, consumed: [...consumed, ...done.consumed], epoch, authenticatedData };
  }
  if (content.contentType === "application") throw wrongSender("Application data among handshakes", "R-6-1");
  const { proposal } = content;
  const { state: next, ref } = await keepProposal(state, { authenticated, proposal }, { tree: state.tree, rules });
  return { kind: "proposal", state: next, consumed, proposal, ref, sender, epoch, authenticatedData };
}

/** Checks a proposal whose signature verified, and caches it. `tree` says who is a member. */
export async function keepProposal<S extends Pick<KnowingState, "suite" | "proposals">>(
  state: S,
  { authenticated, proposal }: { readonly authenticated: AuthenticatedContent; readonly proposal: Proposal },
  { tree, rules }: { readonly tree: Parameters<typeof checkProposal>[2]["tree"]; readonly rules: Rules },
): Promise<{ readonly state: S; readonly ref: Bytes }> {
  const { sender } = authenticated.content;
  checkProposal(state.suite, { proposal, sender }, { tree, rules });
  checkWireFormat({ proposal }, authenticated.wireFormat, rules);
  await checkOutsidePolicy(rules, { proposal, sender });
  const ref = makeProposalRef(state.suite, encode(authenticatedContent, authenticated));
  return { state: cacheProposal(state, { proposal, sender, ref }, rules), ref };
}
