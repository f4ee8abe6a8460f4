/** Members who never refresh their keys (RFC 9420 §3.2, §16.6): as long as they stay, what was stolen from them stays good. */
import type { PublicGroupState } from "../state/group-state.ts";
import type { LeafIndex } from "../tree/tree-math.ts";

/** A member whose keys are old. */
export interface IdleMember {
  readonly leafIndex: LeafIndex;
  /** The epoch in which the leaf was last replaced; see `RatchetTree.leafSince`. */
  readonly since: bigint;
}

/**
 * Members whose leaf has been the same for more than `epochs` epochs, the oldest first (R-3.2-2). What to do about them is for
 * the application: to remind them, then to remove them by a Commit (R-16.6-2). The own leaf may be among them: refresh it
 * (R-3.2-1). Walks over all members, so ask now and then, not for each message.
 *
 * @example
 * ```ts run
 * import { createCommit, findIdleMembers, ProposalType } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * const idle = findIdleMembers(alice.state, 100n).filter(({ leafIndex }) => leafIndex !== alice.state.leafIndex);
 * const proposals = idle.map(({ leafIndex }) => ({ proposalType: ProposalType.remove, removed: leafIndex }));
 * const evicting = await createCommit(alice.state, { rules, signer: alice.signer, proposals });
 * console.assert(evicting.staged.removed.length === 0); // nobody is idle in this group
 * ```
 */
export function findIdleMembers(
  { tree, context }: Pick<PublicGroupState, "tree" | "context">,
  epochs: bigint,
): IdleMember[] {
  const idle: IdleMember[] = [];
  for (const [leafIndex] of tree.members()) {
    const since = tree.leafSince(leafIndex) ?? context.epoch;
    if (context.epoch - since > epochs) idle.push({ leafIndex, since });
  }
  return idle.sort((a, b) => Number(a.since - b.since));
}
