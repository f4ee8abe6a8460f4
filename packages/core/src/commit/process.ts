/** Processing a Commit as a member (RFC 9420 §12.4.2). The state stays as it is until everything verified. */

import { type Bytes, erase, toHex, utf8 } from "../codec/bytes.ts";
import { encode } from "../codec/codec.ts";
import { CoppiceError } from "../errors.ts";
import type { Commit } from "../framing/commit.ts";
import { type AuthenticatedContent, confirmedTranscriptHashInput } from "../framing/framed-content.ts";
import type { GroupState, KnowingState, Transition } from "../state/group-state.ts";
import type { AppliedProposals, ChangedMember } from "../proposal/apply.ts";
import type { Rules } from "../rules.ts";
import { type GroupContext, groupContext } from "../schedule/group-context.ts";
import { verifyConfirmationTag } from "../schedule/transcript-hash.ts";
import { leafToNode } from "../tree/tree-math.ts";
import { type PrivateKeys, decryptPath, keepPrivateKeys } from "../tree/treekem.ts";
import {
  type EpochOutputs,
  assembleEpoch,
  computeEpoch,
  enterEpoch,
  erasing,
  leaveGroup,
  lookUpPsks,
  provisionalContext,
} from "./epoch.ts";
import { type CommitEffect, type ValidatedCommit, type VerifiedCommit, validateCommit } from "./validate.ts";

/** What a Commit did, as a member sees it. */
export interface ProcessedCommit extends Transition {
  readonly effect: CommitEffect & {
    /** Whether this member was removed; the state is then closed and cleared. */
    readonly selfRemoved: boolean;
  };
}

/** `state` is in the Commit's epoch; its secret tree already lacks the key of this message. */
export async function processCommit(
  state: GroupState,
  verified: VerifiedCommit,
  rules: Rules,
): Promise<ProcessedCommit> {
  const { sender } = verified.authenticated.content;
  if (sender.senderType === "member" && sender.leafIndex === state.leafIndex) {
    throw new CoppiceError("ERR_MLS_STATE", "An own Commit is adopted, not processed", {
      requirement: "R-12.4.2-16",
    });
  }
  const validated = await validateCommit(state, verified, rules);
  const { applied } = validated;
  const selfRemoved = applied.removed.some(({ leafIndex }) => leafIndex === state.leafIndex);
  const effect = { ...validated.effect, selfRemoved };
  if (selfRemoved) return { ...leaveGroup(state), effect };

  return erasing(async (spent) => ({ ...(await enterNext(state, verified, { validated, rules, spent })), effect }));
}

async function enterNext(
  state: GroupState,
  { authenticated, commit }: VerifiedCommit,
  { validated, rules, spent }: { readonly validated: ValidatedCommit; readonly rules: Rules; readonly spent: Bytes[] },
): Promise<Transition> {
  const { suite } = state;
  const { applied } = validated;
  const provisional = provisionalContext(suite, state.context, validated.tree, applied);
  const reception = await receivePath(state, commit, { validated, provisional });
  const { commitSecret } = reception;
  const outputs = await confirmEpoch(state, authenticated, { applied, provisional, commitSecret, rules, spent });
  const next = assembleEpoch(outputs, {
    tree: validated.tree,
    leafIndex: state.leafIndex,
    privateKeys: reception.privateKeys,
    leafSince: reception.ownUpdate ? outputs.context.epoch : state.leafSince,
    reinit: applied.reinit,
  });
  return enterEpoch(state, next, rules.limits);
}

/** Runs the key schedule of a received Commit. `ERR_MLS_CONFIRMATION` unless its tag is that of the new epoch (R-12.4.2-12). */
export async function confirmEpoch(
  state: KnowingState,
  authenticated: AuthenticatedContent,
  {
    applied,
    provisional,
    commitSecret,
    rules,
    spent,
  }: {
    readonly applied: Pick<AppliedProposals, "psks" | "externalInit">;
    readonly provisional: GroupContext;
    readonly commitSecret: Bytes;
    readonly rules: Pick<Rules, "findPsk" | "exporterTree">;
    /** Takes what is to be erased afterwards. */
    readonly spent: Bytes[];
  },
): Promise<EpochOutputs> {
  spent.push(commitSecret);
  const psks = await lookUpPsks(state, applied.psks, rules);
  let { initSecret } = state.secrets;
  if (applied.externalInit !== undefined) {
    initSecret = await externalInitSecret(state, applied.externalInit);
    spent.push(initSecret);
  }
  const outputs = computeEpoch(state.suite, {
    provisional,
    interimBefore: state.interimTranscriptHash,
    transcriptInput: confirmedTranscriptHashInput(authenticated),
    initSecret,
    commitSecret,
    psks,
    exporterTree: rules.exporterTree,
  });
  spent.push(outputs.joinerSecret, outputs.pskSecret);
  verifyConfirmationTag(outputs.confirmationTag, authenticated.auth.confirmationTag, "R-12.4.2-12");
  return outputs;
}

interface Reception {
  readonly privateKeys: PrivateKeys;
  readonly commitSecret: Bytes;
  /** Whether an own Update took effect. */
  readonly ownUpdate: boolean;
}

/** Decrypts this member's part of the path (R-12.4.2-10, R-12.4.2-11). */
async function receivePath(
  state: GroupState,
  { path }: Commit,
  { validated, provisional }: { readonly validated: ValidatedCommit; readonly provisional: GroupContext },
): Promise<Reception> {
  const { suite } = state;
  const { applied, place, tree, newLeaves } = validated;
  const update = adoptedUpdate(state, applied.updated);
  const { kept: ownKeys } = keepPrivateKeys(place.tree, state.privateKeys, update);
  const ownUpdate = update.size > 0;
  if (path === undefined) {
    return { privateKeys: ownKeys, commitSecret: new Uint8Array(suite.hash.Nh), ownUpdate };
  }
  const derived = await decryptPath(suite, place.tree, {
    sender: place.leafIndex,
    path,
    newLeaves,
    privateKeys: ownKeys,
    receiver: state.leafIndex,
    context: encode(groupContext, provisional),
  });
  erase(...derived.secrets.map(({ pathSecret }) => pathSecret));
  const { kept: privateKeys } = keepPrivateKeys(tree, ownKeys, derived.keys);
  return { privateKeys, commitSecret: derived.commitSecret, ownUpdate };
}

/** The key pair of an own Update that this Commit covers (T-13). */
export function adoptedUpdate(state: KnowingState, updated: readonly ChangedMember[]): PrivateKeys {
  const own = updated.find(({ leafIndex }) => leafIndex === state.leafIndex);
  if (own === undefined) return new Map();
  const publicKey = own.leafNode.encryptionKey;
  const privateKey = state.pendingUpdates.get(toHex(publicKey));
  if (privateKey === undefined) {
    throw new CoppiceError("ERR_MLS_STATE", "The private key of the own Update is gone", { requirement: "R-12.1.2-2" });
  }
  return new Map([[leafToNode(state.leafIndex), { publicKey, privateKey }]]);
}

/** R-8.3-2: with the external key pair of the epoch that ends. */
async function externalInitSecret(state: KnowingState, kemOutput: Bytes): Promise<Bytes> {
  const { suite, secrets } = state;
  const keys = await suite.hpke.deriveKeyPair(secrets.externalSecret);
  return suite.hpke.receiveExport(keys, kemOutput, utf8("MLS 1.0 external init secret"), suite.hash.Nh).finally(() => {
    erase(keys.privateKey);
  });
}
