/**
 * Names of the records of a group. They are structural: the same in every group, without identities.
 *
 * | record | contents |
 * |---|---|
 * | `group/state` | the current epoch but its trees |
 * | `group/state/past/E` | past epoch E but its secret tree and members |
 * | `group/state/proposal/N` | the N-th cached proposal |
 * | `group/leaf/L` | leaf L of the current ratchet tree |
 * | `group/parent/I` | parent node I of the current ratchet tree |
 * | `group/former/E/L` | who was at leaf L in past epoch E, if that is somebody else in the epoch after it |
 * | `group/ratchet/E/I` | node I of the secret tree of epoch E |
 *
 * E and N are decimal, L and I hexadecimal of at least six digits, so that leaves are in the order of their names.
 */

/** Where the names of records begin, for reading those that belong together. */
export const GROUP_RECORDS = {
  /** All records of a group, for `restoreGroup`. */
  all: "group/",
  /** Few and small ones, for `restoreMessaging`. Their number and size do not depend on that of the group. */
  messaging: "group/state",
  /** One for each member, in the order of their leaves, for `readMembers`. */
  members: "group/leaf/",
} as const;

const hex = (index: number): string => index.toString(16).padStart(6, "0");

export const recordNames = {
  state: "group/state",
  past: (epoch: bigint): string => `${GROUP_RECORDS.messaging}/past/${String(epoch)}`,
  proposal: (position: number): string => `${GROUP_RECORDS.messaging}/proposal/${String(position)}`,
  leaf: (leaf: number): string => GROUP_RECORDS.members + hex(leaf),
  parent: (node: number): string => `group/parent/${hex(node)}`,
  former: (epoch: bigint, leaf: number): string => `group/former/${String(epoch)}/${hex(leaf)}`,
  ratchet: (epoch: bigint, node: number): string => `group/ratchet/${String(epoch)}/${hex(node)}`,
} as const;

/** What a record is of. */
export type RecordPlace =
  | { readonly kind: "state" }
  | { readonly kind: "past"; readonly epoch: bigint }
  | { readonly kind: "proposal"; readonly position: number }
  | { readonly kind: "leaf" | "parent"; readonly index: number }
  | { readonly kind: "former" | "ratchet"; readonly epoch: bigint; readonly index: number };

const NUMBERED = /^group\/state\/(past|proposal)\/(0|[1-9]\d{0,19})$/;
const NODE = /^group\/(leaf|parent)\/([\da-f]{6}|[1-9a-f][\da-f]{6})$/;
const NODE_OF_EPOCH = /^group\/(former|ratchet)\/(0|[1-9]\d{0,19})\/([\da-f]{6}|[1-9a-f][\da-f]{6})$/;

/** Undefined for a name that is none of these. */
export function recordPlace(name: string): RecordPlace | undefined {
  if (name === recordNames.state) return { kind: "state" };
  const [, ofEpoch, epoch = "", node = ""] = NODE_OF_EPOCH.exec(name) ?? [];
  if (ofEpoch === "former" || ofEpoch === "ratchet") {
    return { kind: ofEpoch, epoch: BigInt(epoch), index: Number.parseInt(node, 16) };
  }
  const [, kind, index = ""] = NODE.exec(name) ?? [];
  if (kind === "leaf" || kind === "parent") {
    const at = Number.parseInt(index, 16);
    return kind === "parent" && at % 2 === 0 ? undefined : { kind, index: at };
  }
  const [, numbered, number = ""] = NUMBERED.exec(name) ?? [];
  if (numbered === undefined) return undefined;
  return numbered === "past" ? { kind: "past", epoch: BigInt(number) } : { kind: "proposal", position: Number(number) };
}
