/** Joining by external Commit (RFC 9420 §12.4.3.2). */
import { assertBytes, copyBytes, randomBytes, untilAborted } from "@coppice/kit";
import { type Bytes, utf8 } from "../codec/bytes.ts";
import { type Given, copyOf, decode, encode } from "../codec/codec.ts";
import { assembleEpoch, computeEpoch, erasing, provisionalContext } from "../commit/epoch.ts";
import { type Credential, credential as wireCredential } from "../identity/credential.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import type { Signer } from "../crypto/signature.ts";
import { CoppiceError } from "../errors.ts";
import { type Extension, externalPub, ExtensionType, findExtension } from "../extensions/extension.ts";
import {
  type FramedContent,
  type SentProposal,
  authenticatedContent,
  confirmedTranscriptHashInput,
  signFramedContent,
  verifyAuthenticatedContent,
} from "../framing/framed-content.ts";
import type { GroupInfo } from "../framing/group-info.ts";
import { encodeMessage, groupInfoOf } from "../framing/mls-message.ts";
import { type CustomProposal, type Proposal, customProposal, ProposalType } from "../framing/proposal.ts";
import { checkAuthenticatedData, ownAuthenticatedData } from "../framing/protect.ts";
import type { CachedProposal, GroupState } from "../state/group-state.ts";
import { withGreaseCapabilities } from "../extensions/grease.ts";
import { applyProposals, checkTreeSize } from "../proposal/apply.ts";
import { leaver, validateExternalProposalList } from "../proposal/validate-list.ts";
import type { Progress } from "../in-flight.ts";
import type { Rules } from "../rules.ts";
import { checkIdentityKept } from "../identity/authentication.ts";
import { checkPolicy } from "../proposal/policy.ts";
import type { PreSharedKey } from "../schedule/psk.ts";
import { interimTranscriptHash } from "../schedule/transcript-hash.ts";
import { makeProposalRef } from "../crypto/labels.ts";
import { removesSender } from "../proposal/custom-proposal.ts";
import { type GroupContext, groupContext } from "../schedule/group-context.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import { type Capabilities, checkAdvertised } from "../extensions/capabilities.ts";
import { validateMembers } from "../tree/leaf-node-validation.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { encryptPath, generatePath } from "../tree/treekem.ts";
import { decodeGroupMessage } from "./receive.ts";
import { checkCurrentEpoch, checkGroup, senderKey } from "./senders.ts";
import { checkGroupInfo, readTree, unusableGroupInfo } from "./check-group-info.ts";

/** The joiner's identity, and what it proves or replaces by joining. */
export interface ExternalJoinOptions extends Progress {
  readonly suite: CipherSuite;
  readonly rules: Rules;
  readonly credential: Given<Credential>;
  readonly signer: Signer;
  readonly capabilities: Capabilities;
  readonly leafExtensions?: Given<readonly Extension[]>;
  /** An encoded `ratchet_tree`, for GroupInfos that do not carry it. */
  readonly ratchetTree?: Uint8Array;
  /** The own earlier leaf, to be removed by the same Commit: a resynchronisation (R-12.2-17). */
  readonly replaces?: LeafIndex;
  /**
   * PSKs to mix in, which the others must have too: a second proof beside the credential (R-16.5-1). External ones, and with a
   * `componentId` such of an application's component.
   */
  readonly psks?: readonly { readonly pskId: Uint8Array; readonly psk: Uint8Array; readonly componentId?: number }[];
  /** Of types that say `externalCommit`. Default none. */
  readonly proposals?: readonly Given<CustomProposal>[];
  /**
   * Encoded messages of those who wait to be removed, as the Delivery Service has them beside the GroupInfo: SelfRemoves of
   * draft-ietf-mls-extensions, which this Commit is to cover. Default none.
   */
  readonly selfRemoves?: readonly Uint8Array[];
  /** Sent in clear, authenticated. Default empty. */
  readonly authenticatedData?: Uint8Array;
}

/** An external Commit, and the state that it leads to. */
export interface ExternalJoin {
  /** Encoded `MLSMessage`, to be sent as the Commit that ends the GroupInfo's epoch. */
  readonly commit: Bytes;
  /** The state after that Commit: keep it only if the Commit is accepted. */
  readonly state: GroupState;
}

/**
 * Makes the Commit that lets this client in without being added, from a GroupInfo that is encoded as an `MLSMessage` or decoded. `ERR_MLS_GROUP_INFO`, `ERR_MLS_SIGNATURE`, `ERR_MLS_TREE` and the codes
 * of leaf and proposal validation.
 *
 * @example
 * ```ts run
 * import { createExternalCommit, createGroupInfo, processMessage } from "@coppice/core";
 * import { alice, capabilities, makePerson, rules, suite } from "./example-group.ts"; // docs/examples
 *
 * const info = await createGroupInfo(alice.state, alice.signer);
 * const carol = await makePerson("carol");
 * const joining = await createExternalCommit(info, { ...carol, suite, rules, capabilities });
 * // Send joining.commit; once it is accepted, joining.state is Carol's.
 * const received = await processMessage(alice.state, joining.commit, { rules });
 * console.assert(received.kind === "commit" && received.effect.external);
 * ```
 */
export async function createExternalCommit(
  groupInfo: Uint8Array | GroupInfo,
  options: ExternalJoinOptions,
): Promise<ExternalJoin> {
  const info = groupInfoOf(groupInfo, options.rules.limits);
  return untilAborted(
    erasing((spent) => makeExternalCommit(info, options, spent)),
    options.signal,
  );
}

async function makeExternalCommit(
  info: GroupInfo,
  options: ExternalJoinOptions,
  spent: Bytes[],
): Promise<ExternalJoin> {
  const { suite, rules, signer } = options;
  const credential = copyOf(wireCredential, options.credential);
  checkAdvertised(suite, options);
  const before = readTree(suite, info, options.ratchetTree, rules.limits);
  if (before === undefined)
    throw unusableGroupInfo("Neither the GroupInfo nor the caller has the ratchet tree", "R-12.4.3.1-7");
  await checkGroupInfo(suite, info, { ...options, tree: before });
  const external = findExtension(info.extensions, ExtensionType.externalPub);
  if (external === undefined) throw unusableGroupInfo("The GroupInfo has no external_pub", "R-12.4.3.2-1");

  const context = info.groupContext;
  const init = await suite.hpke.sendExport(
    decode(externalPub, external).externalPub,
    utf8("MLS 1.0 external init secret"),
    suite.hash.Nh,
  );
  spent.push(init.secret);
  const psks = (options.psks ?? []).map(({ pskId: given, psk, componentId }): PreSharedKey => {
    assertBytes(psk, "psk");
    const [pskId, pskNonce] = [copyBytes(given, "pskId"), randomBytes(suite.hash.Nh)];
    return {
      id:
        componentId === undefined
          ? { pskType: "external", pskId, pskNonce }
          : { pskType: "application", componentId, pskId, pskNonce },
      psk,
    };
  });
  const committer = { senderType: "new_member_commit" } as const;
  const proposals: Proposal[] = [
    { proposalType: ProposalType.externalInit, kemOutput: init.kemOutput },
    ...(options.replaces === undefined
      ? []
      : [{ proposalType: ProposalType.remove, removed: options.replaces } as const]),
    ...psks.map(({ id }) => ({ proposalType: ProposalType.psk, psk: id }) as const),
    ...(options.proposals ?? []).map((given) => copyOf(customProposal, given)),
  ];
  const leaving = await readSelfRemoves(options.selfRemoves ?? [], { suite, context, tree: before, rules });
  const sent = [...leaving, ...proposals.map((proposal): SentProposal => ({ proposal, sender: committer }))];
  validateExternalProposalList(suite, sent, { tree: before, rules });
  await checkPolicy(rules, { proposals: sent, committer });
  const applied = await applyProposals(suite, sent, { tree: before, context, rules, sending: true });
  for (const { leafNode } of applied.expelled) checkIdentityKept(rules, leafNode.credential, credential);

  const place = applied.tree.reserveLeaf();
  checkTreeSize(place.tree, rules);
  const generated = await generatePath(suite, place.tree, {
    leaf: place.index,
    content: {
      credential,
      capabilities: withGreaseCapabilities(options.capabilities),
      extensions: options.leafExtensions ?? [],
    },
    groupId: context.groupId,
    signer,
  });
  const { commitSecret, secrets } = generated.path;
  spent.push(commitSecret, ...secrets.map(({ pathSecret }) => pathSecret));
  validateMembers(generated.tree, { extensions: applied.extensions }, rules);
  const provisional = provisionalContext(suite, context, generated.tree, applied);
  const path = await encryptPath(suite, place.tree, {
    leaf: place.index,
    generated,
    newLeaves: new Set(),
    context: encode(groupContext, provisional),
  });

  const content: FramedContent = {
    groupId: context.groupId,
    epoch: context.epoch,
    sender: committer,
    authenticatedData: ownAuthenticatedData(options),
    content: {
      contentType: "commit",
      commit: {
        proposals: [
          ...leaving.map(({ ref }) => ({ type: "reference", reference: ref }) as const),
          ...proposals.map((proposal) => ({ type: "proposal", proposal }) as const),
        ],
        path,
      },
    },
  };
  checkAuthenticatedData(content, context, rules);
  const wireFormat = "mls_public_message";
  const signature = await signFramedContent(signer, { wireFormat, content, context });
  const outputs = computeEpoch(suite, {
    provisional,
    interimBefore: interimTranscriptHash(suite, context.confirmedTranscriptHash, info.confirmationTag),
    transcriptInput: confirmedTranscriptHashInput({
      wireFormat,
      content,
      auth: { signature, confirmationTag: undefined },
    }),
    initSecret: init.secret,
    commitSecret,
    psks,
    exporterTree: rules.exporterTree,
  });
  const { confirmationTag, joinerSecret, pskSecret } = outputs;
  spent.push(joinerSecret, pskSecret);
  const publicMessage = { content, auth: { signature, confirmationTag }, membershipTag: undefined };
  const next = assembleEpoch(outputs, {
    tree: generated.tree,
    leafIndex: place.index,
    privateKeys: generated.privateKeys,
    leafSince: outputs.context.epoch,
    reinit: undefined,
  });
  return {
    commit: encodeMessage({ wireFormat, publicMessage }, rules.limits.messageBytes),
    state: {
      ...next,
      suite,
      proposals: new Map(),
      pendingUpdates: new Map(),
      pastEpochs: [],
      resumptionPsks: new Map(),
    },
  };
}

/**
 * The SelfRemoves of members that these messages hold (X-6.3-7). Whoever is outside cannot check their membership tags. `ERR_MLS_EPOCH`,
 * `ERR_MLS_SENDER`, `ERR_MLS_SIGNATURE`; `ERR_MLS_PROPOSAL` for any other message.
 */
async function readSelfRemoves(
  messages: readonly Uint8Array[],
  { suite, context, tree, rules }: { suite: CipherSuite; context: GroupContext; tree: RatchetTree; rules: Rules },
): Promise<CachedProposal[]> {
  const read: CachedProposal[] = [];
  for (const message of messages) {
    const decoded = decodeGroupMessage(message, rules);
    const body = decoded.wireFormat === "mls_public_message" ? decoded.publicMessage : undefined;
    const proposal = body?.content.content.contentType === "proposal" ? body.content.content.proposal : undefined;
    if (body === undefined || proposal === undefined || !removesSender(proposal, rules.proposalTypes)) {
      throw new CoppiceError("ERR_MLS_PROPOSAL", "A message that is to hold a SelfRemove does not", {
        requirement: "X-6.3-7",
      });
    }
    const { content, auth } = body;
    checkGroup({ context }, content);
    checkCurrentEpoch({ context }, content.epoch);
    leaver({ proposal, sender: content.sender });
    const publicKey = senderKey({ context, tree }, content);
    const authenticated = { wireFormat: "mls_public_message", content, auth } as const;
    await verifyAuthenticatedContent(suite, authenticated, { publicKey, context });
    const ref = makeProposalRef(suite, encode(authenticatedContent, authenticated));
    read.push({ proposal, sender: content.sender, ref });
  }
  return read;
}
