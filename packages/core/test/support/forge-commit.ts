/** Commits that no honest member makes: proposals and path are taken as they are, without any check. */
import type { Bytes } from "../../src/codec/bytes.ts";
import { toHex, utf8 } from "../../src/codec/bytes.ts";
import { encode } from "../../src/codec/codec.ts";
import type { EpochOutputs } from "../../src/commit/epoch.ts";
import { computeEpoch, provisionalContext } from "../../src/commit/epoch.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import { confirmedTranscriptHashInput } from "../../src/framing/framed-content.ts";
import type { Proposal, ProposalOrRef } from "../../src/framing/proposal.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import type { AppliedProposals } from "../../src/proposal/apply.ts";
import type { SentProposal } from "../../src/framing/framed-content.ts";
import { groupContext } from "../../src/schedule/group-context.ts";
import type { PreSharedKey } from "../../src/schedule/psk.ts";
import type { UnsignedLeafNode } from "../../src/tree/leaf-node.ts";
import { signLeafNode } from "../../src/tree/leaf-node.ts";
import { hashPath } from "../../src/tree/parent-hash.ts";
import type { LeafIndex, NodeIndex } from "../../src/tree/tree-math.ts";
import type { GeneratedPath } from "../../src/tree/treekem.ts";
import { encryptPath, generatePath } from "../../src/tree/treekem.ts";
import type { UpdatePath } from "../../src/tree/update-path.ts";
import type { ContentEdits, PrivateEdits, PublicEdits } from "./forge-message.ts";
import { sealPrivate, sealPublic, signedContent } from "./forge-message.ts";
import type { Member } from "./group.ts";

export interface CommitEdits extends ContentEdits {
  /** In order. A hex string refers to a proposal that the committer has cached. */
  readonly proposals?: readonly (Proposal | string)[];
  /** Default true. */
  readonly withPath?: boolean;
  /** The path leaf, before it is signed. */
  readonly leaf?: (leaf: UnsignedLeafNode) => UnsignedLeafNode;
  /** Signs the path leaf in place of the committer. */
  readonly leafSigner?: Signer;
  /** Where the path leaf's signature says that it stands. */
  readonly leafPlace?: { readonly groupId?: Bytes; readonly leafIndex?: LeafIndex };
  /** The path, after the secrets were encrypted to the tree that it leads to. */
  readonly path?: (path: UpdatePath) => UpdatePath;
  /** Public keys of the path's nodes, from the leaf up, before parent hashes and encryption. */
  readonly nodeKeys?: readonly (Bytes | undefined)[];
  /** The values of PSKs, in the order of their proposals. */
  readonly psks?: readonly Bytes[];
  /** Encrypted with these edits instead of sent as a public message. */
  readonly sealed?: PrivateEdits;
  readonly message?: PublicEdits["message"];
}

/** Proposals as a Commit's receiver will see them. */
function resolve(state: GroupState, proposals: readonly (Proposal | string)[], committer: LeafIndex): SentProposal[] {
  return proposals.flatMap((entry): SentProposal[] => {
    if (typeof entry !== "string") {
      return [{ proposal: entry, sender: { senderType: "member", leafIndex: committer } }];
    }
    const cached = state.proposals.get(entry);
    return cached === undefined ? [] : [cached];
  });
}

/** Applies what can be applied, in the order of the RFC. */
function applyLoosely(state: GroupState, sent: readonly SentProposal[]): AppliedProposals {
  let { tree } = state;
  let { extensions } = state.context;
  const added = [];
  const psks = [];
  for (const { proposal, sender } of sent) {
    if (proposal.proposalType === 2 && sender.senderType === "member") {
      tree = tree.updateLeaf(sender.leafIndex as LeafIndex, proposal.leafNode);
    }
    if (proposal.proposalType === 7) extensions = proposal.extensions;
    if (proposal.proposalType === 4) psks.push(proposal.psk);
  }
  for (const { proposal } of sent) {
    if (proposal.proposalType === 3 && tree.findLeaf(proposal.removed) !== undefined) {
      tree = tree.removeLeaf(proposal.removed as LeafIndex);
    }
  }
  for (const { proposal } of sent) {
    if (proposal.proposalType !== 1) continue;
    const result = tree.addLeaves([proposal.keyPackage]);
    tree = result.tree;
    for (const [leafIndex, keyPackage] of result.placed) added.push({ leafIndex, keyPackage });
  }
  return {
    tree,
    extensions,
    added,
    updated: [],
    removed: [],
    expelled: [],
    psks,
    externalInit: undefined,
    reinit: undefined,
    custom: [],
  };
}

async function forgePath(
  applied: AppliedProposals,
  state: GroupState,
  edits: CommitEdits,
  committer: { readonly leaf: LeafIndex; readonly signer: Signer; readonly content: LeafContent },
): Promise<{ generated: GeneratedPath; path: UpdatePath }> {
  const { suite, context } = state;
  const { leaf, content } = committer;
  const signer = edits.leafSigner ?? committer.signer;
  const { groupId } = context;
  const honest = await generatePath(suite, applied.tree, { leaf, content, groupId, signer });
  const keys = rekey(honest, edits.nodeKeys ?? []);
  const announced = [...keys.values()].map(({ publicKey }) => publicKey);
  const { parents, leafParentHash: parentHash } = hashPath(suite.hash, applied.tree, leaf, announced);
  const { signature: _, ...fields } = honest.leafNode;
  const unsigned: UnsignedLeafNode = { ...fields, source: { leafNodeSource: "commit", parentHash } };
  const place = { groupId, leafIndex: leaf, ...edits.leafPlace };
  const leafNode = await signLeafNode(edits.leaf?.(unsigned) ?? unsigned, signer, place);
  const tree = applied.tree.replacePath(leaf, leafNode, (_parent, index) => parents.get(index));
  const generated = { ...honest, leafNode, tree, path: { ...honest.path, keys } };
  const path = await encryptPath(suite, applied.tree, {
    leaf,
    generated,
    newLeaves: new Set(applied.added.map(({ leafIndex }) => leafIndex)),
    context: encode(groupContext, provisionalContext(suite, context, tree, applied)),
  });
  return { generated, path: edits.path?.(path) ?? path };
}

type LeafContent = Pick<UnsignedLeafNode, "credential" | "capabilities" | "extensions">;

/** The key pairs of a path, some under another public key. */
function rekey({ path }: GeneratedPath, nodeKeys: readonly (Bytes | undefined)[]): GeneratedPath["path"]["keys"] {
  return new Map(
    [...path.keys].map(([node, pair], i) => [node, { ...pair, publicKey: nodeKeys[i] ?? pair.publicKey }]),
  );
}

export interface ForgedCommit {
  readonly message: Bytes;
  readonly outputs: EpochOutputs;
}

/** A Commit by `member` that no check has seen. */
export async function forgeCommit(member: Member, edits: CommitEdits = {}): Promise<ForgedCommit> {
  const { suite, state, signer } = member;
  const leaf = state.leafIndex;
  const entries = edits.proposals ?? [];
  const applied = applyLoosely(state, resolve(state, entries, leaf));
  const content = state.tree.leaf(leaf);
  if (content === undefined) throw new RangeError("the committer is a member");
  const made = edits.withPath === false ? undefined : await forgePath(applied, state, edits, { leaf, signer, content });

  const proposals = entries.map((entry): ProposalOrRef =>
    typeof entry === "string"
      ? { type: "reference", reference: referenceOf(state, entry) }
      : { type: "proposal", proposal: entry },
  );
  const commit = { contentType: "commit", commit: { proposals, path: made?.path } } as const;
  const wireFormat = edits.sealed === undefined ? "mls_public_message" : "mls_private_message";
  const signed = await signedContent(member, commit, wireFormat, edits);
  const outputs = computeEpoch(suite, {
    provisional: provisionalContext(suite, state.context, made?.generated.tree ?? applied.tree, applied),
    interimBefore: state.interimTranscriptHash,
    transcriptInput: confirmedTranscriptHashInput(signed),
    initSecret: state.secrets.initSecret,
    commitSecret: made?.generated.path.commitSecret ?? new Uint8Array(suite.hash.Nh),
    psks: pskValues(applied, edits),
  });
  const { confirmationTag } = outputs;
  const authenticated = { ...signed, auth: { ...signed.auth, confirmationTag, ...edits.auth } };
  const message =
    edits.sealed === undefined
      ? sealPublic(member, authenticated, edits.message)
      : await sealPrivate(member, authenticated, edits.sealed);
  return { message, outputs };
}

const pskValues = (applied: AppliedProposals, { psks = [] }: CommitEdits): PreSharedKey[] =>
  applied.psks.map((id, i) => ({ id, psk: psks[i] ?? new Uint8Array(0) }));

function referenceOf(state: GroupState, hex: string): Bytes {
  return state.proposals.get(hex)?.ref ?? Uint8Array.from(Buffer.from(hex, "hex"));
}

/** The key of a proposal in the epoch's cache. */
export const refHex = (ref: Bytes): string => toHex(ref);

export interface ExternalCommitEdits extends CommitEdits {
  /** Default: one ExternalInit that fits. */
  readonly externalInits?: number;
}

/** An external Commit by `newcomer` into the group of `host`; the ExternalInits come before `proposals`. */
export async function forgeExternalCommit(
  host: Member,
  newcomer: Member,
  edits: ExternalCommitEdits = {},
): Promise<ForgedCommit> {
  const { suite, state } = host;
  const external = await suite.hpke.deriveKeyPair(state.secrets.externalSecret);
  const init = await suite.hpke.sendExport(external.publicKey, utf8("MLS 1.0 external init secret"), suite.hash.Nh);
  const inits = Array.from({ length: edits.externalInits ?? 1 }, (): Proposal => ({
    proposalType: 6,
    kemOutput: init.kemOutput,
  }));
  const entries = [...inits, ...(edits.proposals ?? [])];
  const applied = applyLoosely(state, resolve(state, entries, -1 as LeafIndex));
  const place = applied.tree.reserveLeaf();
  const content = { credential: basicCredential(newcomer.name), capabilities: newcomer.capabilities, extensions: [] };
  const made =
    edits.withPath === false
      ? undefined
      : await forgePath({ ...applied, tree: place.tree }, state, edits, {
          leaf: place.index,
          signer: newcomer.signer,
          content,
        });
  const proposals = entries.map((entry): ProposalOrRef =>
    typeof entry === "string"
      ? { type: "reference", reference: referenceOf(state, entry) }
      : { type: "proposal", proposal: entry },
  );
  const signed = await signedContent(
    host,
    { contentType: "commit", commit: { proposals, path: made?.path } },
    "mls_public_message",
    { ...edits, signer: edits.signer ?? newcomer.signer, framed: { sender: NEW_MEMBER, ...edits.framed } },
  );
  const outputs = computeEpoch(suite, {
    provisional: provisionalContext(suite, state.context, made?.generated.tree ?? place.tree, applied),
    interimBefore: state.interimTranscriptHash,
    transcriptInput: confirmedTranscriptHashInput(signed),
    initSecret: init.secret,
    commitSecret: made?.generated.path.commitSecret ?? new Uint8Array(suite.hash.Nh),
    psks: pskValues(applied, edits),
  });
  const { confirmationTag } = outputs;
  const authenticated = { ...signed, auth: { ...signed.auth, confirmationTag, ...edits.auth } };
  return { message: sealPublic(host, authenticated, edits.message), outputs };
}

const NEW_MEMBER = { senderType: "new_member_commit" } as const;

/** Nodes of a path by index, for edits of one of them. */
export const editNode = (
  path: UpdatePath,
  index: number,
  edit: (node: UpdatePath["nodes"][number]) => UpdatePath["nodes"][number],
): UpdatePath => ({ ...path, nodes: path.nodes.map((node, i) => (i === index ? edit(node) : node)) });

/** What stands at a node of a member's tree. */
export const keyAt = (member: Member, node: number): Bytes => {
  const key = member.state.tree.encryptionKey(node as NodeIndex);
  if (key === undefined) throw new RangeError(`node ${String(node)} is blank`);
  return key;
};
