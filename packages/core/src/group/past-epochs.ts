/** Forgetting past epochs (RFC 9420 §9.2, §15.3): what they had opens late messages, and nothing else. */

import { type GroupState, type Transition, secretsOfPast } from "../state/group-state.ts";

/**
 * Drops the past epochs that `keeps` says no to, sooner than `limits.pastEpochs` would: by their age, say. Their messages are refused
 * from then on (`ERR_MLS_EPOCH`). Store the state, then erase `consumed`: all secrets of these epochs, down to the keys that were
 * kept for skipped messages (R-9.2-1).
 *
 * @example
 * ```ts run
 * import { createCommit, adoptCommit, dropPastEpochs, erase } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * const made = await createCommit(alice.state, { rules, signer: alice.signer });
 * const entered = adoptCommit(made.state, made.staged, rules);
 * const { state, consumed } = dropPastEpochs(entered.state, () => false);
 * // Store state, then:
 * erase(...consumed);
 * console.assert(state.pastEpochs.length === 0);
 * ```
 */
export function dropPastEpochs(state: GroupState, keeps: (epoch: bigint) => boolean): Transition {
  const kept = state.pastEpochs.filter(({ context }) => keeps(context.epoch));
  const dropped = state.pastEpochs.filter((past) => !kept.includes(past));
  return { state: { ...state, pastEpochs: kept }, consumed: dropped.flatMap(secretsOfPast) };
}
