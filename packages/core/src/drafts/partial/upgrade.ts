/** Between full and partial membership (Partial MLS, "Upgrading and Downgrading"). */
import { untilAborted } from "@coppice/kit";
import { decodeTree } from "../../group/check-group-info.ts";
import type { Progress } from "../../in-flight.ts";
import type { Rules } from "../../rules.ts";
import { type GroupState, type Transition, ownLeaf, requireActive, secretsOfPast } from "../../state/group-state.ts";
import { validateTree } from "../../tree/validate-tree.ts";
import { proveMembership } from "./membership-proof.ts";
import { type PartialGroupState, ProvenLeaves } from "./partial-state.ts";

/**
 * Makes a partial member a full one, with the encoded `ratchet_tree` of its epoch (`exportRatchetTree`), which is verified as a joiner
 * verifies it (P-5-1). Past epochs are dropped, as nothing is known of their members: open late messages before. Store the state, then
 * erase `consumed`. `ERR_MLS_TREE`, `ERR_MLS_LIMIT`, `ERR_MLS_DECODE`, `ERR_MLS_STATE` and the codes of leaf validation.
 */
export async function upgradeToFull(
  state: PartialGroupState,
  ratchetTree: Uint8Array,
  options: Progress & { readonly rules: Rules },
): Promise<Transition> {
  requireActive(state);
  const { suite, context } = state;
  const { limits } = options.rules;
  const tree = decodeTree(suite, ratchetTree, { limits, epoch: context.epoch });
  await untilAborted(validateTree(suite, tree, { ...options, context }), options.signal);
  const { proof: _, ...rest } = state;
  return { state: { ...rest, tree, pastEpochs: [] }, consumed: state.pastEpochs.flatMap(secretsOfPast) };
}

/**
 * Makes a full member a partial one: the tree goes, and with it all leaves but the own one. Messages of past epochs then take proofs as
 * well. No secret goes. `ERR_MLS_STATE` unless the group is active.
 */
export function downgradeToPartial(state: GroupState): PartialGroupState {
  requireActive(state);
  const { suite, tree, leafIndex } = state;
  return {
    ...state,
    tree: new ProvenLeaves(tree.leafCount, new Map([[leafIndex, ownLeaf(state)]])),
    proof: proveMembership(suite, tree, leafIndex),
    pastEpochs: state.pastEpochs.map(({ former: { members }, ...past }) => ({
      ...past,
      former: { members, loaded: new Set(members.keys()) },
    })),
  };
}
