/** The people of a group whose ratchet tree is loaded: users with their leaves. */
import {
  ProposalType,
  type ChangedMember,
  type CommitEffect,
  type GroupState,
  type LeafIndex,
  type RatchetTree,
} from "@coppice/core";
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

/** What a Commit changed among the leaves; `joined`: by letting itself in. */
export type ChangedLeaves = Pick<CommitEffect, "added" | "removed"> & { readonly joined?: ChangedMember | undefined };

/** The same by user. */
interface LeafChanges {
  readonly added: readonly { readonly leafIndex: LeafIndex; readonly user: string }[];
  readonly removed: readonly { readonly leafIndex: LeafIndex; readonly user: string }[];
}

function leafChanges({ added, removed, joined }: ChangedLeaves): LeafChanges {
  const place = ({ leafIndex, leafNode }: ChangedMember): LeafChanges["added"][number] => ({
    leafIndex,
    user: userOf(leafNode),
  });
  const additions = added.map(({ leafIndex, keyPackage }) => place({ leafIndex, leafNode: keyPackage.leafNode }));
  return { added: joined === undefined ? additions : [...additions, place(joined)], removed: removed.map(place) };
}

/** The people after a Commit, from those before it. */
function changedRoster(before: GroupState, after: GroupState, { added, removed }: LeafChanges): Roster {
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

/** People who came and went with a Commit, not their single devices. */
export interface ChangedPeople {
  readonly memberCount: number;
  readonly added: readonly string[];
  /** Without those who asked for it. */
  readonly removed: readonly string[];
  readonly left: readonly string[];
}

export function changedPeople(before: GroupState, after: GroupState, leaves: ChangedLeaves): ChangedPeople {
  const changes = leafChanges(leaves);
  const isRemoved = after.status === "removed";
  const former = rosterOf(before);
  const roster = isRemoved ? former : changedRoster(before, after, changes);
  const users = (leaves: LeafChanges["added"]): string[] => [...new Set(leaves.map(({ user }) => user))];
  const gone = users(changes.removed).filter((user) => isRemoved || !roster.has(user));
  const asked = usersWhoLeave(before);
  return {
    memberCount: roster.size,
    added: users(changes.added).filter((user) => !former.has(user)),
    removed: gone.filter((user) => !asked.has(user)),
    left: gone.filter((user) => asked.has(user)),
  };
}

/** Users of whom a leaf asks that a leaf of the same user is removed. */
export function usersWhoLeave({ proposals, tree }: Pick<GroupState, "proposals" | "tree">): ReadonlySet<string> {
  const users = new Set<string>();
  for (const { proposal, sender } of proposals.values()) {
    if (proposal.proposalType !== ProposalType.remove || sender.senderType !== "member") continue;
    const [asking, removed] = [tree.findLeaf(sender.leafIndex), tree.findLeaf(proposal.removed)];
    if (asking === undefined || removed === undefined) continue;
    const user = userOf(asking);
    if (userOf(removed) === user) users.add(user);
  }
  return users;
}
