/** What follows from a new epoch, whoever committed it. */
import {
  adoptCommit,
  decodeStagedCommit,
  encodeStagedCommit,
  equalBytes,
  type GroupState,
  type ReceivedCommit,
  type Rules,
  type StagedCommit,
} from "@coppice/core";
import { userOf } from "../account/authentication.ts";
import type { PendingRecord } from "../records/conversation.ts";
import { outliveEpoch } from "./outbox.ts";
import { commitDigest, withCommit } from "./own-commits.ts";
import { withEnd } from "./past-epochs.ts";
import { changedPeople, type ChangedLeaves } from "./roster.ts";
import { titleOf } from "./title.ts";
import type { Step, Transaction } from "./transaction.ts";

/** A transaction as far as its pending commit is read. */
type Reader = Pick<Transaction, "pending" | "staged" | "rules" | "group">;

/** The staged commit for the record, which has the commit itself beside it. */
export function encodeStaged(state: GroupState, staged: StagedCommit, rules: Rules): PendingRecord["staged"] {
  return encodeStagedCommit(state, { ...staged, commit: new Uint8Array(0) }, rules);
}

/** The pending commit as core made it; decoded if another context, or this one before it was closed, has made it. */
export async function stagedOf(transaction: Reader, { commit, staged }: PendingRecord): Promise<StagedCommit> {
  const made = transaction.staged;
  if (made !== undefined && equalBytes(made.commit, commit)) return made;
  return { ...(await decodeStagedCommit(await transaction.group(), staged)), commit };
}

/** An epoch that a Commit begins, whoever made it. */
export interface NewEpoch {
  readonly step: Step;
  readonly before: GroupState;
  /** Whether it is the pending commit's, of which nothing is to be dropped. */
  readonly isOwn: boolean;
  readonly actor: string;
  readonly leaves: ChangedLeaves;
  /** When it ended the one before, by the Delivery Service's clock; undefined if that is not known. */
  readonly endedAt: number | undefined;
  /** For the history. */
  readonly at: number;
}

/** The epoch of the pending commit, which the Delivery Service accepted. */
export async function pendingEpoch(
  transaction: Reader,
  user: string,
  when: Pick<NewEpoch, "endedAt" | "at">,
): Promise<NewEpoch> {
  const { pending, rules } = transaction;
  if (pending === undefined) throw new RangeError("There is no pending commit to adopt");
  const staged = await stagedOf(transaction, pending);
  const before = await transaction.group();
  const step = adoptCommit(before, staged, rules);
  return { step, before, isOwn: true, actor: user, leaves: staged, ...when };
}

/** The epoch of another member's commit. */
export function receivedEpoch(
  { state, consumed, effect }: Pick<ReceivedCommit, "state" | "consumed" | "effect">,
  before: GroupState,
  at: number,
): NewEpoch {
  const { committer, external } = effect;
  const leaves = { ...effect, joined: external ? committer : undefined };
  const actor = userOf(committer.leafNode);
  return { step: { state, consumed }, before, isOwn: false, actor, leaves, endedAt: at, at };
}

/** Enters it: what waited for the old epoch has lost its meaning. */
export async function enterEpoch(transaction: Transaction, entered: NewEpoch): Promise<void> {
  const { step, before, isOwn, actor, leaves, endedAt, at } = entered;
  transaction.step(step);
  const after = await transaction.group();
  const { memberCount, ...people } = changedPeople(before, after, leaves);
  const title = await titleOf(after, transaction.summary.titleKey);
  const renamedTo = title === transaction.summary.title ? undefined : title;
  const { epoch } = before.context;
  // Who is left behind by all others, and wanted to leave as well, has nobody to ask any more.
  const isLast = transaction.summary.leaving && after.status === "active" && memberCount === 1;
  const left = isLast ? [...people.left, actor] : people.left;
  transaction.addItem({ kind: "change", at, epoch: epoch + 1n, actor, ...people, left, renamedTo, joined: false });
  const status = after.status === "reinitialised" ? "closed" : isLast ? "removed" : after.status;
  transaction.setSummary({
    title,
    status,
    epoch: after.context.epoch,
    memberCount,
    proposed: false,
    ended: withEnd(transaction.summary.ended, { epoch, at: endedAt }),
  });
  if (isOwn) settleOwn(transaction, before);
  else await transaction.dropPending();
  await outliveEpoch(transaction, status === "active");
}

/** The pending commit took effect, and the call that made it is to know. */
function settleOwn(transaction: Transaction, state: GroupState): void {
  const { pending } = transaction;
  if (pending === undefined) throw new RangeError("There is no pending commit that took effect");
  transaction.setSummary(withCommit(transaction.summary, commitDigest(state, pending.commit)));
  transaction.setPending(undefined);
}
