/**
 * Following a group without being in it (RFC 9750 §5.3): a Delivery Service or an auditor starts from a GroupInfo and judges
 * public handshakes as a member would. What only secrets show stays unseen: membership tags, confirmation tags, and whether
 * the ciphertexts of a path hold what its public keys say.
 */
import { untilAborted } from "@coppice/kit";
import type { Bytes } from "../codec/bytes.ts";
import { encode } from "../codec/codec.ts";
import { provisionalContext } from "../commit/epoch.ts";
import { type CommitEffect, validateCommit } from "../commit/validate.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { makeProposalRef } from "../crypto/labels.ts";
import { CoppiceError } from "../errors.ts";
import {
  type AuthenticatedContent,
  type FramedContent,
  authenticatedContent,
  confirmedTranscriptHashInput,
  verifyAuthenticatedContent,
} from "../framing/framed-content.ts";
import type { GroupInfo } from "../framing/group-info.ts";
import { type MlsMessage, decodeMessage, groupInfoOf, isDecoded } from "../framing/mls-message.ts";
import type { Proposal } from "../framing/proposal.ts";
import { refuseApplicationData } from "../framing/public-message.ts";
import { checkGroupInfo, readTree, unusableGroupInfo } from "./check-group-info.ts";
import { cacheProposal } from "./send.ts";
import { checkCurrentEpoch, checkGroup, senderKey, wrongSender } from "./senders.ts";
import { type PublicGroupState, requireActive } from "../state/group-state.ts";
import type { Progress } from "../in-flight.ts";
import { checkAuthenticatedData } from "../framing/protect.ts";
import { checkProposal } from "../proposal/validate-list.ts";
import type { Rules } from "../rules.ts";
import { checkOutsidePolicy } from "../proposal/policy.ts";
import { confirmedTranscriptHash, interimTranscriptHash } from "../schedule/transcript-hash.ts";

/** What an observer starts from, beside the GroupInfo. */
export interface ObserveOptions extends Progress {
  readonly suite: CipherSuite;
  readonly rules: Rules;
  /** An encoded `ratchet_tree`, for GroupInfos that do not carry it. */
  readonly ratchetTree?: Uint8Array;
}

/** A proposal that waits for a Commit. */
export interface ObservedProposal {
  readonly kind: "proposal";
  readonly state: PublicGroupState;
  readonly proposal: Proposal;
  readonly ref: Bytes;
  readonly sender: FramedContent["sender"];
}

/** A Commit; `state` is in the next epoch. */
export interface ObservedCommit {
  readonly kind: "commit";
  readonly state: PublicGroupState;
  readonly effect: CommitEffect;
}

/**
 * Begins to follow a group, at the epoch of a GroupInfo that a member signed, encoded as an `MLSMessage` or decoded; its tree is
 * checked as a joiner checks it.
 * `ERR_MLS_GROUP_INFO`, `ERR_MLS_SIGNATURE`, `ERR_MLS_TREE` and the codes of leaf validation.
 *
 * @example
 * ```ts run
 * import { createCommit, createGroupInfo, observeGroup, observeMessage } from "@coppice/core";
 * import { alice, rules, suite } from "./example-group.ts"; // docs/examples
 *
 * const info = await createGroupInfo(alice.state, alice.signer);
 * const observer = await observeGroup(info, { suite, rules });
 *
 * const { signer } = alice;
 * const commit = await createCommit(alice.state, { rules, signer, wireFormat: "mls_public_message" });
 * const observed = await observeMessage(observer, commit.staged.commit, { rules });
 * console.assert(observed.kind === "commit" && observed.state.context.epoch === 2n);
 * ```
 */
export async function observeGroup(
  groupInfo: Uint8Array | GroupInfo,
  options: ObserveOptions,
): Promise<PublicGroupState> {
  const { suite, rules } = options;
  const info = groupInfoOf(groupInfo, rules.limits);
  const tree = readTree(suite, info, options.ratchetTree, rules.limits);
  if (tree === undefined) {
    throw unusableGroupInfo("Neither the GroupInfo nor the caller has the ratchet tree", "R-12.4.3.1-7");
  }
  await untilAborted(checkGroupInfo(suite, info, { ...options, tree }), options.signal);
  const { groupContext: context, confirmationTag } = info;
  return {
    suite,
    status: "active",
    reinit: undefined,
    context,
    tree,
    interimTranscriptHash: interimTranscriptHash(suite, context.confirmedTranscriptHash, confirmationTag),
    confirmationTag,
    proposals: new Map(),
  };
}

/**
 * Judges a public handshake of the current epoch. Throws what a member would throw, and `ERR_MLS_DECODE` for any other
 * message: application messages and encrypted handshakes cannot be followed. `state` stays as it is.
 *
 * @example
 * ```ts run
 * import { createGroupInfo, createProposal, observeGroup, observeMessage, ProposalType } from "@coppice/core";
 * import { alice, bob, rules, suite } from "./example-group.ts"; // docs/examples
 *
 * const observer = await observeGroup(await createGroupInfo(alice.state, alice.signer), { suite, rules });
 * const remove = { proposalType: ProposalType.remove, removed: bob.state.leafIndex } as const;
 * const options = { rules, signer: bob.signer, wireFormat: "mls_public_message" } as const;
 * const leaving = await createProposal(bob.state, remove, options);
 * const observed = await observeMessage(observer, leaving.message, { rules });
 * console.assert(observed.kind === "proposal" && observed.state.proposals.size === 1);
 * ```
 */
export async function observeMessage(
  state: PublicGroupState,
  message: Uint8Array | MlsMessage,
  { rules }: { readonly rules: Rules },
): Promise<ObservedProposal | ObservedCommit> {
  const decoded = isDecoded<MlsMessage>(message, "wireFormat", "message")
    ? message
    : decodeMessage(message, rules.limits);
  if (decoded.wireFormat !== "mls_public_message") {
    throw new CoppiceError("ERR_MLS_DECODE", `A public message expected, ${decoded.wireFormat} received`, {
      detail: { received: decoded.wireFormat },
    });
  }
  const { content, auth } = decoded.publicMessage;
  requireActive(state);
  checkGroup(state, content);
  checkCurrentEpoch(state, content.epoch);
  checkAuthenticatedData(content, state.context, rules);
  refuseApplicationData(content);
  const authenticated: AuthenticatedContent = { wireFormat: "mls_public_message", content, auth };
  const { suite, context } = state;
  const publicKey = senderKey(state, content);
  await verifyAuthenticatedContent(suite, authenticated, { publicKey, context });

  switch (content.content.contentType) {
    case "commit": {
      const { commit } = content.content;
      const { applied, tree, effect } = await validateCommit(state, { authenticated, commit }, rules);
      const provisional = provisionalContext(suite, context, tree, applied);
      const next = enterPublicEpoch(state, authenticated, { ...state, context: provisional, tree });
      const { reinit } = applied;
      const status = reinit === undefined ? "active" : "reinitialised";
      return { kind: "commit", state: { ...next, status, reinit }, effect };
    }
    case "proposal": {
      const { proposal } = content.content;
      const { sender } = content;
      checkProposal(suite, { proposal, sender }, { tree: state.tree, rules });
      await checkOutsidePolicy(rules, { proposal, sender });
      const ref = makeProposalRef(suite, encode(authenticatedContent, authenticated));
      return { kind: "proposal", state: cacheProposal(state, { proposal, sender, ref }, rules), proposal, ref, sender };
    }
    case "application":
      throw wrongSender("Application data among handshakes", "R-6-1");
  }
}

/** Moves the transcript hashes on; the confirmation tag is taken as the Commit has it. */
function enterPublicEpoch(
  before: PublicGroupState,
  authenticated: AuthenticatedContent,
  provisional: PublicGroupState,
): PublicGroupState {
  const { suite } = before;
  const { confirmationTag } = authenticated.auth;
  if (confirmationTag === undefined) throw new TypeError("A decoded Commit has a confirmation tag");
  const input = confirmedTranscriptHashInput(authenticated);
  const confirmed = confirmedTranscriptHash(suite, before.interimTranscriptHash, input);
  return {
    ...provisional,
    context: { ...provisional.context, confirmedTranscriptHash: confirmed },
    interimTranscriptHash: interimTranscriptHash(suite, confirmed, confirmationTag),
    confirmationTag,
    proposals: new Map(),
  };
}
