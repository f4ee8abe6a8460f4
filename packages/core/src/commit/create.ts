/** Creating a Commit (RFC 9420 §12.4.1). It changes nothing: the result is adopted or dropped (R-14-3). */
import type { Bytes } from "../codec/bytes.ts";
import { type Given, copyOf, encode } from "../codec/codec.ts";
import type { Signer } from "../crypto/signature.ts";
import type { SentCustomProposal } from "../proposal/custom-proposal.ts";
import { CoppiceError } from "../errors.ts";
import {
  type FramedContent,
  type FramedWireFormat,
  type SentProposal,
  confirmedTranscriptHashInput,
  signFramedContent,
} from "../framing/framed-content.ts";
import { type Proposal, type ProposalOrRef, proposal as wireProposal, ProposalType } from "../framing/proposal.ts";
import {
  type GroupState,
  type Transition,
  checkSigner,
  epochSecretsOf,
  requireActive,
  secretsOfEpoch,
} from "../state/group-state.ts";
import { ownAuthenticatedData, protectContent } from "../framing/protect.ts";
import {
  type AddedMember,
  type AppliedProposals,
  type ChangedMember,
  type Verify,
  applyProposals,
} from "../proposal/apply.ts";
import { type RefusedProposal, selectProposals } from "../proposal/select.ts";
import { checkPolicy } from "../proposal/policy.ts";
import { checkProposalCount, pathRequired } from "../proposal/validate-list.ts";
import type { Rules } from "../rules.ts";
import { groupContext } from "../schedule/group-context.ts";
import type { PreSharedKey } from "../schedule/psk.ts";
import { type GeneratedPath, encryptPath, generatePath, keepPrivateKeys } from "../tree/treekem.ts";
import { type Extension, extensions as wireExtensions } from "../extensions/extension.ts";
import { validateMembers } from "../tree/leaf-node-validation.ts";
import {
  type EpochOutputs,
  type NextEpoch,
  assembleEpoch,
  computeEpoch,
  enterEpoch,
  erasing,
  lookUpPsks,
  provisionalContext,
} from "./epoch.ts";
import { createWelcome } from "./create-welcome.ts";
import { type LeafChanges, nextLeaf } from "./own-leaf.ts";

/** What a Commit is to do, and how it is sent. */
export interface CreateCommitOptions {
  readonly rules: Rules;
  /** Holds the key of this member's current leaf. */
  readonly signer: Signer;
  /** New proposals, sent inside the Commit. */
  readonly proposals?: readonly Given<Proposal>[];
  /**
   * Whether to include the valid proposals received in this epoch (R-12.4-4), or the references of those to include: `ref` of
   * `state.proposals`, `Nh` bytes. A valid one that is left out can be sent again in the next epoch. Default true.
   */
  readonly includeCached?: boolean | readonly Uint8Array[];
  /** Whether to refresh the own keys even if the proposals do not ask for it. Default false; changes to the leaf imply it. */
  readonly forcePath?: boolean;
  readonly leaf?: LeafChanges;
  /** Default `mls_private_message` (R-6-2). */
  readonly wireFormat?: FramedWireFormat;
  /** Sent in clear, authenticated. Default empty. */
  readonly authenticatedData?: Uint8Array;
  /** Whether Welcomes carry the ratchet tree. Default true. */
  readonly treeInWelcome?: boolean;
  /** Further extensions of the GroupInfo in the Welcome, which only those who are added can read. Default none. */
  readonly welcomeExtensions?: Given<readonly Extension[]>;
}

/** A Commit that waits for the Delivery Service's word. */
export interface StagedCommit {
  /** Encoded `MLSMessage`. */
  readonly commit: Bytes;
  /** Encoded `MLSMessage` for all added members; release it only once the Commit is accepted (R-14-4). */
  readonly welcome: Bytes | undefined;
  /** The epoch that this Commit ends. */
  readonly epoch: bigint;
  readonly next: NextEpoch;
  readonly added: readonly AddedMember[];
  readonly removed: readonly ChangedMember[];
  readonly updated: readonly ChangedMember[];
  /** Proposals of the application's types that it covers. */
  readonly custom: readonly SentCustomProposal[];
  /** Cached proposals that were left out, with the reason: they can be sent again in the next epoch. */
  readonly refused: readonly RefusedProposal[];
}

/**
 * Makes a Commit. The returned transition stays in the current epoch and lacks the key that the Commit was encrypted
 * with: store it before the Commit leaves. Then `adoptCommit` when it was accepted; if another one won, drop the staged
 * Commit (`discardCommit`) and process the winner.
 *
 * @example
 * ```ts run
 * import { adoptCommit, createCommit, erase } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * const made = await createCommit(alice.state, { rules, signer: alice.signer, forcePath: true });
 * // Store made.state and made.staged, send made.staged.commit; once it is accepted:
 * const next = adoptCommit(made.state, made.staged, rules);
 * // Store next.state, then:
 * erase(...made.consumed, ...next.consumed);
 * console.assert(next.state.context.epoch === alice.state.context.epoch + 1n);
 * ```
 */
export async function createCommit(
  state: GroupState,
  options: CreateCommitOptions,
): Promise<Transition & { readonly staged: StagedCommit }> {
  return erasing((spent) => makeCommit(state, options, { resumption: [], spent }));
}

/**
 * Makes the first Commit of a group that succeeds another one (§11.2, §11.3): with the resumption PSK of usage `reinit` or
 * `branch` that ties the two together, which no other Commit may have (R-11.2-4, R-11.3-4).
 */
export async function createFirstCommit(
  state: GroupState,
  options: CreateCommitOptions,
  resumption: PreSharedKey,
): Promise<Transition & { readonly staged: StagedCommit }> {
  return erasing((spent) => makeCommit(state, options, { resumption: [resumption], spent }));
}

async function makeCommit(
  state: GroupState,
  options: CreateCommitOptions,
  { resumption, spent }: { readonly resumption: readonly PreSharedKey[]; readonly spent: Bytes[] },
): Promise<Transition & { readonly staged: StagedCommit }> {
  requireActive(state);
  checkSigner(state, options.signer);
  const { suite } = state;
  const { rules, signer, leaf: changes } = options;
  const committer = { senderType: "member", leafIndex: state.leafIndex } as const;
  checkProposalCount(options.proposals?.length ?? 0, rules.limits);

  const own = (options.proposals ?? []).map((given): SentProposal => ({
    proposal: copyOf(wireProposal, given),
    sender: committer,
  }));
  const apply = async (
    proposals: readonly SentProposal[],
    verify: Verify,
  ): Promise<{ applied: AppliedProposals; psks: PreSharedKey[] }> => {
    const { tree, context } = state;
    await checkPolicy(rules, { proposals, committer });
    const result = await applyProposals(suite, proposals, { tree, context, rules, sending: true, verify });
    const psks = [...(await lookUpPsks(state, result.psks, rules)), ...resumption];
    return { applied: { ...result, psks: psks.map(({ id }) => id) }, psks };
  };
  const selected = await selectProposals(state, own, { rules, includeCached: options.includeCached ?? true, apply });
  const {
    proposals: sent,
    outcome: { applied, psks },
  } = selected;

  const withPath = pathRequired(sent, rules) || options.forcePath === true || changes !== undefined;
  const made = withPath ? await makePath(state, applied, options) : undefined;
  const commitSecret = made?.commitSecret ?? new Uint8Array(suite.hash.Nh);
  spent.push(commitSecret, ...(made?.generated.path.secrets.map(({ pathSecret }) => pathSecret) ?? []));
  const tree = made?.generated.tree ?? applied.tree;
  const provisional = provisionalContext(suite, state.context, tree, applied);
  const path =
    made &&
    (await encryptPath(suite, applied.tree, {
      leaf: state.leafIndex,
      generated: made.generated,
      newLeaves: new Set(applied.added.map(({ leafIndex }) => leafIndex)),
      context: encode(groupContext, provisional),
    }));

  const wireFormat = options.wireFormat ?? "mls_private_message";
  const proposals = [
    ...selected.references,
    ...own.map(({ proposal }): ProposalOrRef => ({ type: "proposal", proposal })),
    ...resumption.map(({ id }): ProposalOrRef => ({
      type: "proposal",
      proposal: { proposalType: ProposalType.psk, psk: id },
    })),
  ];
  const content: FramedContent = {
    groupId: state.context.groupId,
    epoch: state.context.epoch,
    sender: committer,
    authenticatedData: ownAuthenticatedData(options),
    content: { contentType: "commit", commit: { proposals, path } },
  };
  const signature = await signFramedContent(signer, { wireFormat, content, context: state.context });
  const unconfirmed = { wireFormat, content, auth: { signature, confirmationTag: undefined } };
  const outputs = computeEpoch(suite, {
    provisional,
    interimBefore: state.interimTranscriptHash,
    transcriptInput: confirmedTranscriptHashInput(unconfirmed),
    initSecret: state.secrets.initSecret,
    commitSecret,
    psks,
    exporterTree: rules.exporterTree,
  });
  const { confirmationTag, joinerSecret, pskSecret } = outputs;
  spent.push(joinerSecret, pskSecret);
  const transition = await protectContent(state, { ...unconfirmed, auth: { signature, confirmationTag } }, rules);

  const welcome = await createWelcome(suite, {
    outputs,
    tree,
    added: applied.added,
    psks: applied.psks,
    path: made?.generated.path,
    committer: state.leafIndex,
    signer: changes?.signer ?? signer,
    treeInWelcome: options.treeInWelcome ?? true,
    limits: rules.limits,
    extensions: copyOf(wireExtensions, options.welcomeExtensions ?? []),
  });
  const next = nextEpoch(state, applied, outputs, made?.generated);
  return {
    state: transition.state,
    consumed: transition.consumed,
    staged: {
      commit: transition.message,
      welcome,
      epoch: state.context.epoch,
      next,
      added: applied.added,
      removed: applied.removed,
      updated: applied.updated,
      custom: applied.custom,
      refused: selected.refused,
    },
  };
}

async function makePath(
  state: GroupState,
  applied: AppliedProposals,
  options: CreateCommitOptions,
): Promise<{ readonly generated: GeneratedPath; readonly commitSecret: Bytes }> {
  const generated = await generatePath(state.suite, applied.tree, {
    ...nextLeaf(state, options),
    leaf: state.leafIndex,
    groupId: state.context.groupId,
  });
  validateMembers(generated.tree, { extensions: applied.extensions }, options.rules);
  return { generated, commitSecret: generated.path.commitSecret };
}

function nextEpoch(
  state: GroupState,
  applied: AppliedProposals,
  outputs: EpochOutputs,
  generated: GeneratedPath | undefined,
): NextEpoch {
  const tree = generated?.tree ?? applied.tree;
  return assembleEpoch(outputs, {
    tree,
    leafIndex: state.leafIndex,
    privateKeys: keepPrivateKeys(tree, state.privateKeys, generated?.privateKeys).kept,
    leafSince: generated === undefined ? state.leafSince : outputs.context.epoch,
    reinit: applied.reinit,
  });
}

/**
 * Enters the epoch of an accepted own Commit. `ERR_MLS_EPOCH` if the state has moved on since it was staged.
 *
 * @example
 * ```ts run
 * import { adoptCommit, createCommit } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * const made = await createCommit(alice.state, { rules, signer: alice.signer });
 * const { state, consumed } = adoptCommit(made.state, made.staged, rules);
 * console.assert(state.context.epoch === 2n && consumed.length > 0);
 * ```
 */
export function adoptCommit(
  state: GroupState,
  staged: Pick<StagedCommit, "epoch" | "next">,
  rules: Pick<Rules, "limits">,
): Transition {
  requireActive(state);
  if (state.context.epoch !== staged.epoch) {
    throw new CoppiceError("ERR_MLS_EPOCH", "The staged commit is for another epoch", {
      requirement: "R-14-5",
      detail: { epoch: state.context.epoch, staged: staged.epoch },
    });
  }
  return enterEpoch(state, staged.next, rules.limits);
}

/**
 * The secrets that a staged Commit has and `state` has not, for erasing them when the Commit is dropped (R-14-2): because another
 * one won, or the Delivery Service refused it. `state` is the one to go on with, and stays as it is.
 *
 * @example
 * ```ts run
 * import { createCommit, discardCommit, erase } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * const { state, staged } = await createCommit(alice.state, { rules, signer: alice.signer });
 * // The Delivery Service refused it:
 * erase(...discardCommit(state, staged));
 * console.assert(staged.next.secrets.initSecret.every((byte) => byte === 0));
 * ```
 */
export function discardCommit(state: GroupState, { next }: Pick<StagedCommit, "next">): readonly Bytes[] {
  const kept = new Set([...epochSecretsOf(state), ...state.resumptionPsks.values()]);
  return secretsOfEpoch(next).filter((secret) => !kept.has(secret));
}
