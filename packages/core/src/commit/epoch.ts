/** The step from one epoch to the next (RFC 9420 §8, §12.4), shared by making and processing a Commit. */

import { type Bytes, EMPTY, equalBytes, erase } from "../codec/bytes.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { CoppiceError } from "../errors.ts";
import {
  type FormerMembers,
  type GroupState,
  type KeptSecrets,
  type KnowingState,
  type MessagingState,
  type PastEpoch,
  type Transition,
  epochSecretsOf,
  secretsOfPast,
} from "../state/group-state.ts";
import type { Limits } from "../limits.ts";
import type { AppliedProposals } from "../proposal/apply.ts";
import type { Rules } from "../rules.ts";
import type { GroupContext } from "../schedule/group-context.ts";
import { computeEpochSecrets, computeJoinerSecret } from "../schedule/key-schedule.ts";
import { type PreSharedKey, type PreSharedKeyId, computePskSecret, isKnownPsk } from "../schedule/psk.ts";
import { computeConfirmationTag, confirmedTranscriptHash, interimTranscriptHash } from "../schedule/transcript-hash.ts";
import { createExporterTree } from "../schedule/exporter-tree.ts";
import { createSecretTree } from "../schedule/secret-tree.ts";
import { formerMembers } from "../state/former-members.ts";
import type { KnownLeaves } from "../tree/loaded-leaves.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";

const LAST_EPOCH = 2n ** 64n - 1n;

/** All of a state that a new epoch replaces. */
export type NextEpoch<T extends KnownLeaves = RatchetTree> = Omit<
  MessagingState<T>,
  "suite" | "proposals" | "pendingUpdates" | "pastEpochs" | "resumptionPsks"
>;

/**
 * The context that path secrets are sealed to (R-12.4.1-5, T-7): new epoch, tree and extensions, but still the old
 * confirmed transcript hash. `ERR_MLS_LIMIT` after the last epoch.
 */
export function provisionalContext(
  suite: CipherSuite,
  before: GroupContext,
  tree: RatchetTree,
  { extensions }: Pick<AppliedProposals, "extensions">,
): GroupContext {
  return contextAfter(before, { treeHash: tree.treeHash(suite.hash), extensions });
}

/** The same for those who have no more than the hash of the tree. */
export function contextAfter(
  before: GroupContext,
  { treeHash, extensions }: Pick<GroupContext, "treeHash" | "extensions">,
): GroupContext {
  // A joiner takes the epoch from a GroupInfo: it may be any uint64.
  if (before.epoch === LAST_EPOCH) throw new CoppiceError("ERR_MLS_LIMIT", "This is the last epoch that there can be");
  return { ...before, epoch: before.epoch + 1n, treeHash, extensions };
}

/** Values of the PSKs of a Commit, in its order. `ERR_MLS_PSK` for one that is not there (R-12.4.2-5). */
export async function lookUpPsks(
  state: KnowingState,
  ids: readonly PreSharedKeyId[],
  rules: Pick<Rules, "findPsk">,
): Promise<PreSharedKey[]> {
  const psks: PreSharedKey[] = [];
  for (const id of ids) {
    const psk = ownResumptionPsk(state, id) ?? (await rules.findPsk(id));
    if (!isKnownPsk(id, psk)) {
      throw new CoppiceError("ERR_MLS_PSK", `A pre-shared key of type ${id.pskType} is not known`, {
        requirement: "R-12.4.2-5",
      });
    }
    psks.push({ id, psk });
  }
  return psks;
}

function ownResumptionPsk(state: KnowingState, id: PreSharedKeyId): Bytes | undefined {
  if (id.pskType !== "resumption" || !equalBytes(id.pskGroupId, state.context.groupId)) return undefined;
  return id.pskEpoch === state.context.epoch ? state.secrets.resumptionPsk : state.resumptionPsks.get(id.pskEpoch);
}

/** What the key schedule of a Commit takes in. */
export interface EpochInputs {
  /** The provisional context. */
  readonly provisional: GroupContext;
  readonly interimBefore: Bytes;
  /** Encoded `ConfirmedTranscriptHashInput` of the Commit. */
  readonly transcriptInput: Bytes;
  /** Of the epoch before, or the external init secret. */
  readonly initSecret: Bytes;
  readonly commitSecret: Bytes;
  readonly psks: readonly PreSharedKey[];
  /** Whether the epoch is to have an exporter tree. Default false. */
  readonly exporterTree?: boolean | undefined;
}

/** What comes out of it. */
export interface EpochOutputs {
  readonly context: GroupContext;
  readonly secrets: KeptSecrets;
  readonly encryptionSecret: Bytes;
  readonly applicationExportSecret: Bytes | undefined;
  readonly confirmationTag: Bytes;
  readonly interimTranscriptHash: Bytes;
  /** Secret, for Welcomes; erase it. */
  readonly joinerSecret: Bytes;
  /** Secret, for Welcomes; erase it. */
  readonly pskSecret: Bytes;
}

/** Runs the key schedule for the new epoch (R-12.4.1-7). */
export function computeEpoch(suite: CipherSuite, inputs: EpochInputs): EpochOutputs {
  const confirmed = confirmedTranscriptHash(suite, inputs.interimBefore, inputs.transcriptInput);
  const context = { ...inputs.provisional, confirmedTranscriptHash: confirmed };
  const { initSecret, commitSecret, exporterTree } = inputs;
  const joinerSecret = computeJoinerSecret(suite, { initSecret, commitSecret, context });
  const pskSecret = computePskSecret(suite, inputs.psks);
  const { encryptionSecret, applicationExportSecret, ...secrets } = computeEpochSecrets(suite, {
    ...{ joinerSecret, pskSecret, context, exporterTree },
  });
  const confirmationTag = computeConfirmationTag(suite, secrets.confirmationKey, confirmed);
  return {
    context,
    secrets,
    encryptionSecret,
    applicationExportSecret,
    confirmationTag,
    interimTranscriptHash: interimTranscriptHash(suite, confirmed, confirmationTag),
    joinerSecret,
    pskSecret,
  };
}

/** Puts a new epoch together. */
export function assembleEpoch<T extends KnownLeaves = RatchetTree>(
  outputs: EpochOutputs,
  rest: Pick<NextEpoch<T>, "tree" | "leafIndex" | "privateKeys" | "leafSince" | "reinit">,
): NextEpoch<T> {
  const { context, secrets, encryptionSecret, confirmationTag } = outputs;
  return {
    ...rest,
    status: rest.reinit === undefined ? "active" : "reinitialised",
    context,
    secrets,
    confirmationTag,
    interimTranscriptHash: outputs.interimTranscriptHash,
    secretTree: createSecretTree(encryptionSecret, rest.tree.leafCount),
    exporterTree: createExporterTree(outputs.applicationExportSecret),
  };
}

/** What neither late messages nor a group's successor need. */
const CLEARED = {
  initSecret: EMPTY,
  exporterSecret: EMPTY,
  externalSecret: EMPTY,
  confirmationKey: EMPTY,
  membershipKey: EMPTY,
} as const;

const clearable = ({ secrets, exporterTree }: Pick<NextEpoch, "secrets" | "exporterTree">): Bytes[] => [
  secrets.initSecret,
  secrets.exporterSecret,
  secrets.externalSecret,
  secrets.confirmationKey,
  secrets.membershipKey,
  ...(exporterTree?.values() ?? []),
];

const privateKeysOf = ({ privateKeys }: Pick<KnowingState, "privateKeys">): Bytes[] =>
  [...privateKeys.values()].map(({ privateKey }) => privateKey);

/** Moves a state into `next`, keeping of the old epoch what late messages need (T-33), and of a closed one no more (T-24). */
export function enterEpoch(state: GroupState, entered: NextEpoch, limits: Limits): Transition {
  return moveInto(state, entered, { former: formerMembers(state.tree, entered.tree), limits });
}

/** The same for states that know who their members were in another way. */
export function moveInto<T extends KnownLeaves>(
  state: MessagingState<T>,
  entered: NextEpoch<T>,
  { former, limits }: { readonly former: FormerMembers; readonly limits: Limits },
): Transition<MessagingState<T>> {
  const isClosed = entered.reinit !== undefined;
  const next = isClosed
    ? {
        ...entered,
        secrets: { ...entered.secrets, ...CLEARED },
        privateKeys: new Map<never, never>(),
        exporterTree: undefined,
      }
    : entered;
  const left: PastEpoch = {
    context: state.context,
    senderDataSecret: state.secrets.senderDataSecret,
    secretTree: state.secretTree,
    former,
  };
  const epochs = [left, ...state.pastEpochs];
  const pastEpochs = epochs.slice(0, limits.pastEpochs);
  const resumptionPsks = new Map(state.resumptionPsks).set(state.context.epoch, state.secrets.resumptionPsk);
  const droppedPsks: Bytes[] = [];
  for (const [epoch, psk] of resumptionPsks) {
    if (resumptionPsks.size <= limits.resumptionPsks) break;
    resumptionPsks.delete(epoch);
    droppedPsks.push(psk);
  }

  const kept = new Set(privateKeysOf(next));
  const consumed = [
    ...clearable(state),
    ...privateKeysOf(state),
    ...(isClosed ? [...clearable(entered), ...privateKeysOf(entered)] : []),
    ...state.pendingUpdates.values(),
    ...epochs.slice(limits.pastEpochs).flatMap(secretsOfPast),
    ...droppedPsks,
  ].filter((secret) => !kept.has(secret));
  return {
    state: {
      ...next,
      suite: state.suite,
      proposals: new Map(),
      pendingUpdates: new Map(),
      pastEpochs,
      resumptionPsks,
    },
    consumed,
  };
}

/** The state of a member whom a Commit removed: nothing secret is left in it (R-12.4.2-15). */
export function leaveGroup<S extends KnowingState>(state: S): Transition<S> {
  return {
    state: {
      ...state,
      status: "removed",
      privateKeys: new Map(),
      secrets: {
        ...CLEARED,
        senderDataSecret: EMPTY,
        resumptionPsk: EMPTY,
        epochAuthenticator: EMPTY,
      },
      secretTree: createSecretTree(EMPTY, state.tree.leafCount),
      exporterTree: undefined,
      proposals: new Map(),
      pendingUpdates: new Map(),
      pastEpochs: [],
      resumptionPsks: new Map(),
    },
    consumed: [...epochSecretsOf(state), ...state.resumptionPsks.values()],
  };
}

/** Erases what `work` needed on the way and put into its list, whatever comes of it (R-9.2-2). */
export async function erasing<T>(work: (spent: Bytes[]) => Promise<T>): Promise<T> {
  const spent: Bytes[] = [];
  try {
    return await work(spent);
  } finally {
    erase(...spent);
  }
}
