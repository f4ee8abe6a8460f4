/** Logs, readers and Welcomes of the in-memory Delivery Service. */
import type { CommitSubmission, InboxEntry, LogEntry } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import type { Bytes } from "../wire/codec.ts";
import type { Directory } from "./directory.ts";
import { toKey } from "./key.ts";

/** Entries with `from < seq <= until` are for the reader. */
interface Admission {
  readonly from: number;
  until: number;
}

interface Group {
  readonly id: Bytes;
  readonly creator: string;
  readonly readers: Map<string, Admission[]>;
  readonly log: LogEntry[];
  /** From kind and content to `seq`. */
  readonly known: Map<string, number>;
  epoch: bigint;
}

/** Who is to be told about a new entry. */
export interface Announcement {
  readonly groupId: Bytes;
  readonly seq: number;
  readonly readers: readonly string[];
  readonly invited: readonly string[];
}

export class Groups {
  readonly #directory: Directory;
  readonly #announce: (announcement: Announcement) => void;
  readonly #groups = new Map<string, Group>();
  readonly #inboxes = new Map<string, { readonly entries: InboxEntry[]; lastId: number }>();

  constructor(directory: Directory, announce: (announcement: Announcement) => void) {
    this.#directory = directory;
    this.#announce = announce;
  }

  create(user: string, id: Bytes): void {
    const known = this.#groups.get(toKey(id));
    if (known?.creator === user) return;
    if (known !== undefined) throw deliveryError("ERR_DS_GROUP_EXISTS", "the group id is in use");
    const readers = new Map([[user, [{ from: 0, until: Infinity }]]]);
    this.#groups.set(toKey(id), { id, creator: user, readers, log: [], known: new Map(), epoch: 0n });
  }

  commit(user: string, { groupId, epoch, commit, added, removed }: CommitSubmission): number {
    const group = this.#find(groupId);
    const repeated = this.#repeated(group, user, "commit", commit);
    if (repeated !== undefined) return repeated;
    this.#requireMember(group, user);
    if (epoch !== group.epoch) throw deliveryError("ERR_DS_EPOCH_CONFLICT", "another commit ended this epoch");
    if (new Set(added.map((addition) => addition.user)).size !== added.length) {
      throw deliveryError("ERR_DS_BAD_REQUEST", "a user is added twice");
    }
    for (const addition of added) this.#directory.find(addition.user);

    const readers = this.#currentReaders(group);
    const seq = this.#append(group, { kind: "commit", epoch, message: new Uint8Array(commit) });
    group.epoch += 1n;
    for (const name of removed) {
      const admission = currentAdmission(group, name);
      if (admission !== undefined) admission.until = seq;
    }
    for (const { user: name, welcome } of added) {
      if (currentAdmission(group, name) === undefined) {
        group.readers.set(name, [...(group.readers.get(name) ?? []), { from: seq, until: Infinity }]);
      }
      const inbox = this.#inbox(name);
      inbox.lastId += 1;
      inbox.entries.push({ id: inbox.lastId, groupId: group.id, welcome: new Uint8Array(welcome), cursor: seq });
    }
    this.#announce({ groupId: group.id, seq, readers, invited: added.map((addition) => addition.user) });
    return seq;
  }

  send(user: string, groupId: Uint8Array, epoch: bigint, message: Uint8Array): number {
    const group = this.#find(groupId);
    const repeated = this.#repeated(group, user, "message", message);
    if (repeated !== undefined) return repeated;
    this.#requireMember(group, user);
    if (epoch > group.epoch) throw deliveryError("ERR_DS_BAD_REQUEST", "the group has not reached this epoch");
    const seq = this.#append(group, { kind: "message", epoch, message: new Uint8Array(message) });
    this.#announce({ groupId: group.id, seq, readers: this.#currentReaders(group), invited: [] });
    return seq;
  }

  readLog(user: string, groupId: Uint8Array, after: number, limit: number): readonly LogEntry[] {
    const group = this.#find(groupId);
    const admissions = group.readers.get(user);
    if (admissions === undefined) throw notAMember();
    for (const { from, until } of admissions) {
      if (until <= after) continue;
      const start = Math.max(from, after);
      const page = group.log.slice(start, Math.min(until, start + limit));
      if (page.length > 0) return page;
    }
    return [];
  }

  readInbox(user: string, limit: number): readonly InboxEntry[] {
    return this.#inbox(user).entries.slice(0, limit);
  }

  acknowledge(user: string, id: number): void {
    const { entries } = this.#inbox(user);
    while (entries[0] !== undefined && entries[0].id <= id) entries.shift();
  }

  #find(groupId: Uint8Array): Group {
    const group = this.#groups.get(toKey(groupId));
    if (group === undefined) throw deliveryError("ERR_DS_UNKNOWN_GROUP", "no such group");
    return group;
  }

  #inbox(user: string): { readonly entries: InboxEntry[]; lastId: number } {
    let inbox = this.#inboxes.get(user);
    if (inbox === undefined) this.#inboxes.set(user, (inbox = { entries: [], lastId: 0 }));
    return inbox;
  }

  #requireMember(group: Group, user: string): void {
    if (currentAdmission(group, user) === undefined) throw notAMember();
  }

  /** Where these bytes already stand, for those who may read them there and for all members. */
  #repeated(group: Group, user: string, kind: LogEntry["kind"], message: Uint8Array): number | undefined {
    const seq = group.known.get(kind + toKey(message));
    const mayKnow = (group.readers.get(user) ?? []).some(
      ({ from, until }) => until === Infinity || (seq !== undefined && from < seq && seq <= until),
    );
    return mayKnow ? seq : undefined;
  }

  #append(group: Group, entry: Pick<LogEntry, "kind" | "epoch" | "message">): number {
    const seq = group.log.length + 1;
    group.log.push({ ...entry, seq, receivedAt: Date.now() });
    group.known.set(entry.kind + toKey(entry.message), seq);
    return seq;
  }

  #currentReaders(group: Group): readonly string[] {
    return [...group.readers.keys()].filter((name) => currentAdmission(group, name) !== undefined);
  }
}

const currentAdmission = (group: Group, user: string): Admission | undefined =>
  group.readers.get(user)?.find(({ until }) => until === Infinity);

const notAMember = (): Error => deliveryError("ERR_DS_FORBIDDEN", "not a member of this group");
