/** Finding a group, as far as a client may know of it. */
import type { ClientId, LogPosition } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import type { Admission, DomainReads, GroupRecord } from "./store.ts";

/** A group and what a client may read of it. */
export interface Access {
  readonly group: GroupRecord;
  readonly admissions: readonly Admission[];
  /** Whether the client reads today. */
  readonly readsNow: boolean;
}

export const forbidden = (): Error => deliveryError("ERR_DS_FORBIDDEN", "This client is not a member of the group");

/** `ERR_DS_FORBIDDEN` for a group that does not exist, as for a stranger: nobody learns by asking which ids are in use. */
export async function findGroup(tx: DomainReads, groupId: Uint8Array, client: ClientId): Promise<Access> {
  const group = await tx.group(groupId);
  if (group === undefined) throw forbidden();
  const admissions = await tx.admissions(groupId, client);
  return { group, admissions, readsNow: admissions.some(({ until }) => until === undefined) };
}

/** `ERR_DS_FORBIDDEN` for those who never were members. */
export function requireAdmitted({ admissions }: Access): void {
  if (admissions.length === 0) throw forbidden();
}

/** `ERR_DS_LOG_CHANGED` unless the log is the one that the client saw last: only members are told. */
export function requireSameLog({ incarnation, lastSeq }: GroupRecord, position: LogPosition): void {
  if (position.incarnation !== incarnation) {
    throw deliveryError("ERR_DS_LOG_CHANGED", "The log was restored or made anew: read it from its beginning");
  }
  if (position.seq > lastSeq) throw rolledBack();
}

/** The error for a client that has seen more than there is. */
export const rolledBack = (): Error =>
  deliveryError("ERR_DS_LOG_CHANGED", "The log has not come as far as this client: it was rolled back");

/** Whether the entry may be read by this client. */
export const mayRead = (admissions: readonly Admission[], seq: number): boolean =>
  admissions.some(({ from, until }) => from < seq && (until === undefined || seq <= until));

/**
 * Where bytes that were posted before stand, for those who may read them there and for all members, also members of later:
 * a stranger learns nothing by guessing.
 */
export async function findPosted(
  tx: DomainReads,
  { group, admissions, readsNow }: Access,
  kind: "commit" | "message",
  hashes: readonly Uint8Array<ArrayBuffer>[],
): Promise<readonly (number | undefined)[]> {
  const found = await tx.findEntries(group.groupId, kind, hashes);
  return found.map((seq) => (seq !== undefined && (readsNow || mayRead(admissions, seq)) ? seq : undefined));
}
