/** What follows from a new epoch, whoever committed it. */
import {
  adoptCommit,
  createProposal,
  decodeStagedCommit,
  discardCommit,
  encodeStagedCommit,
  equalBytes,
  ProposalType,
  type CommitEffect,
  type GroupState,
  type Rules,
  type StagedCommit,
} from "@coppice/core";
import { userOf } from "../account/authentication.ts";
import type { Account } from "../account/account.ts";
import type { PendingRecord } from "../records/conversation.ts";
import { markFailed } from "./outbox.ts";
import { withEnd } from "./past-epochs.ts";
import { changedRoster, leafChanges, leavesOf, rosterOf, type LeafChanges, type Roster } from "./roster.ts";
import type { NewItem, Transaction } from "./transaction.ts";
import { titleOf } from "./title.ts";

/** The staged commit for the record, which has the commit itself beside it. */
export function encodeStaged(state: GroupState, staged: StagedCommit, rules: Rules): PendingRecord["staged"] {
  return encodeStagedCommit(state, { ...staged, commit: new Uint8Array(0) }, rules);
}

/** The pending commit as core made it; decoded if another context, or this one before it was closed, has made it. */
export async function stagedOf(transaction: Transaction, { commit, staged }: PendingRecord): Promise<StagedCommit> {
  const made = transaction.staged;
  if (made !== undefined && equalBytes(made.commit, commit)) return made;
  return { ...(await decodeStagedCommit(await transaction.group(), staged)), commit };
}

/** Enters the epoch of the pending commit, which the Delivery Service accepted: at `at` by its clock, if that is known. */
export async function adoptPending(
  transaction: Transaction,
  { account, at, now }: { readonly account: Account; readonly at: number | undefined; readonly now: number },
): Promise<void> {
  const { pending } = transaction;
  if (pending === undefined) throw new RangeError("There is no pending commit to adopt");
  const staged = await stagedOf(transaction, pending);
  const before = await transaction.group();
  transaction.step(adoptCommit(before, staged, transaction.rules));
  transaction.setPending(undefined);
  const changes = leafChanges(staged);
  await enterNewEpoch(transaction, { account, before, actor: account.user, changes, endedAt: at, at: at ?? now });
}

/** Drops the pending commit, if there is one, and erases what this context has of its secrets (R-14-2). */
export async function dropPending(transaction: Transaction): Promise<void> {
  const { pending, staged } = transaction;
  if (staged !== undefined && pending !== undefined && equalBytes(staged.commit, pending.commit)) {
    const state = await transaction.group();
    transaction.step({ state, consumed: discardCommit(state, staged) });
  }
  transaction.setPending(undefined);
}

/** Records another member's commit, which `transaction` has stepped over already. */
export async function recordCommit(
  transaction: Transaction,
  {
    account,
    before,
    effect,
    at,
  }: { readonly account: Account; readonly before: GroupState; readonly effect: CommitEffect; readonly at: number },
): Promise<void> {
  const { committer, external } = effect;
  const changes = leafChanges({ ...effect, joined: external ? committer : undefined });
  const actor = userOf(committer.leafNode);
  await enterNewEpoch(transaction, { account, before, actor, changes, endedAt: at, at });
}

interface Entry {
  readonly account: Account;
  readonly before: GroupState;
  readonly actor: string;
  readonly changes: LeafChanges;
  /** The Delivery Service's clock. */
  readonly endedAt: number | undefined;
  /** For the history. */
  readonly at: number;
}

async function enterNewEpoch(transaction: Transaction, entry: Entry): Promise<void> {
  const { account, before, changes, endedAt } = entry;
  const after = await transaction.group();
  const former = rosterOf(before);
  const roster = after.status === "removed" ? former : changedRoster(before, after, changes);
  const { titleKey } = transaction.summary;
  const title = await titleOf(after, titleKey);
  const renamedTo = title === (await titleOf(before, titleKey)) ? undefined : title;
  transaction.addItem(changeItem(entry, after, { former, roster, renamedTo }));
  transaction.setSummary({
    title,
    status: after.status === "reinitialised" ? "closed" : after.status,
    epoch: after.context.epoch,
    memberCount: roster.size,
    proposed: false,
    ended: withEnd(transaction.summary.ended, { epoch: before.context.epoch, at: endedAt }),
  });
  // What waited for the old epoch has lost its meaning.
  await dropPending(transaction);
  for (const [number, { item }] of transaction.outbox) if (item === 0) transaction.setOutbox(number, undefined);
  if (after.status !== "active") await failOutbox(transaction);
  else if (transaction.summary.leaving) await proposeToLeave(transaction, account);
}

/** Who came and went: people, not their single devices. */
function changeItem(
  { before, actor, changes, at }: Entry,
  after: GroupState,
  {
    former,
    roster,
    renamedTo,
  }: { readonly former: Roster; readonly roster: Roster; readonly renamedTo: string | undefined },
): NewItem {
  const isRemoved = after.status === "removed";
  const users = (leaves: LeafChanges["added"]): string[] => [...new Set(leaves.map(({ user }) => user))];
  const gone = users(changes.removed).filter((user) => isRemoved || !roster.has(user));
  const asked = new Set(gone.filter((user) => hasAskedToLeave(before, user, changes)));
  return {
    kind: "change",
    at,
    epoch: before.context.epoch + 1n,
    actor,
    added: users(changes.added).filter((user) => !former.has(user)),
    removed: gone.filter((user) => !asked.has(user)),
    left: gone.filter((user) => asked.has(user)),
    renamedTo,
    joined: false,
  };
}

/** Whether one of the user's own leaves proposed the removal. */
function hasAskedToLeave(before: GroupState, user: string, { removed }: LeafChanges): boolean {
  const leaves = new Set<number>(removed.filter((leaf) => leaf.user === user).map(({ leafIndex }) => leafIndex));
  for (const { proposal, sender } of before.proposals.values()) {
    if (proposal.proposalType !== ProposalType.remove || !leaves.has(proposal.removed)) continue;
    if (sender.senderType !== "member") continue;
    const leaf = before.tree.findLeaf(sender.leafIndex);
    if (leaf !== undefined && userOf(leaf) === user) return true;
  }
  return false;
}

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

/** Nothing can be sent to a group that this client is not in. */
async function failOutbox(transaction: Transaction): Promise<void> {
  for (const number of [...transaction.outbox.keys()]) {
    await markFailed(transaction, number, "ERR_CLIENT_NOT_ACTIVE");
  }
}
