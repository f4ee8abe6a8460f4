/** Encodings of the records of a group state (`record-names.ts`); not part of the protocol. */

import { type Bytes, fromHex, toHex } from "../codec/bytes.ts";
import {
  type Codec,
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
import { credential } from "../identity/credential.ts";
import { CoppiceError } from "../errors.ts";
import { sender } from "../framing/framed-content.ts";
import { type ReInitProposal, proposal, proposalBodies } from "../framing/proposal.ts";
import type { CachedProposal, GroupStatus, MessagingState } from "./group-state.ts";
import { type GroupContext, groupContext } from "../schedule/group-context.ts";
import type { ExporterTree } from "../schedule/exporter-tree.ts";
import type { Ratchet, SecretNode } from "../schedule/secret-tree.ts";
import type { Identity } from "../identity/authentication.ts";
import { type LeafNode, leafNode } from "../tree/leaf-node.ts";
import { type LeafIndex, type NodeIndex, MAX_LEAF_COUNT } from "../tree/tree-math.ts";

/** States of this version are readable. */
export const STATE_FORMAT_VERSION = 2;

/** What a state has in one record, as it has it. */
export type StateFields = Omit<
  MessagingState,
  "suite" | "tree" | "secretTree" | "exporterTree" | "proposals" | "pastEpochs"
>;

export interface StateRecord {
  readonly formatVersion: number;
  readonly cipherSuite: number;
  readonly leafCount: number;
  readonly memberCount: number;
  /** Newest first. */
  readonly pastEpochs: readonly bigint[];
  readonly fields: StateFields;
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
    throw new CoppiceError("ERR_MLS_DECODE", "The stored leaf count is not that of a tree", { detail: { count } });
  },
  (count) => count,
);

const leafIndex: Codec<LeafIndex> = map(
  uint32,
  (index) => index as LeafIndex,
  (index) => index,
);

/** A map as a vector of its entries. */
const mapOf = <K, V>(entry: Codec<readonly [K, V]>): Codec<ReadonlyMap<K, V>> =>
  map(
    vector(entry),
    (entries): ReadonlyMap<K, V> => new Map(entries),
    (values) => [...values],
  );

const pair = <K, V>(key: Codec<K>, value: Codec<V>): Codec<readonly [K, V]> => ({
  encode: (writer, [first, second]) => {
    key.encode(writer, first);
    value.encode(writer, second);
  },
  decode: (reader) => [key.decode(reader), value.decode(reader)],
});

const hex: Codec<string> = map(opaque, toHex, fromHex);
const nodeIndex: Codec<NodeIndex> = map(
  uint32,
  (index) => index as NodeIndex,
  (index) => index,
);
const reinit: Codec<ReInitProposal> = map(
  proposalBodies.reinit,
  (body): ReInitProposal => ({ proposalType: 5, ...body }),
  (body) => body,
);

const stateFields: Codec<StateFields> = struct({
  status: closedEnum<GroupStatus>(uint8, { active: 1, removed: 2, reinitialised: 3 }),
  reinit: optional(reinit),
  context: groupContext,
  leafIndex,
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
  privateKeys: mapOf(pair(nodeIndex, struct({ publicKey: opaque, privateKey: opaque }))),
  pendingUpdates: mapOf(pair(hex, opaque)),
  resumptionPsks: mapOf(pair(uint64, opaque)),
});

export const stateRecord: Codec<StateRecord> = struct({
  formatVersion,
  cipherSuite: uint16,
  leafCount,
  memberCount: uint32,
  pastEpochs: vector(uint64),
  fields: stateFields,
});

export const exporterTree: Codec<ExporterTree> = mapOf(pair(nodeIndex, opaque));

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

/** The generation goes up to 2^32, one past the last. */
const ratchet: Codec<Ratchet> = struct({
  generation: map(uint64, Number, BigInt),
  secret: opaque,
  skipped: mapOf(pair(uint32, struct({ key: opaque, nonce: opaque }))),
});

export type StoredSecretNode = Exclude<SecretNode, { kind: "expanded" | "absent" }>;

/** Expanded nodes are not stored: their children are. */
export const secretNode: Codec<StoredSecretNode> = select<"kind", StoredSecretNode["kind"], StoredSecretNode>(
  "kind",
  closedEnum(uint8, { secret: 1, leaf: 2 }),
  { secret: struct({ secret: opaque }), leaf: struct({ handshake: ratchet, application: ratchet }) },
);
