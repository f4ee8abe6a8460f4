/** Reading: logs, lists of groups, GroupInfo. */
import type { ClientId, LogPage, LogPosition, StoredGroupInfo } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import type { Context } from "./context.ts";
import { findGroup, forbidden, requireAdmitted, requireSameLog } from "./group-access.ts";

/** Most groups of one answer. */
export const GROUPS_PER_PAGE = 1024;

/** A page without gaps, of at most `limit` entries and about `pageBytes` bytes. */
export async function readLog(
  { store, limits }: Context,
  client: ClientId,
  { groupId, after, limit }: { readonly groupId: Uint8Array; readonly after: LogPosition; readonly limit: number },
): Promise<LogPage> {
  return store.read(async (tx) => {
    const access = await findGroup(tx, groupId, client);
    requireAdmitted(access);
    const { group, admissions } = access;
    requireSameLog(group, after);
    const { incarnation } = group;
    const ends = admissions.map(({ until }) => until ?? group.lastSeq);
    const lastSeq = Math.max(...ends);
    for (const [index, { from }] of admissions.entries()) {
      const until = ends[index] ?? 0;
      const start = Math.max(after.seq, from);
      if (start >= until) continue;
      const entries = await tx.entries(groupId, { after: start, until, limit, maxBytes: limits.pageBytes });
      if (entries.length > 0) return { incarnation, lastSeq, entries };
    }
    return { incarnation, lastSeq, entries: [] };
  });
}

export async function readGroups(
  { store }: Context,
  client: ClientId,
  { after }: { readonly after: Uint8Array | undefined },
): Promise<readonly { readonly groupId: Uint8Array<ArrayBuffer>; readonly position: LogPosition }[]> {
  const groups = await store.read((tx) => tx.groupsOf(client, after, GROUPS_PER_PAGE));
  return groups.map(({ groupId, incarnation, lastSeq }) => ({ groupId, position: { incarnation, seq: lastSeq } }));
}

export async function readGroupInfo(
  { store }: Context,
  client: ClientId,
  { groupId }: { readonly groupId: Uint8Array },
): Promise<StoredGroupInfo> {
  return store.read(async (tx) => {
    const { group, readsNow } = await findGroup(tx, groupId, client);
    if (!readsNow && !(await tx.userReads(groupId, client.user))) throw forbidden();
    const stored = await tx.groupInfo(groupId);
    if (stored === undefined) throw deliveryError("ERR_DS_INTERNAL", "The group has no GroupInfo");
    const { groupInfo, epoch, seq } = stored;
    return { groupInfo, epoch, position: { incarnation: group.incarnation, seq } };
  });
}
