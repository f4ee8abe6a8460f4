/** Messages with the proof of their sender (Partial MLS, "Sender-Authenticated Messages", "Application Messages"). */
import type { Bytes } from "../../codec/bytes.ts";
import { leaveGroup } from "../../commit/epoch.ts";
import { resolveProposals } from "../../commit/validate.ts";
import { CoppiceError } from "../../errors.ts";
import {
  type AuthenticatedContent,
  type FramedWireFormat,
  verifyAuthenticatedContent,
} from "../../framing/framed-content.ts";
import type { PrivateMessage } from "../../framing/private-message.ts";
import { type Proposal, ProposalType } from "../../framing/proposal.ts";
import { type MessageRules, checkAuthenticatedData } from "../../framing/protect.ts";
import { type PublicMessage, unprotectPublic } from "../../framing/public-message.ts";
import { type OpenedApplication, applicationFrom, openingKeys, openWith } from "../../group/open-private.ts";
import { decodeGroupMessage, keepProposal } from "../../group/receive.ts";
import { checkCurrentEpoch, checkGroup, senderKey, wrongSender } from "../../group/senders.ts";
import type { MlsMessage } from "../../framing/mls-message.ts";
import type { Rules } from "../../rules.ts";
import { type Transition, requireActive, requireReadable } from "../../state/group-state.ts";
import { checkProposalCount } from "../../proposal/validate-list.ts";
import type { MembershipProof } from "./membership-proof.ts";
import { type PartialGroupState, admitProof } from "./partial-state.ts";
import { type SenderAuthenticatedMessage, received, senderAuthenticatedMessage } from "./wire-types.ts";

/** What a message was, by `kind`. */
export type PartiallyReceived =
  | (Transition<PartialGroupState> & OpenedApplication)
  | (Transition<PartialGroupState> & {
      /** A proposal that waits in `state.proposals` for a Commit. */
      readonly kind: "proposal";
      readonly proposal: Proposal;
      readonly ref: Bytes;
      readonly sender: AuthenticatedContent["content"]["sender"];
    })
  | (Transition<PartialGroupState> & {
      /** A Commit that removed this member: the state is closed and cleared. */
      readonly kind: "removed";
    });

/**
 * Processes a SenderAuthenticatedMessage, encoded or decoded: an application message of an epoch whose keys are kept, or a proposal of
 * the current one. What it holds is not written in it, so that whoever delivers it says the `wireFormat`. A Commit is refused with
 * `ERR_MLS_STATE` unless it removes this member (P-10-11): others come as AnnotatedCommits. Store the state, then erase `consumed`.
 * `ERR_MLS_TREE` for a proof of another tree, `ERR_MLS_SENDER` for that of another member (P-7-2), and the codes of `processMessage`.
 */
export async function processSenderAuthenticated(
  state: PartialGroupState,
  message: Uint8Array | SenderAuthenticatedMessage,
  { wireFormat, rules }: { readonly wireFormat: FramedWireFormat; readonly rules: Rules },
): Promise<PartiallyReceived> {
  const { limits } = rules;
  const codec = senderAuthenticatedMessage(wireFormat);
  const decoded = received(codec, message, { field: "senderMembershipProof", limits });
  const { senderMembershipProof: proof } = decoded;
  if (decoded.message.wireFormat === "mls_private_message") {
    const { privateMessage } = decoded.message;
    (privateMessage.contentType === "application" ? requireReadable : requireActive)(state);
    const { opened, author, ...transition } = await openPrivateProven(state, privateMessage, { proof, rules });
    return privateMessage.contentType === "application"
      ? { ...applicationFrom(opened, author), ...transition }
      : handleHandshake(transition, opened.authenticated, rules);
  }
  requireActive(state);
  const verified = await verifyPublicProven(state, decoded.message.publicMessage, { proof, rules });
  return handleHandshake({ state: verified.state, consumed: [] }, verified.authenticated, rules);
}

/**
 * Processes a proposal by somebody who is no member, and so has no proof: an external sender of the group, or a client that asks to be
 * added. Refuses with the codes of `processMessage`, and `ERR_MLS_SENDER` for a member's message (P-7-2).
 */
export async function processOutsideProposal(
  state: PartialGroupState,
  message: Uint8Array | MlsMessage,
  { rules }: { readonly rules: Rules },
): Promise<PartiallyReceived> {
  requireActive(state);
  const decoded = decodeGroupMessage(message, rules);
  if (decoded.wireFormat === "mls_private_message" || decoded.publicMessage.content.sender.senderType === "member") {
    throw wrongSender("A member's message comes with its membership proof", "P-7-2");
  }
  const authenticated = await verifyPublic(state, decoded.publicMessage, rules);
  return handleHandshake({ state, consumed: [] }, authenticated, rules);
}

/** What to open a message with, beside the state. */
interface Proven {
  readonly proof: MembershipProof;
  readonly rules: Rules;
}

const otherSender = (): CoppiceError => wrongSender("The membership proof is not that of the sender", "P-7-2");

/** Opens a private message whose sender is the one that was proven. */
export async function openPrivateProven(
  before: PartialGroupState,
  message: PrivateMessage,
  { proof, rules }: Proven,
): ReturnType<typeof openWith<PartialGroupState>> {
  checkGroup(before, message);
  const { state, slice } = await admitProof(before, proof, { rules, epoch: message.epoch });
  return openWith(state, message, {
    ...openingKeys(state, message, rules),
    isMember: (leaf) => {
      if (leaf === slice.leafIndex) return true;
      throw otherSender();
    },
  });
}

/** Verifies a public message whose sender is the one that was proven. */
export async function verifyPublicProven(
  before: PartialGroupState,
  message: PublicMessage,
  { proof, rules }: Proven,
): Promise<{ readonly state: PartialGroupState; readonly authenticated: AuthenticatedContent }> {
  const { sender, epoch } = message.content;
  checkGroup(before, message.content);
  checkCurrentEpoch(before, epoch);
  if (sender.senderType !== "member" || sender.leafIndex !== proof.leafIndex) throw otherSender();
  const { state } = await admitProof(before, proof, { rules, epoch });
  return { state, authenticated: await verifyPublic(state, message, rules) };
}

/** Verifies a public message of somebody who is known, or no member. */
export async function verifyPublic(
  state: PartialGroupState,
  message: PublicMessage,
  rules: MessageRules,
): Promise<AuthenticatedContent> {
  checkGroup(state, message.content);
  checkCurrentEpoch(state, message.content.epoch);
  const { suite, context, secrets } = state;
  checkAuthenticatedData(message.content, context, rules);
  const authenticated = unprotectPublic(suite, message, { membershipKey: secrets.membershipKey, context });
  const publicKey = senderKey(state, authenticated.content);
  await verifyAuthenticatedContent(suite, authenticated, { publicKey, context });
  return authenticated;
}

/** Any leaf may be a member, as far as a partial member knows. */
export const anyLeaf = ({
  tree: { leafCount },
}: Pick<PartialGroupState, "tree">): { findLeaf: (index: number) => object | undefined } => ({
  findLeaf: (index) => (index < leafCount ? {} : undefined),
});

async function handleHandshake(
  { state, consumed }: Transition<PartialGroupState>,
  authenticated: AuthenticatedContent,
  rules: Rules,
): Promise<PartiallyReceived> {
  const { content, sender } = authenticated.content;
  if (content.contentType === "application") throw wrongSender("Application data among handshakes", "R-6-1");
  if (content.contentType === "proposal") {
    const { proposal } = content;
    const kept = await keepProposal(state, { authenticated, proposal }, { tree: anyLeaf(state), rules });
    return { kind: "proposal", ...kept, consumed, proposal, sender };
  }
  checkProposalCount(content.commit.proposals.length, rules.limits);
  const proposals = resolveProposals(state, content.commit, { committer: sender, rules });
  if (!proposals.some(({ proposal }) => removes(proposal, state))) {
    throw new CoppiceError("ERR_MLS_STATE", "A partial member follows AnnotatedCommits only", {
      requirement: "P-10-11",
    });
  }
  const left = leaveGroup(state);
  return { kind: "removed", ...left, consumed: [...consumed, ...left.consumed] };
}

/** Whether a proposal is the Remove of this member. */
export const removes = (proposal: Proposal, { leafIndex }: Pick<PartialGroupState, "leafIndex">): boolean =>
  proposal.proposalType === ProposalType.remove && proposal.removed === leafIndex;
