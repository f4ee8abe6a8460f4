/** Reading from the in-memory store. */

import { type Bytes, toHex } from "@coppice/core";
import type { ClientId, InboxEntry, LogEntry } from "../contract.ts";
import { bytesKey, clientKey } from "../domain/client-key.ts";
import type {
  Admission,
  DomainReads,
  EntryRange,
  GroupInfoRecord,
  GroupRecord,
  StoredBytes,
  UserRecord,
} from "../domain/store.ts";
import type { GroupState, MemoryState } from "./state.ts";

/** Where a posted entry is looked up. */
export const postedKey = (kind: LogEntry["kind"], hash: Uint8Array): string => kind + bytesKey(hash);

const readsToday = ({ admissions }: GroupState, client: string): boolean =>
  admissions.get(client)?.list.some(({ until }) => until === undefined) ?? false;

const readersOf = (group: GroupState): readonly ClientId[] =>
  [...group.admissions].flatMap(([key, { client }]) => (readsToday(group, key) ? [client] : []));

export class MemoryReads implements DomainReads {
  protected readonly state: MemoryState;

  constructor(state: MemoryState) {
    this.state = state;
  }

  users(names: readonly string[]): Promise<ReadonlyMap<string, UserRecord>> {
    const found = new Map<string, UserRecord>();
    for (const name of names) {
      const user = this.state.users.get(name);
      if (user !== undefined) found.set(name, user);
    }
    return Promise.resolve(found);
  }

  lookAlike(skeleton: string): Promise<string | undefined> {
    return Promise.resolve(this.state.skeletons.get(skeleton));
  }

  deviceLog(user: string, from: number, limit: number): Promise<readonly Bytes[]> {
    return Promise.resolve((this.state.deviceLogs.get(user) ?? []).slice(from, from + limit));
  }

  countKeyPackages(client: ClientId): Promise<number> {
    return Promise.resolve(this.state.client(client).waiting.size);
  }

  lastResort(client: ClientId): Promise<Bytes | undefined> {
    return Promise.resolve(this.state.client(client).lastResort);
  }

  group(groupId: Uint8Array): Promise<GroupRecord | undefined> {
    return Promise.resolve(this.state.groups.get(bytesKey(groupId))?.record);
  }

  groupInfo(groupId: Uint8Array): Promise<GroupInfoRecord | undefined> {
    return Promise.resolve(this.state.groups.get(bytesKey(groupId))?.info);
  }

  admissions(groupId: Uint8Array, client: ClientId): Promise<readonly Admission[]> {
    return Promise.resolve(this.state.groups.get(bytesKey(groupId))?.admissions.get(clientKey(client))?.list ?? []);
  }

  readers(groupId: Uint8Array): Promise<readonly ClientId[]> {
    return Promise.resolve(readersOf(this.state.group(groupId)));
  }

  userReads(groupId: Uint8Array, user: string): Promise<boolean> {
    return Promise.resolve(readersOf(this.state.group(groupId)).some((client) => client.user === user));
  }

  groupsOf(client: ClientId, after: Uint8Array | undefined, limit: number): Promise<readonly GroupRecord[]> {
    // As hex, longer ids sort after their prefixes: the order of the bytes.
    const start = after === undefined ? "" : toHex(after);
    const found = [...this.state.groups.values()].flatMap((group) => {
      const id = toHex(group.record.groupId);
      return id > start && readsToday(group, clientKey(client)) ? [{ id, record: group.record }] : [];
    });
    found.sort((a, b) => (a.id < b.id ? -1 : 1));
    return Promise.resolve(found.slice(0, limit).map(({ record }) => record));
  }

  contacts(user: string, limit: number): Promise<readonly ClientId[]> {
    const found = new Map<string, ClientId>();
    for (const group of this.state.groups.values()) {
      const readers = readersOf(group);
      if (!readers.some((reader) => reader.user === user)) continue;
      for (const reader of readers) if (found.size < limit) found.set(clientKey(reader), reader);
    }
    return Promise.resolve([...found.values()]);
  }

  entries(groupId: Uint8Array, { after, until, limit, maxBytes }: EntryRange): Promise<readonly LogEntry[]> {
    const { entries, firstKept } = this.state.group(groupId);
    const page: LogEntry[] = [];
    let total = 0;
    for (let seq = Math.max(after + 1, firstKept); seq <= until && page.length < limit; seq++) {
      const entry = entries.get(seq)?.value;
      if (entry === undefined) break;
      total += entry.message.length;
      if (page.length > 0 && total > maxBytes) break;
      page.push(entry);
    }
    return Promise.resolve(page);
  }

  findEntries(
    groupId: Uint8Array,
    kind: LogEntry["kind"],
    hashes: readonly Bytes[],
  ): Promise<readonly (number | undefined)[]> {
    const { posted } = this.state.group(groupId);
    return Promise.resolve(hashes.map((hash) => posted.get(postedKey(kind, hash))?.value));
  }

  inbox(client: ClientId, limit: number, maxBytes: number): Promise<readonly InboxEntry[]> {
    const waiting = [...this.state.client(client).inbox.values()].sort((a, b) => a.value.id - b.value.id);
    const page: InboxEntry[] = [];
    let total = 0;
    for (const { value } of waiting.slice(0, limit)) {
      const { id, groupId, welcome, seq } = value;
      total += welcome.length;
      if (page.length > 0 && total > maxBytes) break;
      const { incarnation } = this.state.group(groupId).record;
      page.push({ id, groupId, welcome, position: { incarnation, seq } });
    }
    return Promise.resolve(page);
  }

  countInboxes(
    clients: readonly ClientId[],
    sender: string,
  ): Promise<readonly { readonly total: number; readonly fromSender: number }[]> {
    const counts = clients.map((client) => {
      const { inbox } = this.state.client(client);
      const fromSender = [...inbox.values()].filter(({ value }) => value.sender === sender).length;
      return { total: inbox.size, fromSender };
    });
    return Promise.resolve(counts);
  }

  storedBytes(groupId: Uint8Array): Promise<StoredBytes> {
    const { bytes, record } = this.state.group(groupId);
    const creator = this.state.bytesByUser.get(record.creator.user) ?? 0;
    return Promise.resolve({ group: bytes, creator, allowance: undefined });
  }

  totalBytes(): Promise<number> {
    return Promise.resolve(this.state.bytes);
  }

  age(): Promise<number> {
    return Promise.resolve(this.state.age);
  }
}
