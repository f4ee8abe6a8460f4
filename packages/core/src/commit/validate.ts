/** The part of processing a Commit (RFC 9420 §12.4.2) that needs no secrets: what members and observers check alike. */
import { equalBytes, toHex } from "../codec/bytes.ts";
import { sameCredential } from "../identity/credential.ts";
import { type SentCustomProposal, removesSender } from "../proposal/custom-proposal.ts";
import { CoppiceError } from "../errors.ts";
import type { Extension } from "../extensions/extension.ts";
import type { Commit } from "../framing/commit.ts";
import type { AuthenticatedContent, Sender, SentProposal } from "../framing/framed-content.ts";
import type { PublicGroupState } from "../state/group-state.ts";
import {
  type AddedMember,
  type AppliedProposals,
  type ChangedMember,
  applyProposals,
  checkTreeSize,
} from "../proposal/apply.ts";
import { checkPolicy } from "../proposal/policy.ts";
import {
  checkProposalCount,
  pathRequired,
  validateExternalProposalList,
  validateProposalList,
} from "../proposal/validate-list.ts";
import type { Identity } from "../identity/authentication.ts";
import type { Rules } from "../rules.ts";
import type { LeafNode } from "../tree/leaf-node.ts";
import { validateLeafNode, validateMembers } from "../tree/leaf-node-validation.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { applyUpdatePath, matchPath } from "../tree/treekem.ts";
import type { UpdatePath } from "../tree/update-path.ts";

/** What a Commit did. */
export interface CommitEffect {
  /** The committer, with the leaf that signed the Commit. */
  readonly committer: ChangedMember;
  readonly added: readonly AddedMember[];
  readonly updated: readonly ChangedMember[];
  readonly removed: readonly ChangedMember[];
  /** Whether the committer joined by this Commit. */
  readonly external: boolean;
  /** The extensions of the group context, if they changed. */
  readonly extensions: readonly Extension[] | undefined;
  /** Proposals of the application's types that it covered, in the Commit's order. */
  readonly custom: readonly SentCustomProposal[];
}

/** A Commit whose signature (and membership tag or encryption) verified. */
export interface VerifiedCommit {
  readonly authenticated: AuthenticatedContent;
  readonly commit: Commit;
}

const pathError = (message: string, requirement: string): CoppiceError =>
  new CoppiceError("ERR_MLS_UPDATE_PATH", message, { requirement });

/** A Commit that is valid as far as its public part goes. */
export interface ValidatedCommit {
  readonly applied: AppliedProposals;
  readonly place: CommitterPlace;
  /** The tree of the new epoch: with the proposals applied and the path merged. */
  readonly tree: RatchetTree;
  /** Leaves that the path is not encrypted to, since they were added by the Commit itself. */
  readonly newLeaves: ReadonlySet<LeafIndex>;
  readonly effect: CommitEffect;
}

/** `state` is in the Commit's epoch. Refuses with the codes of proposal lists, proposals, leaves, trees and update paths. */
export async function validateCommit(
  state: PublicGroupState,
  { authenticated, commit }: VerifiedCommit,
  rules: Rules,
): Promise<ValidatedCommit> {
  const { suite } = state;
  const { sender } = authenticated.content;
  checkProposalCount(commit.proposals.length, rules.limits);
  const proposals = resolveProposals(state, commit, { committer: sender, rules });
  if (sender.senderType === "member") {
    validateProposalList(suite, proposals, { tree: state.tree, rules, committer: sender.leafIndex as LeafIndex });
  } else {
    validateExternalProposalList(suite, proposals, { tree: state.tree, rules });
  }
  await checkPolicy(rules, { proposals, committer: sender });
  const applied = await applyProposals(suite, proposals, {
    tree: state.tree,
    context: state.context,
    rules,
    sending: false,
  });
  if (commit.path === undefined && pathRequired(proposals, rules)) {
    throw pathError("these proposals need an update path", "R-12.4-6");
  }

  const place = placeCommitter(state, applied, sender);
  checkTreeSize(place.tree, rules);
  const newLeaves = new Set(applied.added.map(({ leafIndex }) => leafIndex));
  const effect = describe(state, applied, place, commit.path);
  if (commit.path === undefined) return { applied, place, tree: place.tree, newLeaves, effect };

  const { path } = commit;
  await validatePathLeaf(state, { leaf: path.leafNode, applied, place, rules });
  matchPath(place.tree, place.leafIndex, path);
  await validatePathKeys(state, path);
  const tree = applyUpdatePath(suite, place.tree, { sender: place.leafIndex, path, newLeaves });
  validateMembers(tree, { extensions: applied.extensions }, rules);
  return { applied, place, tree, newLeaves, effect };
}

/**
 * Inline proposals are the committer's; references come from the epoch's cache (R-12.4-2). An external Commit refers to SelfRemoves
 * alone (R-12.4.3.2-4, X-6.3-7), and to them everybody refers (X-6.3-1).
 */
export function resolveProposals(
  state: Pick<PublicGroupState, "proposals">,
  commit: Commit,
  { committer, rules: { proposalTypes } }: { readonly committer: Sender; readonly rules: Rules },
): SentProposal[] {
  const listError = (message: string, requirement: string): CoppiceError =>
    new CoppiceError("ERR_MLS_PROPOSAL_LIST", message, { requirement });
  const missing: string[] = [];
  const proposals = commit.proposals.flatMap((entry): SentProposal[] => {
    if (entry.type === "proposal") {
      if (removesSender(entry.proposal, proposalTypes)) throw listError("A SelfRemove by value", "X-6.3-1");
      return [{ proposal: entry.proposal, sender: committer }];
    }
    const ref = toHex(entry.reference);
    const cached = state.proposals.get(ref);
    if (committer.senderType !== "member" && !(cached && removesSender(cached.proposal, proposalTypes))) {
      throw listError("An external Commit refers to a proposal", "R-12.4.3.2-4");
    }
    if (cached !== undefined) return [cached];
    missing.push(ref);
    return [];
  });
  if (missing.length > 0) {
    throw new CoppiceError("ERR_MLS_PROPOSAL_REF", "The Commit refers to proposals that are not known", {
      requirement: "R-12.4-2",
      detail: { missing },
    });
  }
  return proposals;
}

/** Where the committer's leaf is, and the tree that has room for it. */
export interface CommitterPlace {
  readonly leafIndex: LeafIndex;
  readonly tree: RatchetTree;
  readonly external: boolean;
  /** The leaf it replaces: its own, or the one that an external Commit removes. */
  readonly previous: LeafNode | undefined;
}

function placeCommitter(state: PublicGroupState, applied: AppliedProposals, sender: Sender): CommitterPlace {
  if (sender.senderType === "member") {
    const leafIndex = sender.leafIndex as LeafIndex;
    return { leafIndex, tree: applied.tree, external: false, previous: state.tree.leaf(leafIndex) };
  }
  const { tree, index } = applied.tree.reserveLeaf();
  return { leafIndex: index, tree, external: true, previous: applied.expelled[0]?.leafNode };
}

function describe(
  state: PublicGroupState,
  applied: AppliedProposals,
  place: CommitterPlace,
  path: UpdatePath | undefined,
): CommitEffect {
  const leafNode = place.external ? path?.leafNode : place.previous;
  if (leafNode === undefined) throw new RangeError("The committer of a verified Commit has a leaf");
  return {
    committer: { leafIndex: place.leafIndex, leafNode },
    added: applied.added,
    updated: applied.updated,
    removed: applied.removed,
    external: place.external,
    extensions: applied.extensions === state.context.extensions ? undefined : applied.extensions,
    custom: applied.custom,
  };
}

/** The leaf that a path puts in the committer's place: `ERR_MLS_UPDATE_PATH` and the codes of leaf validation. */
export async function validatePathLeaf(
  state: Pick<PublicGroupState, "suite" | "context">,
  {
    leaf,
    applied,
    place,
    rules,
  }: {
    readonly leaf: LeafNode;
    readonly applied: Pick<AppliedProposals, "extensions">;
    readonly place: Omit<CommitterPlace, "tree">;
    readonly rules: Rules;
  },
): Promise<void> {
  const { previous, leafIndex } = place;
  if (previous !== undefined && equalBytes(previous.encryptionKey, leaf.encryptionKey)) {
    throw pathError("the committer's encryption key does not change", "R-12.4.2-9");
  }
  await validateLeafNode(state.suite, rules, {
    leaf,
    source: "commit",
    place: { groupId: state.context.groupId, leafIndex },
    moment: "commit",
    previous: successorOf(previous, leaf, place.external),
    context: { extensions: applied.extensions },
  });
}

/** Members who cannot derive a node still seal to it later: an unusable key would keep them from committing. */
export async function validatePathKeys({ suite }: Pick<PublicGroupState, "suite">, path: UpdatePath): Promise<void> {
  try {
    await Promise.all(path.nodes.map(({ encryptionKey }) => suite.hpke.validatePublicKey(encryptionKey)));
  } catch (cause) {
    throw new CoppiceError("ERR_MLS_UPDATE_PATH", "A public key of the update path is not one of this suite", {
      requirement: "R-5.1.1-3",
      cause,
    });
  }
}

/** The identity that a leaf must be an acceptable successor of, if it changes one (R-5.3.1-8, R-12.2-17). */
function successorOf(previous: LeafNode | undefined, leaf: LeafNode, external: boolean): Identity | undefined {
  if (previous === undefined) return undefined;
  return external || !sameCredential(previous.credential, leaf.credential) ? previous : undefined;
}
