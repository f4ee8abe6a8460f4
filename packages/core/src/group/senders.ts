/** Who may send what in an epoch (RFC 9420 §6, §6.1): the checks that members and observers make of any message. */

import { type Bytes, equalBytes } from "../codec/bytes.ts";
import { CoppiceError } from "../errors.ts";
import { findExternalSenders } from "../extensions/extension.ts";
import type { FramedContent } from "../framing/framed-content.ts";
import { ProposalType } from "../framing/proposal.ts";
import type { PublicGroupState } from "../state/group-state.ts";
import type { Identity } from "../identity/authentication.ts";
import type { KnownLeaves } from "../tree/loaded-leaves.ts";

export const wrongEpoch = (message: string, requirement: string, detail = {}): CoppiceError =>
  new CoppiceError("ERR_MLS_EPOCH", message, { requirement, detail });

/** Before any cryptography (R-6-8). */
export function checkGroup(
  state: Pick<PublicGroupState, "context">,
  { groupId, epoch }: { groupId: Bytes; epoch: bigint },
): void {
  if (!equalBytes(groupId, state.context.groupId)) throw wrongEpoch("The message is for another group", "R-6-8");
  if (epoch > state.context.epoch) {
    throw wrongEpoch("The message is from an epoch to come: process the Commits before it", "R-6-8", {
      epoch: state.context.epoch,
      received: epoch,
    });
  }
}

/** Handshakes are of the current epoch (R-12.4.2-1). */
export function checkCurrentEpoch(state: Pick<PublicGroupState, "context">, epoch: bigint): void {
  if (epoch !== state.context.epoch) {
    throw wrongEpoch("The message is from a past epoch", "R-12.4.2-1", { epoch: state.context.epoch, received: epoch });
  }
}

export const wrongSender = (message: string, requirement: string): CoppiceError =>
  new CoppiceError("ERR_MLS_SENDER", message, { requirement });

/** A member, and the leaf of the epoch in which it wrote. */
export type Author = Identity & { readonly leafIndex: number };

/** The member who is the author; `ERR_MLS_SENDER` if there is none. */
export function authorOf({ sender }: FramedContent, findMember: (leaf: number) => Identity | undefined): Author {
  if (sender.senderType === "member") {
    const member = findMember(sender.leafIndex);
    if (member !== undefined) {
      return { leafIndex: sender.leafIndex, credential: member.credential, signatureKey: member.signatureKey };
    }
  }
  throw wrongSender("The sender is not a member", "R-6.1-4");
}

/** The key that must have signed, by the type of sender (R-6.1-4 to R-6.1-7). */
export function senderKey(
  state: Pick<PublicGroupState, "context"> & { readonly tree: KnownLeaves },
  framed: FramedContent,
): Bytes {
  const { sender, content } = framed;
  switch (sender.senderType) {
    case "member":
      return authorOf(framed, (leaf) => state.tree.findLeaf(leaf)).signatureKey;
    case "external": {
      const found = findExternalSenders(state.context.extensions)[sender.senderIndex];
      if (found === undefined) throw wrongSender("There is no such external sender", "R-12.1.8-2");
      if (content.contentType !== "proposal") throw wrongSender("External senders send proposals only", "R-6.1-5");
      return found.signatureKey;
    }
    case "new_member_proposal":
      if (content.contentType !== "proposal" || content.proposal.proposalType !== ProposalType.add) {
        throw wrongSender("A new member proposes nothing but its own Add", "R-6.1-7");
      }
      return content.proposal.keyPackage.leafNode.signatureKey;
    case "new_member_commit":
      if (content.contentType !== "commit" || content.commit.path === undefined) {
        throw wrongSender("A new member commits with a path", "R-6.1-6");
      }
      return content.commit.path.leafNode.signatureKey;
  }
}
