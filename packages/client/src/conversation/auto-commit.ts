/**
 * Commits what others have proposed, sooner or later by this member's place in the tree, so that normally one member does it. If two
 * do, one of the commits loses and finds nothing left to do.
 */
import type { GroupState } from "@coppice/core";
import { jitter } from "@coppice/kit";
import { userOf } from "../account/authentication.ts";
import { retryInBackgroundAfter } from "../errors.ts";
import type { Context } from "./context.ts";
import { rosterOf, usersWhoLeave } from "./roster.ts";
import { statusOf } from "./snapshot.ts";

export class AutoCommit {
  readonly #context: Context;
  readonly #commit: () => Promise<void>;
  /** What waits, for which epoch. */
  #waiting: { readonly epoch: bigint; readonly timer: AbortController } | undefined;

  constructor(context: Context, commit: () => Promise<void>) {
    this.#context = context;
    this.#commit = commit;
  }

  /** Looks whether there is something to commit now. */
  consider(): void {
    const { turns, recovery, isLeading, report, scope } = this.#context;
    const { summary } = turns.known;
    const isActive = statusOf(summary, recovery()).status === "active";
    const wanted = isActive && summary.proposed && isLeading();
    if (wanted && this.#waiting?.epoch === summary.epoch) return;
    this.#waiting?.timer.abort();
    this.#waiting = undefined;
    if (!wanted) return;
    const timer = new AbortController();
    this.#waiting = { epoch: summary.epoch, timer };
    void this.#run(timer.signal).catch((error: unknown) => {
      if (timer.signal.aborted || scope.ended) return;
      this.#waiting = undefined;
      if (retryInBackgroundAfter(error) === undefined) report(error);
    });
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { turns, pace, scope, time } = this.#context;
    const state = await turns.transact((transaction) => transaction.group());
    const isLast = usersWhoLeave(state).size === rosterOf(state).size;
    if (turns.known.summary.leaving && !isLast) {
      // Others do it, unless they leave as well: that is looked at again with each proposal.
      this.#waiting = undefined;
      return;
    }
    const rank = rankOf(state, isLast);
    await scope.sleep(time, pace.autoCommit * (rank + jitter(time, 0.5)), signal);
    await this.#commit();
  }
}

/** Members before this one, without those who ask to leave, unless all do. */
function rankOf(state: GroupState, isLast: boolean): number {
  const leaving = usersWhoLeave(state);
  let rank = 0;
  for (const [index, leaf] of state.tree.members()) {
    if (index === state.leafIndex) break;
    if (isLast || !leaving.has(userOf(leaf))) rank++;
  }
  return rank;
}
