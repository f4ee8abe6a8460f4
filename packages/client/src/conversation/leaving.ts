/** Leaving a group (RFC 9420 §12.1.3): nobody can remove himself, so the others are asked to. */
import { createProposal, ProposalType } from "@coppice/core";
import type { Account } from "../account/account.ts";
import { leavesOf } from "./roster.ts";
import type { Transaction } from "./transaction.ts";

/** Asks the others to remove this user, in the current epoch: a proposal does not outlive its epoch. */
export async function proposeToLeave(transaction: Transaction, account: Account): Promise<void> {
  const { rules } = transaction;
  for (const removed of leavesOf(await transaction.group(), account.user)) {
    const state = await transaction.group();
    const proposal = { proposalType: ProposalType.remove, removed } as const;
    const sent = await createProposal(state, proposal, { rules, signer: account.signer });
    transaction.step(sent);
    const sealed = { epoch: state.context.epoch, message: sent.message };
    transaction.enqueue({ item: 0, sealed, resent: false });
  }
}
