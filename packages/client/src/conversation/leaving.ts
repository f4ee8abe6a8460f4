/** Leaving a group (RFC 9420 §12.1.3): nobody can remove himself, so the others are asked to. */
import { createProposal, ProposalType, type GroupState } from "@coppice/core";
import type { Account } from "../account/account.ts";
import { leavesOf } from "./roster.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Asks the others to remove this user, once in each epoch, since a proposal does not outlive its epoch. From then on nothing can be
 * sealed in the epoch (R-12.4-3): all messages that wait leave before.
 */
export async function proposeToLeave(transaction: Transaction, account: Account): Promise<void> {
  const { rules } = transaction;
  if (hasProposed(await transaction.group())) return;
  for (const removed of leavesOf(await transaction.group(), account.user)) {
    const state = await transaction.group();
    const proposal = { proposalType: ProposalType.remove, removed } as const;
    const sent = await createProposal(state, proposal, { rules, signer: account.signer });
    transaction.step(sent);
    const sealed = { epoch: state.context.epoch, message: sent.message };
    transaction.enqueue({ item: 0, sealed, resent: false });
  }
}

/** Whether this client's own proposal waits for a Commit: nothing else than leaving makes it propose a Remove. */
const hasProposed = ({ proposals, leafIndex }: GroupState): boolean =>
  [...proposals.values()].some(({ sender, proposal: { proposalType } }) => {
    const isOwn = sender.senderType === "member" && sender.leafIndex === leafIndex;
    return isOwn && proposalType === ProposalType.remove;
  });
