/** What a partial member has of a group: the secrets of a member, and of the tree its own slice and the leaves that were proven to it. */
import { CoppiceError } from "../../errors.ts";
import { notLoaded } from "../../result.ts";
import type { Rules } from "../../rules.ts";
import type { GroupContext } from "../../schedule/group-context.ts";
import type { MessagingState, PastEpoch } from "../../state/group-state.ts";
import { validateLeafNode } from "../../tree/leaf-node-validation.ts";
import type { LeafNode } from "../../tree/leaf-node.ts";
import type { KnownLeaves } from "../../tree/loaded-leaves.ts";
import { type MembershipProof, type TreeSlice, checkShape, proveSlice } from "./membership-proof.ts";

/** The leaves of an epoch that were proven. A value: knowing more makes another. */
export class ProvenLeaves implements KnownLeaves {
  readonly leafCount: number;
  /** Proven leaves, by index. */
  readonly leaves: ReadonlyMap<number, LeafNode>;

  constructor(leafCount: number, leaves: ReadonlyMap<number, LeafNode>) {
    this.leafCount = leafCount;
    this.leaves = leaves;
  }

  findLeaf(index: number): LeafNode | undefined {
    if (index >= this.leafCount) return undefined;
    const leaf = this.leaves.get(index);
    if (leaf === undefined) throw notLoaded({ leafIndex: index });
    return leaf;
  }

  has(index: number): boolean {
    return this.leaves.has(index);
  }

  with(index: number, leaf: LeafNode): ProvenLeaves {
    return new ProvenLeaves(this.leafCount, new Map(this.leaves).set(index, leaf));
  }
}

/**
 * Everything that a partial member has of a group. It sends and opens messages, and cannot commit. It holds secrets: log it nowhere,
 * encrypt it at rest.
 */
export interface PartialGroupState extends MessagingState<ProvenLeaves> {
  /** That of this member in the current epoch, to annotate what it sends. */
  readonly proof: MembershipProof;
}

/** The context of the current epoch or of one that is kept. `ERR_MLS_EPOCH` for any other. */
function contextOf(state: PartialGroupState, epoch: bigint): GroupContext {
  const found = [state, ...state.pastEpochs].find(({ context }) => context.epoch === epoch);
  if (found !== undefined) return found.context;
  throw new CoppiceError("ERR_MLS_EPOCH", "The epoch of the membership proof is not at hand", {
    requirement: "R-15.3-4",
    detail: { epoch: state.context.epoch, received: epoch },
  });
}

/** Whether the member at a leaf of this epoch was proven before. */
function isProven(state: PartialGroupState, epoch: bigint, leaf: number): boolean {
  if (epoch === state.context.epoch) return state.tree.has(leaf);
  return state.pastEpochs.some(({ context, former }) => context.epoch === epoch && former.members.has(leaf));
}

/**
 * The state that knows the member of a proof of the current epoch: who it is, and so, with `openMany`, what it wrote without a proof of
 * its own. `ERR_MLS_TREE` for a proof of another tree or of the wrong shape, `ERR_MLS_LIMIT`, and the codes of leaf validation.
 */
export async function admitMember(
  state: PartialGroupState,
  proof: MembershipProof,
  { rules }: { readonly rules: Rules },
): Promise<PartialGroupState> {
  const admitted = await admitProof(state, proof, { rules, epoch: state.context.epoch });
  return admitted.state;
}

/**
 * The state that knows the member of a proof, and so opens what it wrote in this epoch. The proof is verified, and the leaf validated
 * as a joiner would (P-7-1, P-7-3), except that it may have outlived its lifetime: it was in the group before. `ERR_MLS_EPOCH`,
 * `ERR_MLS_TREE`, `ERR_MLS_LIMIT` and the codes of leaf validation.
 */
export async function admitProof(
  state: PartialGroupState,
  proof: MembershipProof,
  { rules, epoch }: { readonly rules: Rules; readonly epoch: bigint },
): Promise<{ readonly state: PartialGroupState; readonly slice: TreeSlice }> {
  const { suite } = state;
  const shaped = checkShape(suite, proof, rules.limits);
  const context = contextOf(state, epoch);
  const slice = proveSlice(suite, shaped, { treeHash: context.treeHash, requirement: "P-7-1" });
  if (isProven(state, epoch, slice.leafIndex)) return { state, slice };
  await validateProven(state, slice, { context, rules: withoutExpiry(rules) });
  return { state: knowing(state, epoch, slice), slice };
}

/** A proven leaf is still what its member says: its signature and its credential are to be judged (P-7-3). */
export function validateProven(
  { suite }: Pick<PartialGroupState, "suite">,
  { leaf, leafIndex }: TreeSlice,
  { context, rules }: { readonly context: GroupContext; readonly rules: Rules },
): Promise<void> {
  return validateLeafNode(suite, rules, {
    leaf,
    source: undefined,
    place: { groupId: context.groupId, leafIndex },
    moment: "group_info",
    context,
  });
}

/** Members do not ask again whether a leaf has expired that is in the group. */
const withoutExpiry = (rules: Rules): Rules => ({ ...rules, lifetime: { ...rules.lifetime, checkOnReceive: false } });

function knowing(state: PartialGroupState, epoch: bigint, { leafIndex, leaf }: TreeSlice): PartialGroupState {
  if (epoch === state.context.epoch) return { ...state, tree: state.tree.with(leafIndex, leaf) };
  const { credential, signatureKey } = leaf;
  const pastEpochs = state.pastEpochs.map((past): PastEpoch => {
    if (past.context.epoch !== epoch) return past;
    const members = new Map(past.former.members).set(leafIndex, { credential, signatureKey });
    return { ...past, former: { members, loaded: new Set(members.keys()) } };
  });
  return { ...state, pastEpochs };
}
