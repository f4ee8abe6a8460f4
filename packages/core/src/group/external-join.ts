/** Joining by external Commit (RFC 9420 §12.4.3.2). */
import { assertBytes, copyBytes, randomBytes, untilAborted } from "@coppice/kit";
import { type Bytes, EMPTY, utf8 } from "../codec/bytes.ts";
import { type Given, copyOf, decode, encode } from "../codec/codec.ts";
import { assembleEpoch, computeEpoch, erasing, provisionalContext } from "../commit/epoch.ts";
import { type Credential, credential as wireCredential } from "../identity/credential.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import type { Signer } from "../crypto/signature.ts";
import { type Extension, externalPub, ExtensionType, findExtension } from "../extensions/extension.ts";
import {
  type FramedContent,
  type SentProposal,
  confirmedTranscriptHashInput,
  signFramedContent,
} from "../framing/framed-content.ts";
import type { GroupInfo } from "../framing/group-info.ts";
import { encodeMessage, groupInfoOf } from "../framing/mls-message.ts";
import { type Proposal, ProposalType } from "../framing/proposal.ts";
import type { GroupState } from "../state/group-state.ts";
import { withGreaseCapabilities } from "../extensions/grease.ts";
import { applyProposals, checkTreeSize } from "../proposal/apply.ts";
import { validateExternalProposalList } from "../proposal/validate-list.ts";
import type { Progress } from "../in-flight.ts";
import type { Rules } from "../rules.ts";
import { checkIdentityKept } from "../identity/authentication.ts";
import { checkPolicy } from "../proposal/policy.ts";
import { groupContext } from "../schedule/group-context.ts";
import type { PreSharedKey } from "../schedule/psk.ts";
import { interimTranscriptHash } from "../schedule/transcript-hash.ts";
import { type Capabilities, checkAdvertised } from "../extensions/capabilities.ts";
import { validateMembers } from "../tree/leaf-node-validation.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { encryptPath, generatePath } from "../tree/treekem.ts";
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
  /** External PSKs to mix in, which the others must have too: a second proof beside the credential (R-16.5-1). */
  readonly psks?: readonly { readonly pskId: Uint8Array; readonly psk: Uint8Array }[];
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
  const psks = (options.psks ?? []).map(({ pskId, psk }): PreSharedKey => {
    assertBytes(psk, "psk");
    return {
      id: { pskType: "external", pskId: copyBytes(pskId, "pskId"), pskNonce: randomBytes(suite.hash.Nh) },
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
  ];
  const sent = proposals.map((proposal): SentProposal => ({ proposal, sender: committer }));
  validateExternalProposalList(suite, sent, { tree: before, rules });
  await checkPolicy(rules, { proposals: sent, committer });
  const applied = await applyProposals(suite, sent, { tree: before, context, rules, sending: true });
  for (const { leafNode } of applied.removed) checkIdentityKept(rules, leafNode.credential, credential);

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
  validateMembers(generated.tree, { extensions: applied.extensions });
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
    authenticatedData: EMPTY,
    content: {
      contentType: "commit",
      commit: { proposals: proposals.map((proposal) => ({ type: "proposal", proposal })), path },
    },
  };
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
