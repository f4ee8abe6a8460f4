/** Following Commits (Partial MLS, "Annotated Commit"): RFC 9420 §12.4.2 without the tree. */
import { type Bytes, EMPTY, equalBytes, erase } from "../../codec/bytes.ts";
import { encode } from "../../codec/codec.ts";
import { assembleEpoch, contextAfter, erasing, leaveGroup, moveInto } from "../../commit/epoch.ts";
import { adoptedUpdate, confirmEpoch } from "../../commit/process.ts";
import { resolveProposals, validatePathKeys, validatePathLeaf } from "../../commit/validate.ts";
import type { CipherSuite } from "../../crypto/cipher-suite.ts";
import { type MlsErrorCode, CoppiceError } from "../../errors.ts";
import type { Extension } from "../../extensions/extension.ts";
import type { Commit } from "../../framing/commit.ts";
import type { AuthenticatedContent, SentProposal } from "../../framing/framed-content.ts";
import type { KeyPackage } from "../../framing/key-package.ts";
import { type Proposal, type ReInitProposal, ProposalType } from "../../framing/proposal.ts";
import { decodeGroupMessage } from "../../group/receive.ts";
import { wrongSender } from "../../group/senders.ts";
import { type ChangedMember, checkExternalSenders } from "../../proposal/apply.ts";
import { checkPolicy } from "../../proposal/policy.ts";
import {
  checkProposalCount,
  pathRequired,
  validateExternalProposalList,
  validateProposalList,
} from "../../proposal/validate-list.ts";
import type { Rules } from "../../rules.ts";
import { encodeGroupContext } from "../../schedule/group-context.ts";
import type { PreSharedKeyId } from "../../schedule/psk.ts";
import { type Transition, ownLeaf, requireActive } from "../../state/group-state.ts";
import { type LeafNode, leafNode } from "../../tree/leaf-node.ts";
import { checkSupport } from "../../tree/leaf-node-validation.ts";
import { parentHashOver } from "../../tree/parent-hash.ts";
import { type LeafIndex, commonAncestor, isBelow, leafToNode } from "../../tree/tree-math.ts";
import { type PathSecrets, type PrivateKeys, keepPrivateKeys, openPathSecret } from "../../tree/treekem.ts";
import type { UpdatePath } from "../../tree/update-path.ts";
import { type TreeSlice, checkSameSize, checkShape, proveSlice } from "./membership-proof.ts";
import { type PartialGroupState, ProvenLeaves } from "./partial-state.ts";
import { anyLeaf, openPrivateProven, removes, verifyPublic, verifyPublicProven } from "./receive.ts";
import { type AnnotatedCommit, type FramedMessage, annotatedCommit, received } from "./wire-types.ts";

/** What a Commit did, as far as a partial member sees it. */
export interface PartialCommitEffect {
  /** The committer, with the leaf that signed the Commit. */
  readonly committer: ChangedMember;
  /** Key packages that were added; where is not known. */
  readonly added: readonly KeyPackage[];
  /** Leaves of members who are gone. */
  readonly removed: readonly number[];
  /** Members whose leaf an Update replaced. */
  readonly updated: readonly ChangedMember[];
  /** Whether the committer joined by this Commit. */
  readonly external: boolean;
  /** The extensions of the group context, if they changed. */
  readonly extensions: readonly Extension[] | undefined;
  /** Whether this member was removed; the state is then closed and cleared. */
  readonly selfRemoved: boolean;
}

/** A Commit that was applied: `state` is in the next epoch. */
export interface PartialCommit extends Transition<PartialGroupState> {
  readonly effect: PartialCommitEffect;
}

const refused = (code: MlsErrorCode, message: string, requirement: string): CoppiceError =>
  new CoppiceError(code, message, { requirement });

const wrongPath = (message: string, requirement: string): CoppiceError =>
  refused("ERR_MLS_UPDATE_PATH", message, requirement);

/**
 * Processes an AnnotatedCommit for this member, encoded or decoded. The annotation may come from anybody: what it says is proven by the
 * tree hashes, and that of the new tree by the Commit's confirmation tag. Of a Commit's proposals, no more is judged than shows without
 * the tree: that the others are valid is for full members to see. Store the state, then erase `consumed`. `ERR_MLS_TREE`,
 * `ERR_MLS_LIMIT`, `ERR_MLS_SENDER`, `ERR_MLS_UPDATE_PATH` for annotations that do not fit, `ERR_MLS_PROPOSAL_LIST` for custom proposals,
 * and the codes of `processMessage`. A refusal changes nothing.
 */
export async function processAnnotatedCommit(
  state: PartialGroupState,
  commit: Uint8Array | AnnotatedCommit,
  { rules }: { readonly rules: Rules },
): Promise<PartialCommit> {
  const annotated = received(annotatedCommit, commit, { field: "treeHashAfter", limits: rules.limits });
  requireActive(state);
  const message = decodeGroupMessage(annotated.commit, rules);
  const slices = proveAnnotation(state, annotated, { message, rules });
  const opened = await openCommit(state, message, { annotated, rules });
  const validated = await validateWithoutTree(opened.state, opened, { ...slices, rules });
  const { effect } = validated;
  if (effect.selfRemoved) {
    const left = leaveGroup(opened.state);
    return { ...left, consumed: [...opened.consumed, ...left.consumed], effect };
  }
  const next = await erasing((spent) =>
    enterNext(opened.state, opened.authenticated, {
      ...{ ...slices, validated, rules, spent },
      path: opened.commit.path,
      resolutionIndex: annotated.resolutionIndex,
    }),
  );
  return { ...next, consumed: [...opened.consumed, ...next.consumed], effect };
}

/** The tree of the new epoch, as the annotation proves it. */
interface SlicesAfter {
  readonly senderAfter: TreeSlice;
  readonly receiverAfter: TreeSlice;
}

/** Shapes first, for all proofs, then hashes. The proof of the sender before the Commit is verified when the Commit is. */
function proveAnnotation(
  { suite, leafIndex }: PartialGroupState,
  annotated: AnnotatedCommit,
  { message, rules: { limits } }: { readonly message: FramedMessage; readonly rules: Rules },
): SlicesAfter {
  const before = annotated.senderMembershipProof;
  const isMember =
    message.wireFormat === "mls_private_message" || message.publicMessage.content.sender.senderType === "member";
  if (isMember !== (before !== undefined)) {
    throw wrongSender("A membership proof of the sender is there exactly for members", "P-10-1");
  }
  const shapedBefore = before && checkShape(suite, before, limits);
  const sender = checkShape(suite, annotated.senderMembershipProofAfter, limits);
  const receiver = checkShape(suite, annotated.receiverMembershipProofAfter, limits);
  checkSameSize(sender, receiver);
  if (shapedBefore !== undefined && shapedBefore.leafIndex !== sender.leafIndex) {
    throw wrongSender("The membership proofs of the sender are of two leaves", "P-10-4");
  }
  if (receiver.leafIndex !== leafIndex) throw wrongSender("The annotation is for another member", "P-10-6");
  const { treeHashAfter: treeHash } = annotated;
  return {
    senderAfter: proveSlice(suite, sender, { treeHash, requirement: "P-10-3" }),
    receiverAfter: proveSlice(suite, receiver, { treeHash, requirement: "P-10-3" }),
  };
}

/** A Commit whose signature (and membership tag or encryption) verified. */
interface OpenedCommit extends Transition<PartialGroupState> {
  readonly authenticated: AuthenticatedContent;
  readonly commit: Commit;
}

async function openCommit(
  before: PartialGroupState,
  message: FramedMessage,
  { annotated, rules }: { readonly annotated: AnnotatedCommit; readonly rules: Rules },
): Promise<OpenedCommit> {
  const opened = await openHandshake(before, message, { proof: annotated.senderMembershipProof, rules });
  const { content, sender } = opened.authenticated.content;
  if (content.contentType !== "commit") throw refused("ERR_MLS_DECODE", "An annotated message is no Commit", "P-10-2");
  if (sender.senderType === "member" && sender.leafIndex === before.leafIndex) {
    throw refused("ERR_MLS_STATE", "A partial member makes no Commits", "P-10-7");
  }
  const { commit } = content;
  if ((commit.path === undefined) !== (annotated.resolutionIndex === undefined)) {
    throw wrongPath("A resolution index is there exactly for Commits with a path", "P-10-5");
  }
  return { ...opened, commit };
}

async function openHandshake(
  state: PartialGroupState,
  message: FramedMessage,
  { proof, rules }: { readonly proof: AnnotatedCommit["senderMembershipProof"]; readonly rules: Rules },
): Promise<Transition<PartialGroupState> & { readonly authenticated: AuthenticatedContent }> {
  if (message.wireFormat === "mls_private_message") {
    if (proof === undefined || message.privateMessage.contentType !== "commit") {
      throw refused("ERR_MLS_DECODE", "An annotated message is no Commit", "P-10-2");
    }
    const { opened, state: next, consumed } = await openPrivateProven(state, message.privateMessage, { proof, rules });
    return { state: next, consumed, authenticated: opened.authenticated };
  }
  const { publicMessage } = message;
  if (proof !== undefined)
    return { ...(await verifyPublicProven(state, publicMessage, { proof, rules })), consumed: [] };
  return { state, consumed: [], authenticated: await verifyPublic(state, publicMessage, rules) };
}

/** What of a Commit shows without the tree. */
interface PartiallyValidated {
  readonly effect: PartialCommitEffect;
  readonly extensions: readonly Extension[];
  readonly psks: readonly PreSharedKeyId[];
  readonly externalInit: Bytes | undefined;
  readonly reinit: ReInitProposal | undefined;
  /** The private key of an own Update that the Commit covers. */
  readonly update: PrivateKeys;
}

/** The checks of `validateCommit` that need no tree. Full members make the others. */
async function validateWithoutTree(
  state: PartialGroupState,
  { authenticated, commit }: OpenedCommit,
  { senderAfter, receiverAfter, rules }: SlicesAfter & { readonly rules: Rules },
): Promise<PartiallyValidated> {
  const { suite, context } = state;
  const { sender } = authenticated.content;
  checkProposalCount(commit.proposals.length, rules.limits);
  const sent = resolveProposals(state, commit, { committer: sender, rules });
  const known = { tree: anyLeaf(state), rules };
  if (sender.senderType === "member") {
    validateProposalList(suite, sent, { ...known, committer: sender.leafIndex as LeafIndex });
  } else {
    validateExternalProposalList(suite, sent, known);
  }
  if (sent.some(({ proposal }) => proposal.proposalType === ProposalType.custom)) {
    throw refused("ERR_MLS_PROPOSAL_LIST", "A partial member cannot apply a custom proposal", "P-10-10");
  }
  await checkPolicy(rules, { proposals: sent, committer: sender });
  if (commit.path === undefined && pathRequired(sent, rules))
    throw wrongPath("These proposals need a path", "R-12.4-6");

  const external = sender.senderType !== "member";
  const previous = external ? undefined : state.tree.findLeaf(senderAfter.leafIndex);
  const signing = previous ?? commit.path?.leafNode;
  if (signing === undefined) throw new RangeError("The committer of a verified Commit has a leaf");
  const changes = changesOf(sent);
  const effect: PartialCommitEffect = {
    ...changes.effect,
    committer: { leafIndex: senderAfter.leafIndex, leafNode: signing },
    external,
    selfRemoved: sent.some(({ proposal }) => removes(proposal, state)),
  };
  const { extensions = context.extensions } = effect;
  const validated = { ...changes, effect, extensions, update: new Map() };
  if (effect.selfRemoved) return validated;

  checkOwnLeaf(state, receiverAfter, effect.updated);
  checkSupport(receiverAfter.leaf, { extensions });
  await checkExternalSenders(suite, rules, { before: context.extensions, after: extensions });
  if (!isSameLeaf(senderAfter.leaf, commit.path?.leafNode ?? signing)) {
    throw wrongPath("The committer's leaf in the new tree is not that of the Commit", "P-10-8");
  }
  if (commit.path !== undefined) {
    const place = { leafIndex: senderAfter.leafIndex, external, previous };
    await validatePathLeaf(state, { leaf: commit.path.leafNode, applied: { extensions }, place, rules });
    checkPath(suite, senderAfter, commit.path);
    await validatePathKeys(state, commit.path);
  }
  return { ...validated, update: adoptedUpdate(state, effect.updated) };
}

type Changes = Pick<PartiallyValidated, "psks" | "externalInit" | "reinit"> & {
  readonly effect: Pick<PartialCommitEffect, "added" | "removed" | "updated" | "extensions">;
};

/** What the proposals do, where that shows. */
function changesOf(sent: readonly SentProposal[]): Changes {
  const of = <T extends Proposal["proposalType"]>(type: T): Extract<Proposal, { proposalType: T }>[] =>
    sent.flatMap(({ proposal }) => (isType(proposal, type) ? [proposal] : []));
  return {
    psks: of(ProposalType.psk).map(({ psk }) => psk),
    externalInit: of(ProposalType.externalInit)[0]?.kemOutput,
    reinit: of(ProposalType.reinit)[0],
    effect: {
      added: of(ProposalType.add).map(({ keyPackage }) => keyPackage),
      removed: of(ProposalType.remove).map(({ removed }) => removed),
      updated: sent.flatMap(({ proposal, sender }): ChangedMember[] =>
        proposal.proposalType === ProposalType.update && sender.senderType === "member"
          ? [{ leafIndex: sender.leafIndex as LeafIndex, leafNode: proposal.leafNode }]
          : [],
      ),
      extensions: of(ProposalType.groupContextExtensions)[0]?.extensions,
    },
  };
}

function isType<T extends Proposal["proposalType"]>(
  proposal: Proposal,
  type: T,
): proposal is Extract<Proposal, { proposalType: T }> {
  return proposal.proposalType === type;
}

const isSameLeaf = (a: LeafNode, b: LeafNode): boolean => equalBytes(encode(leafNode, a), encode(leafNode, b));

/** The own leaf is as it was, or as an own Update that is covered has it (P-10-6). */
function checkOwnLeaf(state: PartialGroupState, { leaf }: TreeSlice, updated: PartialCommitEffect["updated"]): void {
  const own = updated.find(({ leafIndex }) => leafIndex === state.leafIndex)?.leafNode ?? ownLeaf(state);
  if (!isSameLeaf(leaf, own)) throw refused("ERR_MLS_TREE", "The own leaf in the new tree is another one", "P-10-6");
}

/**
 * The nodes of the path are those above the committer in the new tree, and chained to its leaf by their parent hashes: no leaf is unmerged
 * there, so that the hashes that the proof has are those that parent hashes are made of (P-10-8).
 */
function checkPath({ hash }: CipherSuite, { filled }: TreeSlice, { leafNode: leaf, nodes }: UpdatePath): void {
  const isPath =
    filled.length === nodes.length &&
    filled.every(({ parentNode: { encryptionKey, unmergedLeaves } }, i) => {
      const announced = nodes[i]?.encryptionKey;
      return unmergedLeaves.length === 0 && announced !== undefined && equalBytes(encryptionKey, announced);
    });
  if (!isPath) throw wrongPath("The update path is not the committer's path in the new tree", "P-10-8");
  let above: Bytes = EMPTY;
  for (const { parentNode, copathHash } of [...filled].reverse()) {
    if (!equalBytes(parentNode.parentHash, above)) throw unchained();
    above = parentHashOver(hash, parentNode, copathHash);
  }
  const { source } = leaf;
  if (source.leafNodeSource !== "commit" || !equalBytes(source.parentHash, above)) throw unchained();
}

const unchained = (): CoppiceError => wrongPath("The parent hashes of the path do not fit", "R-7.5-7");

async function enterNext(
  state: PartialGroupState,
  authenticated: AuthenticatedContent,
  {
    senderAfter,
    receiverAfter,
    validated,
    rules,
    spent,
    path,
    resolutionIndex,
  }: SlicesAfter & {
    readonly validated: PartiallyValidated;
    readonly rules: Rules;
    readonly spent: Bytes[];
    readonly path: UpdatePath | undefined;
    readonly resolutionIndex: number | undefined;
  },
): Promise<Transition<PartialGroupState>> {
  const { suite } = state;
  const provisional = contextAfter(state.context, {
    treeHash: senderAfter.treeHash,
    extensions: validated.extensions,
  });
  const { kept: ownKeys } = keepPrivateKeys(receiverAfter, state.privateKeys, validated.update);
  const derived =
    path &&
    (await decryptPath(suite, path, {
      ...{ senderAfter, receiverAfter, resolutionIndex },
      privateKeys: ownKeys,
      context: encodeGroupContext(provisional),
    }));
  if (derived !== undefined) erase(...derived.secrets.map(({ pathSecret }) => pathSecret));
  const commitSecret = derived?.commitSecret ?? new Uint8Array(suite.hash.Nh);
  const applied = validated;
  const outputs = await confirmEpoch(state, authenticated, { applied, provisional, commitSecret, rules, spent });
  const next = assembleEpoch(outputs, {
    tree: new ProvenLeaves(
      receiverAfter.leafCount,
      new Map([
        [receiverAfter.leafIndex, receiverAfter.leaf],
        [senderAfter.leafIndex, senderAfter.leaf],
      ]),
    ),
    leafIndex: state.leafIndex,
    privateKeys: keepPrivateKeys(receiverAfter, ownKeys, derived?.keys).kept,
    leafSince: validated.update.size > 0 ? outputs.context.epoch : state.leafSince,
    reinit: validated.reinit,
  });
  const { leaves: members } = state.tree;
  const former = { members, loaded: new Set(members.keys()) };
  const { state: entered, consumed } = moveInto(state, next, { former, limits: rules.limits });
  return { state: { ...entered, proof: receiverAfter.proof }, consumed };
}

/** Decrypts this member's path secret, where the annotation says that it is, and derives the path from it. */
export async function decryptPath(
  suite: CipherSuite,
  path: UpdatePath,
  {
    senderAfter,
    receiverAfter,
    resolutionIndex,
    privateKeys,
    context,
  }: SlicesAfter & {
    readonly resolutionIndex: number | undefined;
    /** This member's keys in the tree before the path. */
    readonly privateKeys: PrivateKeys;
    /** Encoded provisional group context. */
    readonly context: Bytes;
  },
): Promise<PathSecrets> {
  const { leafIndex, leafCount } = receiverAfter;
  const meeting = commonAncestor(leafToNode(leafIndex), leafToNode(senderAfter.leafIndex), leafCount);
  const start = senderAfter.filled.findIndex(({ index }) => index === meeting);
  const announced = path.nodes.slice(start);
  const sealed = resolutionIndex === undefined ? undefined : announced[0]?.encryptedPathSecret[resolutionIndex];
  if (start < 0 || sealed === undefined) throw wrongPath("The resolution index names no ciphertext", "P-10-9");
  // Whoever is unmerged at the node below the meeting point does not have its key: the path secret is sealed to the leaf (RFC 9420 §4.1.1).
  const below = receiverAfter.filled.findLast(({ index }) => index !== meeting && isBelow(index, meeting));
  const isMerged = below !== undefined && !below.parentNode.unmergedLeaves.includes(leafIndex);
  const keys = privateKeys.get(isMerged ? below.index : leafToNode(leafIndex));
  if (keys === undefined) throw wrongPath("No path secret is encrypted to this leaf", "R-7.5-9");
  const nodes = senderAfter.filled.slice(start).map(({ index }) => index);
  return openPathSecret(suite, { keys, context, sealed, nodes, announced });
}
