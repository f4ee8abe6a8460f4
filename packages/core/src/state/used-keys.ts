/** How many keys of its own ratchets a member has used: whoever stores states can see that one was set back. */
import { absentNodes, nextGeneration } from "../schedule/secret-tree.ts";
import type { MessagingState } from "./group-state.ts";

/** Keys that this member has used in an epoch: the generations that come next (RFC 9420 §9.1). */
export interface UsedKeys {
  readonly epoch: bigint;
  readonly handshake: number;
  readonly application: number;
}

/**
 * What was used of the own ratchets of a state's epoch; undefined if they were not loaded. A stored state that has used fewer keys
 * than it had once is an older one, and would seal its next message by a key that sealed another (RFC 9420 §15).
 *
 * @example
 * ```ts run
 * import { createApplicationMessage, usedKeys, utf8 } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * const sent = await createApplicationMessage(alice.state, utf8("hello"), { rules, signer: alice.signer });
 * const [before, after] = [usedKeys(alice.state), usedKeys(sent.state)];
 * console.assert(before?.application === 0 && after?.application === 1);
 * ```
 */
export function usedKeys({ context, secretTree, leafIndex }: MessagingState): UsedKeys | undefined {
  if (absentNodes(secretTree, leafIndex).length > 0) return undefined;
  return {
    epoch: context.epoch,
    handshake: nextGeneration(secretTree, leafIndex, "handshake"),
    application: nextGeneration(secretTree, leafIndex, "application"),
  };
}
