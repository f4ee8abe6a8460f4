/** Proposals on the wire (RFC 9420 §12.1). */
import { type Bytes, concat, EMPTY } from "../codec/bytes.ts";
import { type Codec, closedEnum, encode, opaque, select, struct, uint16, uint32, uint8 } from "../codec/codec.ts";
import type { Reader } from "../codec/reader.ts";
import { CoppiceError } from "../errors.ts";
import { type Extension, extensions } from "../extensions/extension.ts";
import { type KeyPackage, keyPackage } from "./key-package.ts";
import { type PreSharedKeyId, preSharedKeyId } from "../schedule/psk.ts";
import { type LeafNode, leafNode } from "../tree/leaf-node.ts";

/** Registered proposal types (§17.4), and `custom` for all others. */
export const ProposalType = {
  add: 0x0001,
  update: 0x0002,
  remove: 0x0003,
  psk: 0x0004,
  reinit: 0x0005,
  externalInit: 0x0006,
  groupContextExtensions: 0x0007,
  custom: "custom",
} as const;

export interface AddProposal {
  readonly proposalType: 1;
  readonly keyPackage: KeyPackage;
}
export interface UpdateProposal {
  readonly proposalType: 2;
  readonly leafNode: LeafNode;
}
export interface RemoveProposal {
  readonly proposalType: 3;
  /** Leaf index as received: any uint32. */
  readonly removed: number;
}
export interface PreSharedKeyProposal {
  readonly proposalType: 4;
  readonly psk: PreSharedKeyId;
}
export interface ReInitProposal {
  readonly proposalType: 5;
  readonly groupId: Bytes;
  readonly version: number;
  readonly cipherSuite: number;
  readonly extensions: readonly Extension[];
}
export interface ExternalInitProposal {
  readonly proposalType: 6;
  readonly kemOutput: Bytes;
}
export interface GroupContextExtensionsProposal {
  readonly proposalType: 7;
  readonly extensions: readonly Extension[];
}

/** A proposal of a type that the application defines: see `defineProposalType`. */
export interface CustomProposal {
  readonly proposalType: "custom";
  /** The type on the wire: 8 to 65,535. */
  readonly customType: number;
  /**
   * What follows the type, as `opaque<V>`: other implementations frame custom proposals in the same way. For the types of
   * `DraftProposalType` it stands bare.
   */
  readonly data: Bytes;
}

/** Types of draft-ietf-mls-extensions-10, as §7.2 suggests their numbers. Refused unless `rules.proposalTypes` has them. */
export const DraftProposalType = { appDataUpdate: 0x0008, appEphemeral: 0x0009, selfRemove: 0x000a } as const;

/**
 * ```tls
 * struct { ProposalType proposal_type; select (Proposal.proposal_type) { ... }; } Proposal;
 * ```
 */
export type Proposal =
  | AddProposal
  | UpdateProposal
  | RemoveProposal
  | PreSharedKeyProposal
  | ReInitProposal
  | ExternalInitProposal
  | GroupContextExtensionsProposal
  | CustomProposal;

/** The bodies, as they stand after the type. */
export const proposalBodies: {
  readonly add: Codec<Omit<AddProposal, "proposalType">>;
  readonly update: Codec<Omit<UpdateProposal, "proposalType">>;
  readonly remove: Codec<Omit<RemoveProposal, "proposalType">>;
  readonly psk: Codec<Omit<PreSharedKeyProposal, "proposalType">>;
  readonly reinit: Codec<Omit<ReInitProposal, "proposalType">>;
  readonly externalInit: Codec<Omit<ExternalInitProposal, "proposalType">>;
  readonly groupContextExtensions: Codec<Omit<GroupContextExtensionsProposal, "proposalType">>;
} = {
  add: struct({ keyPackage }),
  update: struct({ leafNode }),
  remove: struct({ removed: uint32 }),
  psk: struct({ psk: preSharedKeyId }),
  reinit: struct({ groupId: opaque, version: uint16, cipherSuite: uint16, extensions }),
  externalInit: struct({ kemOutput: opaque }),
  groupContextExtensions: struct({ extensions }),
};

type RegisteredProposal = Exclude<Proposal, CustomProposal>;

const registeredProposal: Codec<RegisteredProposal> = select<
  "proposalType",
  RegisteredProposal["proposalType"],
  RegisteredProposal
>(
  "proposalType",
  uint16 as Codec<RegisteredProposal["proposalType"]>,
  {
    1: proposalBodies.add,
    2: proposalBodies.update,
    3: proposalBodies.remove,
    4: proposalBodies.psk,
    5: proposalBodies.reinit,
    6: proposalBodies.externalInit,
    7: proposalBodies.groupContextExtensions,
  },
  (type) =>
    new CoppiceError("ERR_MLS_PROPOSAL", `Proposal type ${String(type)} is reserved`, {
      requirement: "R-13.5-3",
      detail: { proposalType: type },
    }),
);

export const customProposal: Codec<CustomProposal> = {
  encode: (writer, { customType, data }) => {
    writer.uint(customType, 2);
    if (customType > DraftProposalType.selfRemove) writer.opaque(data);
    else writer.bytes(data);
  },
  decode: (reader) => {
    const customType = reader.uint(2);
    return { proposalType: "custom", customType, data: readBody(reader, customType) };
  },
};

/** A bare body is read as far as its shape goes: what it says is for its type to judge. */
function readBody(reader: Reader, customType: number): Bytes {
  if (customType > DraftProposalType.selfRemove) return reader.opaque();
  if (customType === DraftProposalType.selfRemove) return EMPTY;
  const head = reader.bytes(customType === DraftProposalType.appDataUpdate ? 3 : 2);
  // component_id, and of an AppDataUpdate op: 2 is remove, which nothing follows.
  return head[2] === 2 ? head : concat(head, encode(opaque, reader.opaque()));
}

/** Whether a type is one of those that RFC 9420 leaves to others. */
export const isCustomType = (type: number): boolean => type > ProposalType.groupContextExtensions && type <= 0xffff;

/** Types that nobody defined are read too: whether one may be here is for `checkProposal` to say. */
export const proposal: Codec<Proposal> = {
  encode: (writer, value) => {
    if (value.proposalType === "custom") customProposal.encode(writer, value);
    else registeredProposal.encode(writer, value);
  },
  decode: (reader) =>
    isCustomType(reader.peek(2)) ? customProposal.decode(reader) : registeredProposal.decode(reader),
};

/**
 * ```tls
 * struct {
 *   ProposalOrRefType type;
 *   select (ProposalOrRef.type) { case proposal: Proposal proposal; case reference: ProposalRef reference; };
 * } ProposalOrRef;
 * ```
 */
export type ProposalOrRef =
  | { readonly type: "proposal"; readonly proposal: Proposal }
  | { readonly type: "reference"; readonly reference: Bytes };

export const proposalOrRef: Codec<ProposalOrRef> = select<"type", ProposalOrRef["type"], ProposalOrRef>(
  "type",
  closedEnum(uint8, { proposal: 1, reference: 2 }),
  { proposal: struct({ proposal }), reference: struct({ reference: opaque }) },
);
