/** The members of a group, page by page, from stored records alone. */
import type { LeafNode } from "../tree/leaf-node.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { GivenRecords } from "./given-records.ts";
import { leafRecord } from "./record-codecs.ts";
import { recordFolders, recordNames } from "./record-names.ts";

/** A member as it is stored. */
export interface StoredMember {
  readonly leafIndex: LeafIndex;
  readonly leafNode: LeafNode;
  /** The epoch in which the leaf was last replaced; see `RatchetTree.leafSince`. */
  readonly since: bigint;
}

/**
 * The name of a member's record, to begin or end a page with: those after it are the records of `GROUP_RECORDS.members` with greater
 * names.
 */
export const memberRecord = (leafIndex: number): string => recordNames.leaf(leafIndex);

/**
 * Members by leaf index from those of `GROUP_RECORDS.members` that are given, all or some. Other records are passed over.
 * `ERR_MLS_DECODE` for damaged ones.
 *
 * @example
 * ```ts run
 * import { diffGroupRecords, GROUP_RECORDS, memberRecord, readMembers } from "@coppice/core";
 * import { alice } from "./example-group.ts"; // docs/examples
 *
 * // As a store reads a page: by prefix, after a name, at most so many.
 * const stored = [...diffGroupRecords(undefined, alice.state).put].sort();
 * const page = stored.filter(([name]) => name.startsWith(GROUP_RECORDS.members) && name > memberRecord(0)).slice(0, 50);
 * for (const { leafIndex, leafNode } of readMembers(new Map(page))) console.log(leafIndex, leafNode.credential);
 * ```
 */
export function readMembers(records: ReadonlyMap<string, Uint8Array>): StoredMember[] {
  const given = new GivenRecords({ put: records, delete: [] });
  return given
    .indices(recordFolders.leaves)
    .toSorted((a, b) => a - b)
    .map((leaf) => ({ leafIndex: leaf as LeafIndex, ...given.get(recordNames.leaf(leaf), leafRecord) }));
}
