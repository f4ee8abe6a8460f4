/**
 * The members of past epochs (RFC 9420 §15.3): of each epoch that is kept, only those who are others in the next one, so that
 * keeping it costs what its Commit changed.
 */
import { equalBytes } from "../codec/bytes.ts";
import { sameCredential } from "../identity/credential.ts";
import type { FormerMembers, GroupState, KnowingState } from "./group-state.ts";
import { notLoaded } from "../result.ts";
import type { Identity } from "../identity/authentication.ts";
import { changedNodes } from "../tree/changed-nodes.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import { isLeaf, nodeToLeaf } from "../tree/tree-math.ts";

/** Who was at a leaf before a Commit at which somebody else is after it. */
export function formerMembers(before: RatchetTree, after: RatchetTree): FormerMembers {
  const members = new Map<number, Identity | undefined>();
  for (const [node] of changedNodes(before, after)) {
    if (!isLeaf(node)) continue;
    const leaf = nodeToLeaf(node);
    const [was, is] = [before.findLeaf(leaf), after.findLeaf(leaf)];
    if (!isSame(was, is)) members.set(leaf, was && { credential: was.credential, signatureKey: was.signatureKey });
  }
  return { members, loaded: undefined };
}

const isSame = (a: Identity | undefined, b: Identity | undefined): boolean =>
  a !== undefined && b !== undefined
    ? equalBytes(a.signatureKey, b.signatureKey) && sameCredential(a.credential, b.credential)
    : a === b;

/**
 * The member at a leaf in the current epoch or one that is kept; undefined if there was none. `ERR_MLS_NOT_LOADED` if that is not
 * known.
 */
export function findMember(state: KnowingState, epoch: bigint, leaf: number): Identity | undefined {
  // Oldest first: what a later epoch says of the leaf is no news then.
  for (const { context, former } of epoch === state.context.epoch ? [] : state.pastEpochs.toReversed()) {
    if (context.epoch < epoch) continue;
    if (former.members.has(leaf)) return former.members.get(leaf);
    if (former.loaded?.has(leaf) === false) throw notLoaded({ leafIndex: leaf, epoch: context.epoch });
  }
  return state.tree.findLeaf(leaf);
}

/** All members of the current epoch or one that is kept, by leaf index; undefined for any other. */
export function membersOf(state: GroupState, epoch: bigint): Map<number, Identity> | undefined {
  const isKept = [state, ...state.pastEpochs].some(({ context }) => context.epoch === epoch);
  if (!isKept) return undefined;
  const members = new Map<number, Identity>(state.tree.members());
  for (const { context, former } of state.pastEpochs) {
    if (context.epoch < epoch) continue;
    for (const [leaf, member] of former.members) {
      if (member === undefined) members.delete(leaf);
      else members.set(leaf, member);
    }
  }
  return members;
}
