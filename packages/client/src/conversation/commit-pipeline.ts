/** From an intent to an accepted commit: make, store, submit, adopt; or drop, follow the winner, and make it again. */
import {
  createCommit,
  decodeMessageOf,
  encodeStagedCommit,
  equalBytes,
  isCoppiceError,
  CoppiceError,
  type KeyPackage,
  type StagedCommit,
} from "@coppice/core";
import { nameOf } from "../account/authentication.ts";
import { clientError } from "../errors.ts";
import type { Intent, PendingRecord } from "../records/conversation.ts";
import { isTransient } from "../retrying.ts";
import { jitter, untilAborted } from "../waiting.ts";
import type { Context } from "./context.ts";
import type { Draft } from "./draft.ts";
import { adoptPending, dropPending, stagedOf } from "./epoch-change.ts";
import { statusOf, type Held } from "./held.ts";
import { proposalsFor, remaining, type Goal } from "./intent.ts";

const MAX_ATTEMPTS = 8;

/** Key packages of one user that are tried: a directory may hand out what expired while the user was away. */
const MAX_CLAIMS = 24;

/** What the pipeline needs of the conversation's background work. */
export interface PipelineHooks {
  /** Registers the group with the Delivery Service if that has not happened. */
  readonly register: () => Promise<void>;
  /** Reads the log to its end. */
  readonly pull: () => Promise<void>;
  /** Finds out the fate of a pending commit, if there is one. */
  readonly settle: () => Promise<void>;
  /** Waits before the next try to reach the Delivery Service. */
  readonly retryWait: (failures: number, signal: AbortSignal | undefined) => Promise<void>;
}

export interface CommitRequest {
  readonly intent: Intent;
  /** Default `leaf`: this client's own keys are to be new. */
  readonly update?: Goal["update"];
  /** Ends the wait; a commit that was submitted may still be accepted. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Resolves when the intent has taken effect. Nothing has happened if it rejects, except that a commit whose fate was not
 * known when `signal` aborted may still be accepted.
 */
export async function commit(context: Context, request: CommitRequest, hooks: PipelineHooks): Promise<void> {
  const { ledger, pace, scope } = context;
  const { intent, signal } = request;
  const claimed = new Map<string, KeyPackage>();
  const goal = await ledger.look(({ state }): Goal => {
    const { leafSince, context: group } = state;
    return { intent, update: request.update ?? "leaf", leafSince, epoch: group.epoch };
  }, signal);

  let attempt = 1;
  for (let round = 1; round <= 2 * MAX_ATTEMPTS && attempt <= MAX_ATTEMPTS; round++) {
    await untilAborted(hooks.register(), signal);
    await settleUntilKnown(hooks, signal);
    await untilAborted(hooks.pull(), signal);
    const todo = await ledger.look((held) => left(goal, held, attempt === 1), signal);
    if (todo === undefined) return;
    await claim(context, { todo, claimed, signal });
    const made = await ledger.transact((draft) => make(draft, { goal, claimed, attempt }, context), signal);
    if (made === "done") return;
    // Another context's commit is pending, or more key packages are needed: neither is a conflict.
    if (made === "again") continue;
    await settleUntilKnown(hooks, signal);
    if ((await ledger.look((held) => left(goal, held, false))) === undefined) return;
    await scope.sleep(jitter(pace.conflict * attempt), signal);
    attempt++;
  }
  throw clientError("ERR_CLIENT_CONFLICT", "the commits of others won every attempt");
}

function left(goal: Goal, held: Held, strict: boolean): Intent | undefined {
  const todo = held.state.status === "active" ? remaining(goal, held.state, strict) : goal.intent;
  if (todo !== undefined) requireUsable(held);
  return todo;
}

/** `ERR_CLIENT_NOT_ACTIVE` unless this client can take part in the group. */
export function requireUsable(held: Pick<Held, "state" | "meta">): void {
  const status = statusOf(held);
  if (status !== "active" || held.meta.leaving) {
    throw clientError("ERR_CLIENT_NOT_ACTIVE", "this client does not take part in the conversation any more", {
      detail: { status },
    });
  }
}

/** Fetches key packages that are still missing; one that is not its user's is refused, an expired one passed over. */
async function claim(
  { delivery, clock }: Context,
  { todo, claimed, signal }: { todo: Intent; claimed: Map<string, KeyPackage>; signal: AbortSignal | undefined },
): Promise<void> {
  if (todo.operation !== "add") return;
  for (let round = 1; ; round++) {
    const missing = todo.names.filter((name) => !claimed.has(name));
    if (missing.length === 0) return;
    const found = await delivery.claimKeyPackages(missing, signal === undefined ? {} : { signal });
    missing.forEach((name, index) => {
      const answer = found[index];
      if (answer?.user !== name) throw wrongKeyPackage(name);
      const { keyPackage } = decodeMessageOf("mls_key_package", answer.keyPackage);
      if (nameOrNothing(keyPackage) !== name) throw wrongKeyPackage(name);
      // The last one is taken as it is: core says what is wrong with it.
      if (round === MAX_CLAIMS || !isExpired(keyPackage, clock())) claimed.set(name, keyPackage);
    });
  }
}

function isExpired({ leafNode: { source } }: KeyPackage, now: number): boolean {
  return source.leafNodeSource === "key_package" && Number(source.lifetime.notAfter) * 1000 < now;
}

const wrongKeyPackage = (name: string): CoppiceError =>
  new CoppiceError("ERR_MLS_CREDENTIAL", "the directory gave a key package of someone else", { detail: { name } });

function nameOrNothing({ leafNode }: KeyPackage): string | undefined {
  try {
    return nameOf(leafNode.credential);
  } catch {
    return undefined;
  }
}

/** Makes the commit and stores it as pending, in the one write that also takes its key out of the ratchet. */
async function make(
  draft: Draft,
  { goal, claimed, attempt }: { goal: Goal; claimed: ReadonlyMap<string, KeyPackage>; attempt: number },
  context: Context,
): Promise<"made" | "again" | "done"> {
  if (draft.pending !== undefined) return "again";
  const todo = left(goal, { ...draft.before }, attempt === 1);
  if (todo === undefined) return "done";
  if (todo.operation === "add" && todo.names.some((name) => !claimed.has(name))) return "again";
  const staged = await stage(draft, todo, { claimed, context });
  draft.setPending({
    intent: goal.intent,
    attempt,
    commit: staged.commit,
    staged: encodeStagedCommit(draft.state, staged, draft.rules),
  });
  context.lastStaged.value = staged;
  return "made";
}

async function stage(
  draft: Draft,
  todo: Intent,
  { claimed, context }: { claimed: ReadonlyMap<string, KeyPackage>; context: Context },
): Promise<StagedCommit> {
  const { state, rules } = draft;
  const options = {
    rules,
    signer: context.account.signer,
    proposals: proposalsFor(todo, state, claimed),
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
  draft.step(made);
  return made.staged;
}

async function settleUntilKnown({ settle, retryWait }: PipelineHooks, signal: AbortSignal | undefined): Promise<void> {
  for (let failures = 0; ; failures++) {
    try {
      await untilAborted(settle(), signal);
      return;
    } catch (error) {
      if (!isTransient(error)) throw error;
      await retryWait(failures, signal);
    }
  }
}

/**
 * Submits the pending commit, byte for byte as often as it takes, and adopts or drops it by the Delivery Service's word.
 * Rejects while the outcome is unknown, and when the Delivery Service will not have the commit: it is dropped then.
 */
export async function settlePending(context: Context, pull: () => Promise<void>): Promise<void> {
  const { ledger, delivery, groupId, scope } = context;
  const held = await ledger.look((now) => now);
  const { pending, state } = held;
  if (pending === undefined) return;
  const staged = await stagedOf(state, pending, context);
  const { welcome, commit: bytes, epoch } = staged;
  const added = staged.added.map(({ keyPackage }) => nameOf(keyPackage.leafNode.credential));
  const removed = staged.removed.map(({ leafNode }) => nameOf(leafNode.credential));
  let seq: number;
  try {
    ({ seq } = await delivery.submitCommit({
      groupId,
      epoch,
      commit: bytes,
      added: welcome === undefined ? [] : added.map((user) => ({ user, welcome })),
      removed: removed.filter((name) => !added.includes(name)),
    }));
  } catch (error) {
    if (scope.ended || isTransient(error)) throw error;
    const lost = isCoppiceError(error, "ERR_DS_EPOCH_CONFLICT");
    // The log may show that an earlier submission was accepted, or who won, or that this client was removed.
    await pull().catch((cause: unknown) => {
      if (lost) throw cause;
    });
    await ledger.transact((draft) => {
      if (isSame(draft.pending, pending)) dropPending(draft, context);
    });
    if (lost) return;
    // A member who was removed learns that, rather than what the Delivery Service thinks of outsiders.
    await ledger.look(requireUsable);
    throw error;
  }
  const adopted = await ledger.transact(async (draft) => {
    if (!isSame(draft.pending, pending)) return true;
    if (seq !== draft.meta.cursor + 1) return false;
    draft.setMeta({ cursor: seq });
    await adoptPending(draft, context, context.id, context.clock());
    return true;
  });
  // Entries before it come first; the log then shows the commit itself.
  if (!adopted) await pull();
}

const isSame = (pending: PendingRecord | undefined, other: PendingRecord): boolean =>
  pending !== undefined && equalBytes(pending.commit, other.commit);
