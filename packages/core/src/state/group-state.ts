/** The state of a group at one member (RFC 9420 §11, §12): an immutable value. */

import { type Bytes, equalBytes } from "../codec/bytes.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import type { Signer } from "../crypto/signature.ts";
import { CoppiceError } from "../errors.ts";
import type { ReInitProposal } from "../framing/proposal.ts";
import type { SentProposal } from "../framing/framed-content.ts";
import type { Identity } from "../identity/authentication.ts";
import type { ExporterTree } from "../schedule/exporter-tree.ts";
import type { EpochSecrets } from "../schedule/key-schedule.ts";
import type { GroupContext } from "../schedule/group-context.ts";
import { type SecretTree, secretsOf } from "../schedule/secret-tree.ts";
import type { KnownLeaves, Leaves } from "../tree/loaded-leaves.ts";
import { RatchetTree } from "../tree/ratchet-tree.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import type { PrivateKeys } from "../tree/treekem.ts";
import type { LeafNode } from "../tree/leaf-node.ts";

/** `active`: usable. `removed`: a Commit removed this member. `reinitialised`: a Commit of a ReInit closed the group. */
export type GroupStatus = "active" | "removed" | "reinitialised";

/** A proposal of the current epoch that a Commit can refer to (R-12.1-2). */
export interface CachedProposal extends SentProposal {
  readonly ref: Bytes;
}

/** What late messages of a past epoch need (T-33): never its init secret. */
export interface PastEpoch {
  readonly context: GroupContext;
  readonly senderDataSecret: Bytes;
  readonly secretTree: SecretTree;
  readonly former: FormerMembers;
}

/** How the members of a past epoch differ from those of the epoch after it. */
export interface FormerMembers {
  /** Who was at a leaf at which somebody else is in the next epoch, or nobody: undefined if nobody was. By leaf index. */
  readonly members: ReadonlyMap<number, Identity | undefined>;
  /** The leaves of which this is known; undefined for all. */
  readonly loaded: ReadonlySet<number> | undefined;
}

/** The secrets of the current epoch; its encryption secret lives on as the secret tree, that for exports as the exporter tree. */
export type KeptSecrets = Omit<EpochSecrets, "encryptionSecret" | "applicationExportSecret">;

/** What everybody has of a group who follows its public handshakes, members and observers. */
export interface PublicGroupState {
  readonly suite: CipherSuite;
  readonly status: GroupStatus;
  /** The ReInit that closed the group. */
  readonly reinit: ReInitProposal | undefined;
  readonly context: GroupContext;
  readonly tree: RatchetTree;
  readonly interimTranscriptHash: Bytes;
  readonly confirmationTag: Bytes;
  /** By hex of their reference, in the order of arrival. */
  readonly proposals: ReadonlyMap<string, CachedProposal>;
}

/**
 * What sending and opening messages takes of a group: all of a state but the ratchet tree, of which only leaves are wanted, and
 * those that were loaded are enough. It holds secrets: log it nowhere, encrypt it at rest.
 */
export interface MessagingState<T extends KnownLeaves = Leaves> extends Omit<PublicGroupState, "tree"> {
  readonly tree: T;
  /** This member's leaf. */
  readonly leafIndex: LeafIndex;
  readonly privateKeys: PrivateKeys;
  readonly secrets: KeptSecrets;
  readonly secretTree: SecretTree;
  /** Of the current epoch, if `rules.exporterTree` asks for it. */
  readonly exporterTree?: ExporterTree | undefined;
  /** Private keys of own Update proposals, by hex of the leaf's public encryption key (T-12). */
  readonly pendingUpdates: ReadonlyMap<string, Bytes>;
  /** Newest first. */
  readonly pastEpochs: readonly PastEpoch[];
  /** By epoch; the current one is not in it. */
  readonly resumptionPsks: ReadonlyMap<bigint, Bytes>;
  /** The epoch in which this member's leaf was last replaced (R-3.2-1). */
  readonly leafSince: bigint;
}

/** A state that knows some leaves at least: what sending and opening take. */
export type KnowingState = MessagingState<KnownLeaves>;

/** Everything that one member has of a group. It holds secrets: log it nowhere, encrypt it at rest. */
export interface GroupState extends MessagingState {
  readonly tree: RatchetTree;
}

/** The next state, with the secrets that it no longer has: erase those once it is stored. */
export interface Transition<S extends KnowingState = GroupState> {
  readonly state: S;
  readonly consumed: readonly Bytes[];
}

/**
 * Whether a state has its ratchet tree, and so is good for everything.
 *
 * @example
 * ```ts run
 * import { isComplete } from "@coppice/core";
 * import { alice } from "./example-group.ts"; // docs/examples
 *
 * console.assert(isComplete(alice.state));
 * ```
 */
export const isComplete = (state: MessagingState): state is GroupState => state.tree instanceof RatchetTree;

/** Secret trees of the current epoch and those that are kept. */
export const secretTreesOf = (state: KnowingState): ReadonlyMap<bigint, SecretTree> =>
  new Map([
    [state.context.epoch, state.secretTree],
    ...state.pastEpochs.map(({ context, secretTree }) => [context.epoch, secretTree] as const),
  ]);

/** This member's own leaf. */
export function ownLeaf(state: Pick<KnowingState, "tree" | "leafIndex">): LeafNode {
  const leaf = state.tree.findLeaf(state.leafIndex);
  if (leaf === undefined) throw new CoppiceError("ERR_MLS_STATE", "This member has no leaf: it was removed");
  return leaf;
}

/** `ERR_MLS_STATE` unless the group is active (R-12.1.5-2, R-12.4.2-14). */
export function requireActive(state: Pick<PublicGroupState, "status">): void {
  if (state.status === "active") return;
  const removed = state.status === "removed";
  throw new CoppiceError(
    "ERR_MLS_STATE",
    removed ? "This member was removed from the group" : "The group was reinitialised",
    {
      requirement: removed ? "R-12.4.2-14" : "R-12.4.2-13",
      detail: { status: state.status },
    },
  );
}

/** For what others sent before a ReInit: `ERR_MLS_STATE` once removed (R-12.1.5-2 forbids sending alone). */
export function requireReadable(state: Pick<PublicGroupState, "status">): void {
  if (state.status !== "reinitialised") requireActive(state);
}

/** `ERR_MLS_STATE` for the signer of another key than that of the own leaf: nobody would accept what it signs. */
export function checkSigner(state: Pick<KnowingState, "tree" | "leafIndex">, { publicKey }: Signer): void {
  if (equalBytes(publicKey, ownLeaf(state).signatureKey)) return;
  throw new CoppiceError("ERR_MLS_STATE", "The signer has another key than the own leaf", {
    requirement: "R-6.1-4",
  });
}

/** The secrets of one epoch. */
export function secretsOfEpoch(
  epoch: Pick<KnowingState, "secrets" | "secretTree" | "exporterTree" | "privateKeys">,
): Bytes[] {
  const { epochAuthenticator: _, ...secret } = epoch.secrets;
  return [
    ...Object.values(secret),
    ...secretsOf(epoch.secretTree),
    ...(epoch.exporterTree?.values() ?? []),
    ...[...epoch.privateKeys.values()].map(({ privateKey }) => privateKey),
  ];
}

/** The secrets of an epoch that is over. */
export const secretsOfPast = ({ senderDataSecret, secretTree }: PastEpoch): Bytes[] => [
  senderDataSecret,
  ...secretsOf(secretTree),
];

/** Every secret of a state but its resumption PSKs, for erasing it. */
export function epochSecretsOf(state: KnowingState): Bytes[] {
  return [...secretsOfEpoch(state), ...state.pendingUpdates.values(), ...state.pastEpochs.flatMap(secretsOfPast)];
}
