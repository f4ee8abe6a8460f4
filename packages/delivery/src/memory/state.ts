/** What the in-memory store holds. Values are replaced, never changed in place, so that a copy shares them. */
import type { Bytes } from "@coppice/core";
import type { ClientId, LogEntry } from "../contract.ts";
import { bytesKey, clientKey } from "../domain/client-key.ts";
import type { Admission, GroupInfoRecord, GroupRecord, NewKeyPackage, UserRecord } from "../domain/store.ts";

/** A record with the service's age when it was written. */
export interface Aged<T> {
  readonly value: T;
  readonly age: number;
}

export interface StoredWelcome {
  readonly id: number;
  readonly groupId: Bytes;
  readonly seq: number;
  readonly sender: string;
  readonly welcome: Bytes;
}

export interface ClientState {
  readonly client: ClientId;
  /** Hashes of everything that was ever published. */
  readonly published: Map<string, number>;
  /** Key packages that wait, by a number that grows. */
  readonly waiting: Map<number, Aged<NewKeyPackage>>;
  lastKeyPackage: number;
  lastResort: Bytes | undefined;
  readonly inbox: Map<number, Aged<StoredWelcome>>;
  lastInboxId: number;
}

export interface GroupState {
  record: GroupRecord;
  info: GroupInfoRecord | undefined;
  readonly admissions: Map<string, { readonly client: ClientId; readonly list: readonly Admission[] }>;
  readonly entries: Map<number, Aged<LogEntry>>;
  /** Of entries and GroupInfo, see `StoredBytes`. */
  bytes: number;
  /** Entries before this one were deleted. */
  firstKept: number;
  /** Where posted bytes stand, by kind and hash. */
  readonly posted: Map<string, Aged<number>>;
}

export class MemoryState {
  readonly users: Map<string, UserRecord> = new Map();
  /** From skeletons to names. */
  readonly skeletons: Map<string, string> = new Map();
  readonly deviceLogs: Map<string, readonly Bytes[]> = new Map();
  readonly clients: Map<string, ClientState> = new Map();
  readonly groups: Map<string, GroupState> = new Map();
  /** Bytes of the groups that each user created. */
  readonly bytesByUser: Map<string, number> = new Map();
  bytes = 0;
  age = 0;

  client(client: ClientId): ClientState {
    let state = this.clients.get(clientKey(client));
    if (state === undefined) {
      state = {
        client,
        published: new Map(),
        waiting: new Map(),
        lastKeyPackage: 0,
        lastResort: undefined,
        inbox: new Map(),
        lastInboxId: 0,
      };
      this.clients.set(clientKey(client), state);
    }
    return state;
  }

  /** The group, which the caller has found before. */
  group(groupId: Uint8Array): GroupState {
    const group = this.groups.get(bytesKey(groupId));
    if (group === undefined) throw new Error("There is no such group: find it first");
    return group;
  }

  copy(): MemoryState {
    const copy = new MemoryState();
    for (const [name, user] of this.users) copy.users.set(name, user);
    for (const [skeleton, name] of this.skeletons) copy.skeletons.set(skeleton, name);
    for (const [name, log] of this.deviceLogs) copy.deviceLogs.set(name, log);
    for (const [key, state] of this.clients) {
      copy.clients.set(key, {
        ...state,
        published: new Map(state.published),
        waiting: new Map(state.waiting),
        inbox: new Map(state.inbox),
      });
    }
    for (const [key, state] of this.groups) {
      copy.groups.set(key, {
        ...state,
        admissions: new Map(state.admissions),
        entries: new Map(state.entries),
        posted: new Map(state.posted),
      });
    }
    for (const [user, bytes] of this.bytesByUser) copy.bytesByUser.set(user, bytes);
    copy.bytes = this.bytes;
    copy.age = this.age;
    return copy;
  }
}
