/** From an intent to an accepted commit: make, store, submit, adopt; or drop, follow the winner, and make it again. */
import {
  adoptCommit,
  createCommit,
  createGroupInfo,
  encodeMessage,
  equalBytes,
  type Bytes,
  type GroupState,
  type KeyPackage,
  type StagedCommit,
} from "@coppice/core";
import type { CommitOutcome, CommitSubmission, LogPosition } from "@coppice/delivery/contract";
import { isCoppiceError, jitter, untilAborted, type CoppiceError } from "@coppice/kit";
import { identityOf } from "../account/authentication.ts";
import { momentOf } from "../account/clock.ts";
import type { ConversationStatus } from "../api.ts";
import { clientError, isTransient, retryAfter, retryInBackgroundAfter } from "../errors.ts";
import type { Intent, PendingRecord } from "../records/conversation.ts";
import { claim } from "./claim.ts";
import type { Context } from "./context.ts";
import { encodeStaged, enterEpoch, pendingEpoch, stagedOf } from "./epoch-change.ts";
import { proposalsFor, remaining, type Goal } from "./intent.ts";
import { commitDigest, tookEffect } from "./own-commits.ts";
import { advanced, nextSeq } from "./position.ts";
import { Doubtful, processTold } from "./receive.ts";
import { statusOf } from "./snapshot.ts";
import type { Transaction } from "./transaction.ts";
import { titleKeyExtensions } from "./title.ts";

const MAX_ATTEMPTS = 8;

/** What the pipeline needs of the conversation's work with the Delivery Service. */
export interface PipelineHooks {
  /** Registers the group if that has not happened, and reads the log to its end unless that was done since connecting. */
  readonly catchUp: () => Promise<void>;
  /** Reads the log to its end. */
  readonly pull: () => Promise<void>;
  /** Finds out the fate of a pending commit, if there is one. */
  readonly settle: () => Promise<void>;
  /** Waits before the next try to reach the Delivery Service. */
  readonly retryWait: (failures: number, signal: AbortSignal | undefined, atLeast: number) => Promise<void>;
}

export interface CommitRequest {
  readonly intent: Intent;
  /** Default `leaf`: this client's own keys are to be new. */
  readonly update?: Goal["update"];
  /** Ends the wait; a commit that was submitted may still be accepted. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Resolves when the intent has taken effect; waits for the network if need be. Nothing has happened if it rejects, except that a
 * commit whose fate was not known when `signal` aborted may still be accepted.
 */
export async function commit(context: Context, request: CommitRequest, hooks: PipelineHooks): Promise<void> {
  const { turns, pace, scope, time } = context;
  const { intent, signal } = request;
  const claimed = new Map<string, readonly KeyPackage[]>();
  const made: Bytes[] = [];
  const { update = "leaf" } = request;
  const goal = await turns.transact(async (transaction): Promise<Goal> => {
    requireAble(transaction, { update, context });
    const { leafSince, context: group } = await transaction.group();
    return { intent, update, leafSince, epoch: group.epoch, made };
  }, signal);

  const reaching = <T>(work: () => Promise<T>): Promise<T> => untilReached(work, { hooks, signal });
  let attempt = 1;
  for (let round = 1; round <= 2 * MAX_ATTEMPTS && attempt <= MAX_ATTEMPTS; round++) {
    await reaching(() => hooks.catchUp());
    await reaching(() => hooks.settle());
    const todo = await turns.transact(
      (transaction) => left(goal, transaction, { context, strict: attempt === 1 }),
      signal,
    );
    if (todo === undefined) return;
    await reaching(() => claim(todo, claimed, { ...context, signal }));
    const outcome = await reaching(() =>
      turns.transact((transaction) => make(transaction, { goal, claimed, attempt }, context), signal),
    );
    if (outcome === "done") return;
    // Another context's commit is pending, or more key packages are needed: neither is a conflict.
    if (outcome === "again") continue;
    made.push(outcome);
    await reaching(() => hooks.settle());
    if ((await turns.transact((transaction) => left(goal, transaction, { context, strict: false }))) === undefined)
      return;
    await scope.sleep(time, jitter(time, pace.conflict * attempt), signal);
    attempt++;
  }
  throw clientError("ERR_CLIENT_CONFLICT", "The commits of others won every attempt: try again");
}

/** Does the work until the Delivery Service is reached. */
async function untilReached<T>(
  work: () => Promise<T>,
  { hooks, signal }: { readonly hooks: PipelineHooks; readonly signal: AbortSignal | undefined },
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await untilAborted(work(), signal);
    } catch (error) {
      const atLeast = retryAfter(error);
      if (atLeast === undefined) throw error;
      await hooks.retryWait(failures, signal, atLeast);
    }
  }
}

async function left(
  goal: Goal,
  transaction: Transaction,
  { context, strict }: { readonly context: Context; readonly strict: boolean },
): Promise<Intent | undefined> {
  if (tookEffect(transaction.summary, goal.made)) return undefined;
  const state = await transaction.group();
  const todo =
    state.status === "active"
      ? await remaining(goal, state, { strict, titleKey: transaction.summary.titleKey })
      : goal.intent;
  if (todo !== undefined) requireAble(transaction, { update: goal.update, context });
  return todo;
}

/** The proposals of others are committed by who leaves, too, where messages that were sent before wait for that. */
function requireAble(
  transaction: Transaction,
  { update, context }: { readonly update: Goal["update"]; readonly context: Context },
): void {
  if (update === "commit") requireMember(transaction, context);
  else requireUsable(transaction, context);
}

/** `ERR_CLIENT_NOT_ACTIVE` unless this client can take part in the group: it is in it, and has not asked to leave. */
export function requireUsable(transaction: Pick<Transaction, "summary">, context: Pick<Context, "recovery">): void {
  requireMember(transaction, context);
  if (transaction.summary.leaving) throw notActive("active");
}

/** `ERR_CLIENT_NOT_ACTIVE` unless this client is in the group and can follow it. */
export function requireMember(
  { summary }: Pick<Transaction, "summary">,
  { recovery }: Pick<Context, "recovery">,
): void {
  const { status } = statusOf(summary, recovery());
  if (status !== "active") throw notActive(status);
}

const notActive = (status: ConversationStatus): CoppiceError =>
  clientError("ERR_CLIENT_NOT_ACTIVE", "This client does not take part in the conversation now", {
    detail: { status },
  });

/**
 * Makes the commit and stores it as pending, in the one write that also takes its key out of the ratchet. Resolves with the commit's
 * digest.
 */
async function make(
  transaction: Transaction,
  {
    goal,
    claimed,
    attempt,
  }: { readonly goal: Goal; readonly claimed: ReadonlyMap<string, readonly KeyPackage[]>; readonly attempt: number },
  context: Context,
): Promise<Bytes | "again" | "done"> {
  if (transaction.pending !== undefined) return "again";
  const todo = await left(goal, transaction, { context, strict: attempt === 1 });
  if (todo === undefined) return "done";
  if (todo.operation === "add" && todo.users.some((user) => !claimed.has(user))) return "again";
  const staged = await stage(transaction, todo, { claimed, context });
  const state = await transaction.group();
  transaction.setPending(
    { intent: goal.intent, attempt, commit: staged.commit, staged: encodeStaged(state, staged, transaction.rules) },
    staged,
  );
  return commitDigest(state, staged.commit);
}

async function stage(
  transaction: Transaction,
  todo: Intent,
  { claimed, context }: { readonly claimed: ReadonlyMap<string, readonly KeyPackage[]>; readonly context: Context },
): Promise<StagedCommit> {
  const { rules } = transaction;
  const state = await transaction.group();
  const { titleKey } = transaction.summary;
  const options = {
    rules,
    signer: context.account.signer,
    proposals: await proposalsFor(todo, state, { keyPackages: claimed, titleKey }),
    welcomeExtensions: titleKeyExtensions(titleKey),
    // Every own commit refreshes the own leaf (R-3.2-1).
    forcePath: true,
  };
  let made;
  try {
    made = await createCommit(state, options);
  } catch (error) {
    // A received proposal that no commit can contain must not keep the group from going on.
    if (state.proposals.size === 0 || !isCoppiceError(error)) throw error;
    made = await createCommit(state, { ...options, includeCached: false });
  }
  transaction.step(made);
  return made.staged;
}

/**
 * Submits the pending commit, byte for byte as often as it takes, and adopts or drops it by the Delivery Service's word.
 * Rejects while the outcome is unknown, and when the Delivery Service will not have the commit: it is dropped then.
 */
export async function settlePending(context: Context, pull: () => Promise<void>): Promise<void> {
  const { turns, delivery, scope } = context;
  const known = turns.known;
  if (known.work !== undefined && known.work.pending === undefined) return;
  const pending = await turns.transact(async (transaction) => {
    if (transaction.pending === undefined || transaction.summary.position === undefined) return undefined;
    const staged = await stagedOf(transaction, transaction.pending);
    const { position } = transaction.summary;
    const state = await transaction.group();
    return { record: transaction.pending, staged, position, next: adoptCommit(state, staged, transaction.rules).state };
  });
  if (pending === undefined) return;
  let outcome: CommitOutcome;
  try {
    outcome = await delivery.submitCommit(await submissionOf(pending, context));
  } catch (error) {
    if (scope.ended || isTransient(error)) throw error;
    // The log may show that an earlier submission was accepted, or that this client was removed: the commit stays until it was read.
    await pull().catch((failure: unknown) => {
      if (scope.ended || retryInBackgroundAfter(failure) !== undefined) throw failure;
    });
    const digest = commitDigest(pending.next, pending.record.commit);
    const isAccepted = await turns.transact(async (transaction) => {
      await dropIfStill(transaction, pending.record);
      return tookEffect(transaction.summary, [digest]);
    });
    if (isAccepted) return;
    // A member who was removed learns that, rather than what the Delivery Service thinks of outsiders.
    await turns.transact((transaction) => {
      requireMember(transaction, context);
    });
    throw error;
  }
  const isSettled = await turns
    .transact((transaction) => settle(transaction, { record: pending.record, outcome }, context))
    .catch((error: unknown) => {
      if (error instanceof Doubtful) return false;
      throw error;
    });
  if (isSettled) return;
  // Entries before it come first; the log then shows the commit itself, or the one that won.
  await pull();
  await turns.transact((transaction) => dropIfStill(transaction, pending.record));
}

interface Pending {
  readonly record: PendingRecord;
  readonly staged: StagedCommit;
  readonly position: LogPosition;
  /** The state that the commit leads to. */
  readonly next: GroupState;
}

async function submissionOf(
  { staged, position, next }: Pending,
  { groupId, account }: Context,
): Promise<CommitSubmission> {
  const { welcome, commit: bytes, epoch } = staged;
  const clients = (leaves: readonly Parameters<typeof clientOf>[0][]) => leaves.map(clientOf);
  const added = clients(staged.added.map(({ keyPackage }) => keyPackage.leafNode));
  const removed = clients(staged.removed.map(({ leafNode }) => leafNode));
  return {
    groupId,
    position,
    epoch,
    commit: bytes,
    groupInfo: await groupInfoOf(next, account.signer),
    added: added.map((client) => ({ client, welcome })),
    removed: removed.filter(
      ({ user, device }) => !added.some((other) => other.user === user && other.device === device),
    ),
  };
}

const clientOf = ({ credential }: { readonly credential: Parameters<typeof identityOf>[0] }) =>
  identityOf(credential).client;

/** The GroupInfo by which devices of members come back, of the epoch that a state is in. */
export async function groupInfoOf(state: GroupState, signer: Parameters<typeof createGroupInfo>[1]): Promise<Bytes> {
  return encodeMessage({ wireFormat: "mls_group_info", groupInfo: await createGroupInfo(state, signer) });
}

/** Follows the Delivery Service's word, if what it says comes right after what was read. */
async function settle(
  transaction: Transaction,
  { record, outcome }: { readonly record: PendingRecord; readonly outcome: CommitOutcome },
  context: Context,
): Promise<boolean> {
  if (!isSame(transaction.pending, record)) return true;
  const { account, time } = context;
  if (outcome.accepted) {
    if (outcome.seq !== nextSeq(transaction.summary)) return false;
    transaction.setSummary(advanced(transaction.summary, outcome.seq));
    const accepted = await pendingEpoch(transaction, account.user, { endedAt: undefined, at: momentOf(time) });
    await enterEpoch(transaction, accepted);
    return true;
  }
  const { winner } = outcome;
  if (winner?.seq !== nextSeq(transaction.summary)) return false;
  await processTold(transaction, [winner], context);
  await dropIfStill(transaction, record);
  return true;
}

async function dropIfStill(transaction: Transaction, record: PendingRecord): Promise<void> {
  if (isSame(transaction.pending, record)) await transaction.dropPending();
}

const isSame = (pending: PendingRecord | undefined, other: PendingRecord): boolean =>
  pending !== undefined && equalBytes(pending.commit, other.commit);
