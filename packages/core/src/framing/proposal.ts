/** Proposals on the wire (RFC 9420 §12.1). */
import type { Bytes } from "../codec/bytes.ts";
import { type Codec, closedEnum, map, opaque, select, struct, uint16, uint32, uint8 } from "../codec/codec.ts";
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
  /** What follows the type, as `opaque<V>`: other implementations frame custom proposals in the same way. */
  readonly data: Bytes;
}

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

export const customProposal: Codec<CustomProposal> = map(
  struct<Omit<CustomProposal, "proposalType">>({ customType: uint16, data: opaque }),
  (fields) => ({ proposalType: "custom", ...fields }),
  (fields) => fields,
);

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
