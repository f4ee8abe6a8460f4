/**
 * Names of the records of a group. They are structural: the same in every group, without identities.
 *
 * | record | contents |
 * |---|---|
 * | `group/state` | the current epoch but its trees |
 * | `group/state-past/E` | past epoch E but its secret tree and members |
 * | `group/state-exporter` | the exporter tree of the current epoch, where there is one |
 * | `group/state-proposal/N` | the N-th cached proposal |
 * | `group/leaf/L` | leaf L of the current ratchet tree |
 * | `group/parent/P` | parent node 2 P + 1 of the current ratchet tree |
 * | `group/former/E/L` | who was at leaf L in past epoch E, if that is somebody else in the epoch after it |
 * | `group/ratchet/E/I` | node I of the secret tree of epoch E |
 *
 * E is decimal; L, P, I and N are hexadecimal of at least six digits, so that leaves are in the order of their names.
 */

/** How the names of records begin, for reading those that belong together. */
export const GROUP_RECORDS = {
  /** All records of a group, for `restoreGroup`. */
  all: "group/",
  /** Few and small ones, for `restoreMessaging`. Their number and size do not depend on that of the group. */
  messaging: "group/state",
  /** One for each member, in the order of their leaves, for `readMembers`. */
  members: "group/leaf/",
} as const;

/** What is numbered stands in a folder. */
export const recordFolders = {
  proposals: "group/state-proposal/",
  leaves: "group/leaf/",
  parents: "group/parent/",
  former: (epoch: bigint): string => `group/former/${String(epoch)}/`,
  ratchets: (epoch: bigint): string => `group/ratchet/${String(epoch)}/`,
} as const;

const inFolder = (folder: string, index: number): string => folder + index.toString(16).padStart(6, "0");

export const recordNames = {
  state: "group/state",
  exporterTree: "group/state-exporter",
  past: (epoch: bigint): string => `group/state-past/${String(epoch)}`,
  proposal: (position: number): string => inFolder(recordFolders.proposals, position),
  leaf: (leaf: number): string => inFolder(recordFolders.leaves, leaf),
  parent: (node: number): string => inFolder(recordFolders.parents, node >> 1),
  former: (epoch: bigint, leaf: number): string => inFolder(recordFolders.former(epoch), leaf),
  ratchet: (epoch: bigint, node: number): string => inFolder(recordFolders.ratchets(epoch), node),
} as const;

const NUMBERED = /^(group\/(?:state-proposal|leaf|parent|(?:former|ratchet)\/\d+)\/)([1-9a-f]?[\da-f]{6})$/;

/** Folder and index of a record that is numbered; undefined for any other name. */
export function recordPlace(name: string): { readonly folder: string; readonly index: number } | undefined {
  const [, folder, index] = NUMBERED.exec(name) ?? [];
  return folder === undefined || index === undefined ? undefined : { folder, index: Number.parseInt(index, 16) };
}

/** Whether a record stands for itself. */
export const isSingleRecord = (name: string): boolean => /^group\/state(?:-exporter|-past\/\d+)?$/.test(name);
