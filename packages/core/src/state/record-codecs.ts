/** Encodings of the records of a group state (`record-names.ts`); not part of the protocol. */
import type { Bytes } from "../codec/bytes.ts";
import type { Codec } from "../codec/codec.ts";
import {
  closedEnum,
  map,
  opaque,
  optional,
  select,
  struct,
  uint16,
  uint32,
  uint64,
  uint8,
  vector,
} from "../codec/codec.ts";
import { credential } from "../credential.ts";
import type { HpkeKeyPair } from "../crypto/hpke.ts";
import { CoppiceError } from "../errors.ts";
import { sender } from "../framing/framed-content.ts";
import type { ReInitProposal } from "../framing/proposal.ts";
import { proposal, proposalBodies } from "../framing/proposal.ts";
import type { CachedProposal, GroupStatus, KeptSecrets } from "../group-state.ts";
import type { GroupContext } from "../schedule/group-context.ts";
import { groupContext } from "../schedule/group-context.ts";
import type { MessageKey, Ratchet, SecretNode } from "../secret-tree.ts";
import type { Identity } from "../rules.ts";
import type { LeafNode } from "../tree/leaf-node.ts";
import { leafNode } from "../tree/leaf-node.ts";
import { MAX_LEAF_COUNT } from "../tree/tree-math.ts";

/** States of this version are readable. */
export const STATE_FORMAT_VERSION = 2;

export interface StateRecord {
  readonly formatVersion: number;
  readonly cipherSuite: number;
  readonly status: GroupStatus;
  readonly reinit: Omit<ReInitProposal, "proposalType"> | undefined;
  readonly context: GroupContext;
  readonly leafCount: number;
  readonly memberCount: number;
  readonly leafIndex: number;
  readonly leafSince: bigint;
  readonly interimTranscriptHash: Bytes;
  readonly confirmationTag: Bytes;
  readonly secrets: KeptSecrets;
  readonly privateKeys: readonly ({ readonly node: number } & HpkeKeyPair)[];
  readonly pendingUpdates: readonly HpkeKeyPair[];
  /** Newest first. */
  readonly pastEpochs: readonly bigint[];
  readonly resumptionPsks: readonly { readonly epoch: bigint; readonly psk: Bytes }[];
}

const formatVersion: Codec<number> = map(
  uint16,
  (version) => {
    if (version === STATE_FORMAT_VERSION) return version;
    throw new CoppiceError("ERR_MLS_VERSION", "The stored group state is of another version of Coppice", {
      detail: { formatVersion: version },
    });
  },
  (version) => version,
);

const leafCount: Codec<number> = map(
  uint32,
  (count) => {
    if (count > 0 && count <= MAX_LEAF_COUNT && Number.isInteger(Math.log2(count))) return count;
    throw new CoppiceError("ERR_MLS_DECODE", "the stored leaf count is not that of a tree", { detail: { count } });
  },
  (count) => count,
);

export const stateRecord: Codec<StateRecord> = struct({
  formatVersion,
  cipherSuite: uint16,
  status: closedEnum<GroupStatus>(uint8, { active: 1, removed: 2, reinitialised: 3 }),
  reinit: optional(proposalBodies.reinit),
  context: groupContext,
  leafCount,
  memberCount: uint32,
  leafIndex: uint32,
  leafSince: uint64,
  interimTranscriptHash: opaque,
  confirmationTag: opaque,
  secrets: struct({
    senderDataSecret: opaque,
    exporterSecret: opaque,
    externalSecret: opaque,
    confirmationKey: opaque,
    membershipKey: opaque,
    resumptionPsk: opaque,
    epochAuthenticator: opaque,
    initSecret: opaque,
  }),
  privateKeys: vector(struct({ node: uint32, publicKey: opaque, privateKey: opaque })),
  pendingUpdates: vector(struct({ publicKey: opaque, privateKey: opaque })),
  pastEpochs: vector(uint64),
  resumptionPsks: vector(struct({ epoch: uint64, psk: opaque })),
});

export interface LeafRecord {
  readonly leafNode: LeafNode;
  /** The epoch since which the leaf stands where it is. */
  readonly since: bigint;
}

export const leafRecord: Codec<LeafRecord> = struct({ leafNode, since: uint64 });

export interface PastRecord {
  readonly context: GroupContext;
  readonly senderDataSecret: Bytes;
  readonly leafCount: number;
}

export const pastRecord: Codec<PastRecord> = struct({ context: groupContext, senderDataSecret: opaque, leafCount });

/** Who was at a leaf of a past epoch; undefined if nobody was. */
export const formerRecord: Codec<{ readonly member: Identity | undefined }> = struct({
  member: optional(struct({ credential, signatureKey: opaque })),
});

export const cachedProposal: Codec<CachedProposal> = struct({ ref: opaque, sender, proposal });

const skippedKeys: Codec<ReadonlyMap<number, MessageKey>> = map(
  vector(struct<{ generation: number } & MessageKey>({ generation: uint32, key: opaque, nonce: opaque })),
  (keys): ReadonlyMap<number, MessageKey> =>
    new Map(keys.map(({ generation, key, nonce }) => [generation, { key, nonce }])),
  (skipped) => [...skipped].map(([generation, key]) => ({ generation, ...key })),
);

/** The generation goes up to 2^32, one past the last. */
const ratchet: Codec<Ratchet> = struct({
  generation: map(uint64, Number, BigInt),
  secret: opaque,
  skipped: skippedKeys,
});

export type StoredSecretNode = Exclude<SecretNode, { kind: "expanded" | "absent" }>;

/** Expanded nodes are not stored: their children are. */
export const secretNode: Codec<StoredSecretNode> = select<"kind", StoredSecretNode["kind"], StoredSecretNode>(
  "kind",
  closedEnum(uint8, { secret: 1, leaf: 2 }),
  { secret: struct({ secret: opaque }), leaf: struct({ handshake: ratchet, application: ratchet }) },
);
