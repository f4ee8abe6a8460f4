/** A conversation's work with the Delivery Service: it goes on until there is none, and again after each failure. */
import type { GroupState } from "@coppice/core";
import { isTransient, Retrying } from "../retrying.ts";
import { jitter, SingleFlight } from "../waiting.ts";
import { commit, requireUsable, settlePending, type CommitRequest, type PipelineHooks } from "./commit-pipeline.ts";
import type { Context } from "./context.ts";
import { statusOf, type Held } from "./held.ts";
import { postFirst } from "./outbox.ts";
import { processEntries } from "./receive.ts";

const LOG_PAGE = 256;
/** Entries of one transaction: the lock is free in between. */
const BATCH = 32;

export class Background {
  readonly #context: Context;
  readonly #report: (error: unknown) => void;
  readonly #settling: SingleFlight<void>;
  readonly #pulling: SingleFlight<void>;
  readonly #retrying: Retrying;
  #autoCommit: { readonly epoch: bigint; readonly timer: AbortController } | undefined;

  /** `report` is told of failures that trying again does not mend. */
  constructor(context: Context, report: (error: unknown) => void) {
    this.#context = context;
    this.#report = report;
    this.#pulling = new SingleFlight(() => this.#pullAll());
    this.#settling = new SingleFlight(() => settlePending(context, () => this.pull()));
    const { pace, scope } = context;
    this.#retrying = new Retrying({ work: () => this.#work(), report, pace, scope });
  }

  /** Reads the log to its end. */
  pull(): Promise<void> {
    return this.#pulling.run();
  }

  /** Does all there is to do, once. */
  run(): Promise<void> {
    return this.#retrying.run();
  }

  /** Does all there is to do, soon, and again until it succeeds. */
  kick(): void {
    this.#retrying.kick();
  }

  commit(request: CommitRequest): Promise<void> {
    const hooks: PipelineHooks = {
      register: () => this.#register(),
      pull: () => this.pull(),
      settle: () => this.#settling.run(),
      retryWait: (failures, signal) => this.#retrying.wait(failures, signal),
    };
    return commit(this.#context, request, hooks);
  }

  /**
   * Commits what others have proposed, sooner or later by this member's place in the tree, so that normally one member
   * does it. If two do, one of the commits loses and finds nothing left to do.
   */
  considerProposals(held: Held): void {
    const { state, meta } = held;
    const { epoch } = state.context;
    const wanted = statusOf(held) === "active" && !meta.leaving && hasForeignProposals(state);
    if (wanted && this.#autoCommit?.epoch === epoch) return;
    this.#autoCommit?.timer.abort();
    this.#autoCommit = undefined;
    if (!wanted) return;
    const timer = new AbortController();
    this.#autoCommit = { epoch, timer };
    const { pace, scope } = this.#context;
    const delay = pace.autoCommit * (rankOf(state) + jitter(0.5));
    void scope
      .sleep(delay, timer.signal)
      .then(() => this.#commitProposals())
      .catch((error: unknown) => {
        if (timer.signal.aborted || scope.ended) return;
        this.#autoCommit = undefined;
        if (!isTransient(error)) this.#report(error);
      });
  }

  async #work(): Promise<void> {
    const { ledger } = this.#context;
    if ((await ledger.look(statusOf)) !== "active") return;
    await this.#register();
    await this.#settling.run();
    await this.pull();
    for (;;) {
      // One context sends at a time, so that the others find the outbox empty.
      const result = await ledger.store.exclusive(`outbox:${this.#context.id}`, () => postFirst(this.#context));
      if (result === "empty") return;
      if (result === "blocked") {
        await this.#commitProposals();
      }
    }
  }

  #commitProposals(): Promise<void> {
    return this.commit({ intent: { operation: "update" }, update: "commit", signal: undefined });
  }

  async #register(): Promise<void> {
    const { ledger, delivery, groupId } = this.#context;
    if (await ledger.look(({ meta }) => meta.registered)) return;
    await delivery.createGroup(groupId);
    await ledger.transact((draft) => {
      draft.setMeta({ registered: true });
    });
  }

  async #pullAll(): Promise<void> {
    const { ledger, delivery, groupId } = this.#context;
    for (;;) {
      const held = await ledger.look((now) => now);
      if (statusOf(held) !== "active" || !held.meta.registered) return;
      const after = held.meta.cursor;
      const entries = await delivery.readLog({ groupId, after, limit: LOG_PAGE });
      if (entries.length === 0) return;
      for (let start = 0; start < entries.length; start += BATCH) {
        const batch = entries.slice(start, start + BATCH);
        await ledger.transact((draft) => processEntries(draft, batch, this.#context));
      }
    }
  }

  /** For calls that need the group. */
  async requireUsable(signal: AbortSignal | undefined): Promise<void> {
    await this.#context.ledger.look(requireUsable, signal);
  }
}

function hasForeignProposals(state: GroupState): boolean {
  return [...state.proposals.values()].some(
    ({ sender }) => sender.senderType !== "member" || sender.leafIndex !== state.leafIndex,
  );
}

/** Members before this one, without those who ask to leave. */
function rankOf(state: GroupState): number {
  const leaving = new Set(
    [...state.proposals.values()].map(({ sender }) => (sender.senderType === "member" ? sender.leafIndex : -1)),
  );
  let rank = 0;
  for (const [index] of state.tree.members()) {
    if (index === state.leafIndex) break;
    if (!leaving.has(index)) rank++;
  }
  return rank;
}
