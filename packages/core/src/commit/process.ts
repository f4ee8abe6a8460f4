/** Processing a Commit (RFC 9420 §12.4.2). The state stays as it is until everything verified. */
import type { Bytes } from "../codec/bytes.ts";
import { equalBytes, toHex, utf8 } from "../codec/bytes.ts";
import { encode } from "../codec/codec.ts";
import { sameCredential } from "../credential.ts";
import { CoppiceError } from "../errors.ts";
import type { Extension } from "../extension.ts";
import type { Commit } from "../framing/commit.ts";
import type { AuthenticatedContent, Sender } from "../framing/framed-content.ts";
import { confirmedTranscriptHashInput } from "../framing/framed-content.ts";
import type { GroupState, Transition } from "../group-state.ts";
import type { AddedMember, AppliedProposals, ChangedMember } from "../proposal/apply.ts";
import { applyProposals, checkTreeSize } from "../proposal/apply.ts";
import { pathRequired, validateExternalProposalList, validateProposalList } from "../proposal/validate-list.ts";
import type { Identity, Rules, SentProposal } from "../rules.ts";
import { groupContext } from "../schedule/group-context.ts";
import { verifyConfirmationTag } from "../schedule/transcript-hash.ts";
import type { LeafNode } from "../tree/leaf-node.ts";
import { validateLeafNode, validateMembers } from "../tree/leaf-node-validation.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { leafToNode } from "../tree/tree-math.ts";
import type { PrivateKeys } from "../tree/treekem.ts";
import { applyUpdatePath, decryptPath, keepPrivateKeys } from "../tree/treekem.ts";
import type { UpdatePath } from "../tree/update-path.ts";
import {
  assembleEpoch,
  computeEpoch,
  enterEpoch,
  eraseIntermediate,
  leaveGroup,
  lookUpPsks,
  provisionalContext,
} from "./epoch.ts";

/** What a Commit did. */
export interface CommitEffect {
  /** The committer, with the leaf that signed the Commit. */
  readonly committer: ChangedMember;
  readonly added: readonly AddedMember[];
  readonly updated: readonly ChangedMember[];
  readonly removed: readonly ChangedMember[];
  /** Whether this member was removed; the state is then closed and cleared. */
  readonly selfRemoved: boolean;
  /** Whether the committer joined by this Commit. */
  readonly external: boolean;
  /** The extensions of the group context, if they changed. */
  readonly extensions: readonly Extension[] | undefined;
}

/** A Commit whose signature (and membership tag or encryption) verified. */
export interface VerifiedCommit {
  readonly authenticated: AuthenticatedContent;
  readonly commit: Commit;
}

const pathError = (message: string, requirement: string): CoppiceError =>
  new CoppiceError("ERR_MLS_UPDATE_PATH", message, { requirement });

/** `state` is in the Commit's epoch; its secret tree already lacks the key of this message. */
export async function processCommit(
  state: GroupState,
  { authenticated, commit }: VerifiedCommit,
  rules: Rules,
): Promise<Transition & { readonly effect: CommitEffect }> {
  const { suite } = state;
  const { sender } = authenticated.content;
  const proposals = resolveProposals(state, commit, sender);
  if (sender.senderType === "member") {
    if (sender.leafIndex === state.leafIndex) {
      throw new CoppiceError("ERR_MLS_STATE", "an own Commit is adopted, not processed", {
        requirement: "R-12.4.2-16",
      });
    }
    validateProposalList(suite, state.tree, { proposals, committer: sender.leafIndex as LeafIndex });
  } else {
    validateExternalProposalList(suite, state.tree, proposals);
  }
  await rules.allowProposals({ proposals, committer: sender });
  const applied = await applyProposals(suite, proposals, {
    tree: state.tree,
    context: state.context,
    rules,
    sending: false,
  });
  if (commit.path === undefined && (pathRequired(proposals) || sender.senderType !== "member")) {
    throw pathError("these proposals need an update path", "R-12.4-6");
  }

  const place = placeCommitter(state, applied, sender);
  checkTreeSize(place.tree, rules);
  const effect = describe(state, applied, place, commit.path);
  if (effect.selfRemoved) return { ...leaveGroup(state), effect };

  const reception = await receivePath(state, { commit, applied, place, rules });
  const psks = await lookUpPsks(state, applied.psks, rules);
  const initSecret =
    applied.externalInit === undefined
      ? state.secrets.initSecret
      : await externalInitSecret(state, applied.externalInit);
  const outputs = computeEpoch(suite, {
    provisional: provisionalContext(suite, state.context, reception.tree, applied),
    interimBefore: state.interimTranscriptHash,
    transcriptInput: confirmedTranscriptHashInput(authenticated),
    initSecret,
    commitSecret: reception.commitSecret,
    psks,
  });
  verifyConfirmationTag(outputs.confirmationTag, authenticated.auth.confirmationTag, "R-12.4.2-12");
  eraseIntermediate(outputs, reception.commitSecret);

  const next = assembleEpoch(outputs, {
    tree: reception.tree,
    leafIndex: state.leafIndex,
    privateKeys: reception.privateKeys,
    leafSince: reception.ownUpdate ? outputs.context.epoch : state.leafSince,
    reinit: applied.reinit,
  });
  return { ...enterEpoch(state, next, rules.limits), effect };
}

/** Inline proposals are the committer's; references come from the epoch's cache (R-12.4-2). */
function resolveProposals(state: GroupState, commit: Commit, committer: Sender): SentProposal[] {
  const missing: string[] = [];
  const proposals = commit.proposals.flatMap((entry): SentProposal[] => {
    if (entry.type === "proposal") return [{ proposal: entry.proposal, sender: committer }];
    if (committer.senderType !== "member") {
      throw new CoppiceError("ERR_MLS_PROPOSAL_LIST", "an external Commit refers to a proposal", {
        requirement: "R-12.4.3.2-4",
      });
    }
    const ref = toHex(entry.reference);
    const cached = state.proposals.get(ref);
    if (cached === undefined) missing.push(ref);
    return cached === undefined ? [] : [cached];
  });
  if (missing.length > 0) {
    throw new CoppiceError("ERR_MLS_PROPOSAL_REF", "the Commit refers to proposals that are not known", {
      requirement: "R-12.4-2",
      detail: { missing },
    });
  }
  return proposals;
}

/** Where the committer's leaf is, and the tree that has room for it. */
interface CommitterPlace {
  readonly leafIndex: LeafIndex;
  readonly tree: RatchetTree;
  readonly external: boolean;
  /** The leaf it replaces: its own, or the one that an external Commit removes. */
  readonly previous: LeafNode | undefined;
}

function placeCommitter(state: GroupState, applied: AppliedProposals, sender: Sender): CommitterPlace {
  if (sender.senderType === "member") {
    const leafIndex = sender.leafIndex as LeafIndex;
    return { leafIndex, tree: applied.tree, external: false, previous: state.tree.leaf(leafIndex) };
  }
  const { tree, index } = applied.tree.reserveLeaf();
  return { leafIndex: index, tree, external: true, previous: applied.removed[0]?.leafNode };
}

function describe(
  state: GroupState,
  applied: AppliedProposals,
  place: CommitterPlace,
  path: UpdatePath | undefined,
): CommitEffect {
  const leafNode = place.external ? path?.leafNode : place.previous;
  if (leafNode === undefined) throw new RangeError("the committer of a verified Commit has a leaf");
  return {
    committer: { leafIndex: place.leafIndex, leafNode },
    added: applied.added,
    updated: applied.updated,
    removed: applied.removed,
    selfRemoved: applied.removed.some(({ leafIndex }) => leafIndex === state.leafIndex),
    external: place.external,
    extensions: applied.extensions === state.context.extensions ? undefined : applied.extensions,
  };
}

interface Reception {
  readonly tree: RatchetTree;
  readonly privateKeys: PrivateKeys;
  readonly commitSecret: Bytes;
  /** Whether an own Update took effect. */
  readonly ownUpdate: boolean;
}

/** Judges and merges the path, then decrypts this member's part of it (R-12.4.2-8 to R-12.4.2-11). */
async function receivePath(
  state: GroupState,
  { commit, applied, place, rules }: { commit: Commit; applied: AppliedProposals; place: CommitterPlace; rules: Rules },
): Promise<Reception> {
  const { suite } = state;
  const update = adoptedUpdate(state, applied);
  const { kept: ownKeys } = keepPrivateKeys(place.tree, state.privateKeys, update);
  const ownUpdate = update.size > 0;
  if (commit.path === undefined) {
    return { tree: place.tree, privateKeys: ownKeys, commitSecret: new Uint8Array(suite.hash.Nh), ownUpdate };
  }

  const { path } = commit;
  await validatePathLeaf(state, { leaf: path.leafNode, applied, place, rules });
  await validatePathKeys(state, path);
  const newLeaves = new Set(applied.added.map(({ leafIndex }) => leafIndex));
  const tree = applyUpdatePath(suite, place.tree, { sender: place.leafIndex, path, newLeaves });
  validateMembers(tree, { extensions: applied.extensions });
  const derived = await decryptPath(suite, place.tree, {
    sender: place.leafIndex,
    path,
    newLeaves,
    privateKeys: ownKeys,
    receiver: state.leafIndex,
    context: encode(groupContext, provisionalContext(suite, state.context, tree, applied)),
  });
  for (const { pathSecret } of derived.secrets) pathSecret.fill(0);
  const { kept: privateKeys } = keepPrivateKeys(tree, ownKeys, derived.keys);
  return { tree, privateKeys, commitSecret: derived.commitSecret, ownUpdate };
}

/** The key pair of an own Update that this Commit covers (T-13). */
function adoptedUpdate(state: GroupState, applied: AppliedProposals): PrivateKeys {
  const own = applied.updated.find(({ leafIndex }) => leafIndex === state.leafIndex);
  if (own === undefined) return new Map();
  const publicKey = own.leafNode.encryptionKey;
  const privateKey = state.pendingUpdates.get(toHex(publicKey));
  if (privateKey === undefined) {
    throw new CoppiceError("ERR_MLS_STATE", "the private key of the own Update is gone", { requirement: "R-12.1.2-2" });
  }
  return new Map([[leafToNode(state.leafIndex), { publicKey, privateKey }]]);
}

async function validatePathLeaf(
  state: GroupState,
  { leaf, applied, place, rules }: { leaf: LeafNode; applied: AppliedProposals; place: CommitterPlace; rules: Rules },
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
    sending: false,
  });
}

/** Members who cannot derive a node still seal to it later: an unusable key would keep them from committing. */
async function validatePathKeys({ suite }: GroupState, path: UpdatePath): Promise<void> {
  try {
    await Promise.all(path.nodes.map(({ encryptionKey }) => suite.hpke.validatePublicKey(encryptionKey)));
  } catch (cause) {
    throw new CoppiceError("ERR_MLS_UPDATE_PATH", "a public key of the update path is not one of this suite", {
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

/** R-8.3-2: with the external key pair of the epoch that ends. */
async function externalInitSecret(state: GroupState, kemOutput: Bytes): Promise<Bytes> {
  const { suite, secrets } = state;
  const keys = await suite.hpke.deriveKeyPair(secrets.externalSecret);
  return suite.hpke.receiveExport(keys, kemOutput, utf8("MLS 1.0 external init secret"), suite.hash.Nh);
}
