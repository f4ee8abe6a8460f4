/** What the cases for stores are written with. */

import { type Bytes, loadKernel, toHex } from "@coppice/core";
import { randomBytes } from "@coppice/kit";
import type { ClientId } from "../../contract.ts";
import type { DomainStore, DomainTransaction, GroupRecord, NewEntry } from "../../domain/store.ts";

/** Opens an empty store. */
export type OpenStore = () => Promise<DomainStore>;

/** One thing that must be so of every store. */
export interface StoreCase {
  readonly title: string;
  readonly run: (open: OpenStore) => Promise<void>;
}

/** Small byte strings that say what they are for. */
export const bytes = (...values: number[]): Bytes => new Uint8Array(values);

/** A client of `user`, the same for the same arguments. */
export const client = (user: string, device = 1): ClientId => ({ user, device: device.toString(16).padStart(32, "0") });

const kernel = await loadKernel();

export const sha256 = (content: Uint8Array): Bytes => kernel.sha256.digest(content);

export const newGroup = (groupId: Bytes, creator: ClientId): GroupRecord => ({
  groupId,
  incarnation: toHex(randomBytes(16)),
  creator,
  epoch: 0n,
  lastSeq: 0,
  lastReceivedAt: 0,
  readersSeq: 0,
  endedAt: [],
});

/** Adds a group whose only reader is its creator. */
export async function addGroup(store: DomainStore, groupId: Bytes, creator: ClientId): Promise<GroupRecord> {
  const group = newGroup(groupId, creator);
  await store.transaction(async (tx) => {
    await tx.putGroup(group);
    await tx.putGroupInfo(groupId, { groupInfo: bytes(0), epoch: 0n, seq: 0 });
    await tx.admit(groupId, [creator], 0);
  });
  return group;
}

/** An entry whose message has `length` bytes. */
export function newEntry(seq: number, length = 4, kind: "commit" | "message" = "message"): NewEntry {
  const message = new Uint8Array(length).fill(seq % 256);
  if (length >= 4) new DataView(message.buffer).setUint32(0, seq);
  return { seq, kind, epoch: 3n, message, receivedAt: 1000 + seq, hash: sha256(message) };
}

/** Appends entries `from` to `to` as the domain does. */
export async function append(
  tx: DomainTransaction,
  group: GroupRecord,
  entries: readonly NewEntry[],
  age = 0,
): Promise<void> {
  await tx.append(group.groupId, entries, age);
  await tx.putGroup({ ...group, lastSeq: entries[entries.length - 1]?.seq ?? 0 });
}

/** The entry as it is read. */
export const withoutHash = ({ hash: _, ...entry }: NewEntry): Omit<NewEntry, "hash"> => entry;
