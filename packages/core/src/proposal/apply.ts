/** Applying a proposal list (RFC 9420 §12.3) to copies of tree and context, judging what it brings in. */

import { type Bytes, equalBytes } from "../codec/bytes.ts";
import { sameCredential } from "../identity/credential.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { type ProposalTypeRules, type SentCustomProposal, removesSender } from "./custom-proposal.ts";
import { CoppiceError } from "../errors.ts";
import {
  type Extension,
  checkExternalSenderKeys,
  ExtensionType,
  findExtension,
  findExternalSenders,
} from "../extensions/extension.ts";
import { type Proposal, type ReInitProposal, ProposalType } from "../framing/proposal.ts";
import { inFlight } from "../in-flight.ts";
import { type KeyPackage, checkSuite, verifyKeyPackage } from "../framing/key-package.ts";
import type { SentProposal } from "../framing/framed-content.ts";
import { yesOrNo } from "../hooks.ts";
import { type IdentityRules, validateCredential } from "../identity/authentication.ts";
import type { GroupContext } from "../schedule/group-context.ts";
import type { PreSharedKeyId } from "../schedule/psk.ts";
import type { LeafNode } from "../tree/leaf-node.ts";
import {
  type LeafNodeRules,
  checkKeys,
  checkSupport,
  validateLeafNode,
  validateMembers,
} from "../tree/leaf-node-validation.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { type ProposalRules, checkReinit, leaver } from "./validate-list.ts";

/** A new member, with the key package that let it in. */
export interface AddedMember {
  readonly leafIndex: LeafIndex;
  readonly keyPackage: KeyPackage;
}

/** A member by the leaf that it had or has. */
export interface ChangedMember {
  readonly leafIndex: LeafIndex;
  readonly leafNode: LeafNode;
}

/** What a list of proposals does. */
export interface AppliedProposals {
  readonly tree: RatchetTree;
  readonly extensions: readonly Extension[];
  readonly added: readonly AddedMember[];
  readonly updated: readonly ChangedMember[];
  /** With the leaves they had before; first those who removed themselves. */
  readonly removed: readonly ChangedMember[];
  /** Those of them whom a Remove removed. */
  readonly expelled: readonly ChangedMember[];
  /** In list order (T-1). */
  readonly psks: readonly PreSharedKeyId[];
  readonly externalInit: Bytes | undefined;
  readonly reinit: ReInitProposal | undefined;
  /** Of types that the application defined, in list order. */
  readonly custom: readonly SentCustomProposal[];
}

/** The part of `Rules` that proposals are applied by. */
export type ApplyRules = LeafNodeRules & ProposalRules;

export interface ApplyContext {
  readonly tree: RatchetTree;
  readonly context: GroupContext;
  readonly rules: ApplyRules;
  /** Whether this client makes the Commit. */
  readonly sending: boolean;
  /** Default: a new one. */
  readonly verify?: Verify;
}

/** Judges an Add or an Update by itself. A Commit that is made is applied several times: each is verified once. */
export type Verify = (sent: SentProposal) => Promise<void>;

export function verifier(suite: CipherSuite, at: ApplyContext): Verify {
  const verdicts = new Map<SentProposal, Promise<void>>();
  const check = async ({ proposal, sender }: SentProposal): Promise<void> => {
    if (proposal.proposalType === ProposalType.add) await checkAdd(suite, proposal.keyPackage, at);
    if (proposal.proposalType === ProposalType.update && sender.senderType === "member") {
      await checkUpdate(suite, { leafIndex: sender.leafIndex as LeafIndex, leafNode: proposal.leafNode }, at);
    }
  };
  return (sent) => {
    const verdict = verdicts.get(sent) ?? check(sent);
    verdicts.set(sent, verdict);
    return verdict;
  };
}

function ofType<T extends Proposal["proposalType"]>(
  proposals: readonly SentProposal[],
  type: T,
): { readonly proposal: Extract<Proposal, { proposalType: T }>; readonly sent: SentProposal }[] {
  const found: { readonly proposal: Extract<Proposal, { proposalType: T }>; readonly sent: SentProposal }[] = [];
  for (const sent of proposals) {
    const { proposal } = sent;
    if (isType(proposal, type)) found.push({ proposal, sent });
  }
  return found;
}

function isType<T extends Proposal["proposalType"]>(
  proposal: Proposal,
  type: T,
): proposal is Extract<Proposal, { proposalType: T }> {
  return proposal.proposalType === type;
}

/** Applies in the order of R-12.3-1 to R-12.3-4. `proposals` passed list validation. */
export async function applyProposals(
  suite: CipherSuite,
  proposals: readonly SentProposal[],
  at: ApplyContext,
): Promise<AppliedProposals> {
  const { tree: before, context, rules, verify = verifier(suite, at) } = at;
  rules.checkProposals?.({ proposals, context });
  const custom = ofType(proposals, ProposalType.custom).map(({ proposal, sent: { sender } }) => ({ proposal, sender }));
  const replaced = ofType(proposals, ProposalType.groupContextExtensions)[0]?.proposal.extensions ?? context.extensions;
  const atFirst = await applyCustom(custom, { order: "first", rules, tree: before, extensions: replaced });
  const checkLeaf = async (sent: SentProposal, leaf: LeafNode): Promise<void> => {
    await verify(sent);
    checkSupport(leaf, { extensions: atFirst });
  };
  let tree = before.enter(context.epoch + 1n);

  const updates = ofType(proposals, ProposalType.update);
  const updated = updates.flatMap(({ proposal: { leafNode }, sent: { sender } }) =>
    sender.senderType === "member" ? [{ leafIndex: sender.leafIndex as LeafIndex, leafNode }] : [],
  );
  await inFlight(updates, ({ proposal, sent }) => checkLeaf(sent, proposal.leafNode));
  for (const { leafIndex, leafNode } of updated) tree = tree.updateLeaf(leafIndex, leafNode);

  const remove = (leafIndex: LeafIndex): ChangedMember => {
    const leafNode = before.leaf(leafIndex);
    if (leafNode === undefined) throw new RangeError("A Remove of a blank leaf passed list validation");
    tree = tree.removeLeaf(leafIndex);
    return { leafIndex, leafNode };
  };
  // Members with keys: their message verified (X-6.3-5).
  const left = proposals
    .filter(({ proposal }) => removesSender(proposal, rules.proposalTypes))
    .map((sent) => remove(leaver(sent)));
  const expelled = ofType(proposals, ProposalType.remove).map(({ proposal }) => remove(proposal.removed as LeafIndex));
  refuseUnsupported(custom, tree);

  const adds = ofType(proposals, ProposalType.add);
  const keyPackages = adds.map(({ proposal }) => proposal.keyPackage);
  for (const keyPackage of keyPackages) {
    checkSuite(suite, keyPackage);
    checkKeys(suite, keyPackage.leafNode);
  }
  refuseMembers(keyPackages, tree, rules);
  const { tree: withAdds, placed } = tree.addLeaves(keyPackages);
  checkTreeSize(withAdds, rules);
  await inFlight(adds, ({ proposal, sent }) => checkLeaf(sent, proposal.keyPackage.leafNode));
  tree = withAdds;

  const atLast = await applyCustom(custom, { order: "last", rules, tree, extensions: atFirst });
  const extensions = await applyCustom(custom, { order: "end", rules, tree, extensions: atLast });
  await checkExternalSenders(suite, rules, { before: context.extensions, after: extensions });
  const externalInit = ofType(proposals, ProposalType.externalInit)[0]?.proposal.kemOutput;
  // Until the path of an external Commit is in place, there may be nobody.
  if (externalInit === undefined) validateMembers(tree, { extensions }, rules);
  const reinit = ofType(proposals, ProposalType.reinit)[0]?.proposal;
  if (reinit !== undefined && at.sending) checkReinit(reinit);
  return {
    tree,
    extensions,
    added: placed.map(([leafIndex, keyPackage]) => ({ leafIndex, keyPackage })),
    updated,
    removed: [...left, ...expelled],
    expelled,
    psks: ofType(proposals, ProposalType.psk).map(({ proposal }) => proposal.psk),
    externalInit,
    reinit,
    custom,
  };
}

/**
 * Refuses an own proposal that no Commit could cover, as things are: members cannot send as long as it waits (R-12.4-3). With the codes
 * of the Commit that would be refused.
 */
export async function checkOwnProposal(
  suite: CipherSuite,
  { proposal }: SentProposal,
  at: ApplyContext,
): Promise<void> {
  const { tree, context, rules } = at;
  switch (proposal.proposalType) {
    case ProposalType.add:
      checkSuite(suite, proposal.keyPackage);
      await checkAdd(suite, proposal.keyPackage, at);
      checkSupport(proposal.keyPackage.leafNode, context);
      return;
    case ProposalType.update:
      checkSupport(proposal.leafNode, context);
      return;
    case ProposalType.reinit:
      checkReinit(proposal);
      return;
    case ProposalType.groupContextExtensions: {
      const { extensions } = proposal;
      validateMembers(tree, { extensions }, rules);
      await checkExternalSenders(suite, rules, { before: context.extensions, after: extensions });
      return;
    }
    case ProposalType.custom:
      refuseUnsupported([{ proposal }], tree);
      return;
    default:
  }
}

/** `ERR_MLS_LIMIT` for a tree with more leaves than a group may have, after an Add or an external Commit. */
export function checkTreeSize(tree: RatchetTree, { limits }: ProposalRules): void {
  if (tree.leafCount <= limits.treeLeaves) return;
  throw new CoppiceError("ERR_MLS_LIMIT", `A group has at most ${String(limits.treeLeaves)} leaves`, {
    detail: { treeLeaves: limits.treeLeaves },
  });
}

/** What custom types that take effect at one place leave of the extensions (R-12.3-4). */
async function applyCustom(
  custom: readonly SentCustomProposal[],
  {
    order,
    rules,
    ...at
  }: Pick<ApplyContext, "rules" | "tree"> & {
    readonly order: ProposalTypeRules["order"];
    readonly extensions: readonly Extension[];
  },
): Promise<readonly Extension[]> {
  if (custom.length === 0) return at.extensions;
  let { extensions } = at;
  const types = rules.proposalTypes.filter((type) => type.order === order);
  for (const type of types.sort((a, b) => a.customType - b.customType)) {
    const proposals = custom.filter(({ proposal }) => proposal.customType === type.customType);
    if (proposals.length > 0) extensions = await type.apply({ ...at, extensions, proposals });
  }
  return extensions;
}

/** Whoever stays in the group must understand what it does; new and removed members need not (R-12.2-13). */
function refuseUnsupported(custom: readonly Pick<SentCustomProposal, "proposal">[], staying: RatchetTree): void {
  const supported = staying.summary.supported?.proposals;
  const foreign = custom.find(({ proposal }) => supported?.includes(proposal.customType) !== true);
  if (foreign === undefined) return;
  const { customType } = foreign.proposal;
  throw new CoppiceError("ERR_MLS_PROPOSAL_LIST", `Not every member supports proposal type ${String(customType)}`, {
    requirement: "R-12.2-13",
    detail: { proposalType: customType },
  });
}

/** New external senders are put to the authentication service. */
export async function checkExternalSenders(
  suite: CipherSuite,
  rules: IdentityRules,
  { before, after }: { readonly before: readonly Extension[]; readonly after: readonly Extension[] },
): Promise<void> {
  const [old, now] = [before, after].map((list) => findExtension(list, ExtensionType.externalSenders));
  if (now === undefined || (old !== undefined && equalBytes(old, now))) return;
  checkExternalSenderKeys(suite, after);
  for (const sender of findExternalSenders(after)) await validateCredential(rules, sender, "external_senders");
}

async function checkUpdate(
  suite: CipherSuite,
  { leafIndex, leafNode: leaf }: ChangedMember,
  { tree, context, rules, sending }: ApplyContext,
): Promise<void> {
  const previous = tree.leaf(leafIndex);
  if (previous === undefined) {
    throw new CoppiceError("ERR_MLS_SENDER", "An Update from a leaf that is blank", { requirement: "R-6.1-4" });
  }
  if (equalBytes(previous.encryptionKey, leaf.encryptionKey)) {
    throw new CoppiceError("ERR_MLS_LEAF_NODE", "An Update must change the encryption key", {
      requirement: "R-7.3-11",
    });
  }
  await validateLeafNode(suite, rules, {
    leaf,
    source: "update",
    place: { groupId: context.groupId, leafIndex },
    moment: "update",
    previous: sameCredential(previous.credential, leaf.credential) ? undefined : previous,
    context: undefined,
    sending,
  });
}

/** Nobody is added who is in `tree`, the tree after Updates and Removes, or added already (R-12.2-7). */
function refuseMembers(keyPackages: readonly KeyPackage[], tree: RatchetTree, { authentication }: IdentityRules): void {
  const refuse = (): never => {
    throw new CoppiceError("ERR_MLS_PROPOSAL_LIST", "An Add of a client that is a member", { requirement: "R-12.2-7" });
  };
  if (keyPackages.some(({ leafNode }) => tree.hasSignatureKey(leafNode.signatureKey))) refuse();
  const { sameClient } = authentication;
  if (sameClient === undefined || keyPackages.length === 0) return;
  const members = [...tree.members()].map(([, leaf]) => leaf);
  for (const { leafNode } of keyPackages) {
    if (members.some((member) => yesOrNo("sameClient", () => sameClient(member, leafNode)))) refuse();
    members.push(leafNode);
  }
}

/** A key package that is to become a member (R-10.1-1, R-12.1.1-1). */
async function checkAdd(suite: CipherSuite, keyPackage: KeyPackage, { rules, sending }: ApplyContext): Promise<void> {
  await verifyKeyPackage(suite, keyPackage);
  await validateLeafNode(suite, rules, {
    leaf: keyPackage.leafNode,
    source: "key_package",
    place: undefined,
    moment: sending ? "key_package" : "add",
    context: undefined,
    sending,
  });
}
