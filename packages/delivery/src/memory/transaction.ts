/** Writing to the in-memory store, so that it can be taken back. */

import { type Bytes, randomBytes, toHex } from "@coppice/core";
import type { ClientId } from "../contract.ts";
import { bytesKey, clientKey } from "../domain/client-key.ts";
import {
  ENTRY_OVERHEAD_BYTES,
  type DomainTransaction,
  type Due,
  type GroupInfoRecord,
  type GroupRecord,
  type NewEntry,
  type NewKeyPackage,
  type NewWelcome,
  type UserRecord,
} from "../domain/store.ts";
import { MemoryReads, postedKey } from "./reads.ts";
import type { ClientState, GroupState, MemoryState } from "./state.ts";
import type { Undo } from "./undo.ts";

/** How far `renew` raises the ids of inboxes. */
const INBOX_LEAP = 2 ** 32;

export class MemoryTransaction extends MemoryReads implements DomainTransaction {
  readonly #undo: Undo;

  constructor(state: MemoryState, undo: Undo) {
    super(state);
    this.#undo = undo;
  }

  putUser(record: UserRecord): Promise<void> {
    this.#undo.set(this.state.users, record.name, record);
    this.#undo.set(this.state.skeletons, record.skeleton, record.name);
    return Promise.resolve();
  }

  appendDeviceLog(user: string, position: number, entry: Bytes): Promise<void> {
    const log = this.state.deviceLogs.get(user) ?? [];
    if (position !== log.length) throw new Error("The position is not the log's end");
    this.#undo.set(this.state.deviceLogs, user, [...log, entry]);
    return Promise.resolve();
  }

  addKeyPackages(client: ClientId, keyPackages: readonly NewKeyPackage[], age: number): Promise<void> {
    const state = this.state.client(client);
    for (const keyPackage of keyPackages) {
      const key = bytesKey(keyPackage.hash);
      if (state.published.has(key)) continue;
      this.#undo.set(state.published, key, age);
      this.#undo.assign(state, "lastKeyPackage", state.lastKeyPackage + 1);
      this.#undo.set(state.waiting, state.lastKeyPackage, { value: keyPackage, age });
    }
    return Promise.resolve();
  }

  keepKeyPackages(client: ClientId, hashes: readonly Bytes[]): Promise<void> {
    const { waiting } = this.state.client(client);
    const kept = new Set(hashes.map(bytesKey));
    for (const [id, { value }] of waiting) if (!kept.has(bytesKey(value.hash))) this.#undo.delete(waiting, id);
    return Promise.resolve();
  }

  takeKeyPackage(client: ClientId, age: number): Promise<Bytes | undefined> {
    const { waiting, published } = this.state.client(client);
    if (waiting.size === 0) return Promise.resolve(undefined);
    const oldest = Math.min(...waiting.keys());
    const keyPackage = waiting.get(oldest)?.value;
    this.#undo.delete(waiting, oldest);
    if (keyPackage !== undefined) this.#undo.set(published, bytesKey(keyPackage.hash), age);
    return Promise.resolve(keyPackage?.content);
  }

  putLastResort(client: ClientId, content: Bytes): Promise<void> {
    this.#undo.assign(this.state.client(client), "lastResort", content);
    return Promise.resolve();
  }

  forgetKeyPackages(client: ClientId): Promise<void> {
    const state = this.state.client(client);
    for (const id of [...state.waiting.keys()]) this.#undo.delete(state.waiting, id);
    for (const key of [...state.published.keys()]) this.#undo.delete(state.published, key);
    this.#undo.assign(state, "lastResort", undefined);
    return Promise.resolve();
  }

  putGroup(record: GroupRecord): Promise<void> {
    const key = bytesKey(record.groupId);
    const group = this.state.groups.get(key);
    if (group !== undefined) {
      this.#undo.assign(group, "record", record);
      return Promise.resolve();
    }
    this.#undo.set(this.state.groups, key, {
      record,
      info: undefined,
      admissions: new Map(),
      entries: new Map(),
      bytes: 0,
      firstKept: 1,
      posted: new Map(),
    });
    return Promise.resolve();
  }

  putGroupInfo(groupId: Uint8Array, record: GroupInfoRecord): Promise<void> {
    const group = this.state.group(groupId);
    this.#count(group, record.groupInfo.length - (group.info?.groupInfo.length ?? 0));
    this.#undo.assign(group, "info", record);
    return Promise.resolve();
  }

  append(groupId: Uint8Array, entries: readonly NewEntry[], age: number): Promise<void> {
    const group = this.state.group(groupId);
    for (const { hash, ...entry } of entries) {
      this.#undo.set(group.entries, entry.seq, { value: entry, age });
      this.#count(group, entry.message.length + ENTRY_OVERHEAD_BYTES);
      this.#undo.set(group.posted, postedKey(entry.kind, hash), { value: entry.seq, age });
    }
    return Promise.resolve();
  }

  admit(groupId: Uint8Array, clients: readonly ClientId[], from: number): Promise<void> {
    const { admissions } = this.state.group(groupId);
    for (const client of clients) {
      const list = admissions.get(clientKey(client))?.list ?? [];
      this.#undo.set(admissions, clientKey(client), { client, list: [...list, { from, until: undefined }] });
    }
    return Promise.resolve();
  }

  dismiss(groupId: Uint8Array, clients: readonly ClientId[], until: number): Promise<void> {
    const { admissions } = this.state.group(groupId);
    for (const client of clients) {
      const known = admissions.get(clientKey(client));
      if (known === undefined) continue;
      const list = known.list.map((admission) => (admission.until === undefined ? { ...admission, until } : admission));
      this.#undo.set(admissions, clientKey(client), { client: known.client, list });
    }
    return Promise.resolve();
  }

  deliver({ groupId, seq, sender, welcome, clients }: NewWelcome, age: number): Promise<void> {
    for (const client of clients) {
      const state = this.state.client(client);
      this.#undo.assign(state, "lastInboxId", state.lastInboxId + 1);
      const value = { id: state.lastInboxId, groupId, seq, sender, welcome };
      this.#undo.set(state.inbox, value.id, { value, age });
    }
    return Promise.resolve();
  }

  acknowledge(client: ClientId, id: number): Promise<void> {
    const { inbox } = this.state.client(client);
    for (const known of [...inbox.keys()]) if (known <= id) this.#undo.delete(inbox, known);
    return Promise.resolve();
  }

  putAge(age: number): Promise<void> {
    this.#undo.assign(this.state, "age", age);
    return Promise.resolve();
  }

  deleteDue(due: Due, limit: number): Promise<number> {
    const slice = { left: limit };
    for (const group of this.state.groups.values()) {
      this.#deleteEntries(group, due.messages, slice);
      this.#deleteAged(group.posted, due.hashes, slice);
    }
    for (const client of this.state.clients.values()) this.#deleteOfClient(client, due, slice);
    return Promise.resolve(limit - slice.left);
  }

  renew(): Promise<void> {
    for (const group of this.state.groups.values()) {
      this.#undo.assign(group, "record", { ...group.record, incarnation: toHex(randomBytes(16)) });
    }
    for (const client of this.state.clients.values()) {
      for (const id of [...client.waiting.keys()]) this.#undo.delete(client.waiting, id);
      this.#undo.assign(client, "lastInboxId", client.lastInboxId + INBOX_LEAP);
    }
    return Promise.resolve();
  }

  #count(group: GroupState, more: number): void {
    const { bytesByUser } = this.state;
    const { user } = group.record.creator;
    this.#undo.assign(group, "bytes", group.bytes + more);
    this.#undo.set(bytesByUser, user, (bytesByUser.get(user) ?? 0) + more);
    this.#undo.assign(this.state, "bytes", this.state.bytes + more);
  }

  #deleteEntries(group: GroupState, due: number, slice: { left: number }): void {
    const { entries } = group;
    for (let seq = group.firstKept; slice.left > 0; seq++) {
      const entry = entries.get(seq);
      if (entry === undefined || entry.age > due) return;
      this.#undo.delete(entries, seq);
      this.#count(group, -entry.value.message.length - ENTRY_OVERHEAD_BYTES);
      this.#undo.assign(group, "firstKept", seq + 1);
      slice.left -= 1;
    }
  }

  #deleteAged<K>(map: Map<K, { readonly age: number }>, due: number, slice: { left: number }): void {
    for (const [key, { age }] of [...map]) {
      if (slice.left === 0) return;
      if (age > due) continue;
      this.#undo.delete(map, key);
      slice.left -= 1;
    }
  }

  #deleteOfClient({ inbox, waiting, published }: ClientState, due: Due, slice: { left: number }): void {
    this.#deleteAged(inbox, due.messages, slice);
    this.#deleteAged(waiting, due.keyPackages, slice);
    for (const [key, age] of [...published]) {
      if (slice.left === 0) return;
      if (age > due.keyPackages) continue;
      this.#undo.delete(published, key);
      slice.left -= 1;
    }
  }
}
