/** The people of a group whose ratchet tree is loaded: users with their leaves. */
import type { ChangedMember, CommitEffect, GroupState, LeafIndex, RatchetTree } from "@coppice/core";
import { userOf } from "../account/authentication.ts";

/** Leaf indices by user, each in ascending order. */
export type Roster = ReadonlyMap<string, readonly number[]>;

/** Walking over all leaves once for each tree that was loaded is enough: a Commit changes few. */
const rosters = new WeakMap<RatchetTree, Roster>();

export function rosterOf({ tree }: Pick<GroupState, "tree">): Roster {
  const known = rosters.get(tree);
  if (known !== undefined) return known;
  const roster = new Map<string, number[]>();
  for (const [index, leaf] of tree.members()) {
    const user = userOf(leaf);
    const leaves = roster.get(user);
    if (leaves === undefined) roster.set(user, [index]);
    else leaves.push(index);
  }
  rosters.set(tree, roster);
  return roster;
}

/** What a Commit changed among the leaves. */
export interface LeafChanges {
  readonly added: readonly { readonly leafIndex: LeafIndex; readonly user: string }[];
  readonly removed: readonly { readonly leafIndex: LeafIndex; readonly user: string }[];
}

export function leafChanges(
  effect: Pick<CommitEffect, "added" | "removed"> & { readonly joined?: ChangedMember | undefined },
): LeafChanges {
  const { added, removed, joined } = effect;
  const place = ({ leafIndex, leafNode }: ChangedMember): LeafChanges["added"][number] => ({
    leafIndex,
    user: userOf(leafNode),
  });
  const additions = added.map(({ leafIndex, keyPackage }) => place({ leafIndex, leafNode: keyPackage.leafNode }));
  return { added: joined === undefined ? additions : [...additions, place(joined)], removed: removed.map(place) };
}

/** The people after a Commit, from those before it. */
export function changedRoster(before: GroupState, after: GroupState, { added, removed }: LeafChanges): Roster {
  const roster = new Map(rosterOf(before));
  for (const { leafIndex, user } of removed) {
    const left = (roster.get(user) ?? []).filter((index) => index !== leafIndex);
    if (left.length === 0) roster.delete(user);
    else roster.set(user, left);
  }
  for (const { leafIndex, user } of added) {
    roster.set(
      user,
      [...(roster.get(user) ?? []), leafIndex].sort((a, b) => a - b),
    );
  }
  rosters.set(after.tree, roster);
  return roster;
}

/** Leaves of a user's devices. */
export function leavesOf(state: GroupState, user: string): readonly number[] {
  return rosterOf(state).get(user) ?? [];
}
