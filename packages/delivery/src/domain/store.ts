/**
 * What the rules of delivery need of a database. A store keeps records and knows no rules: it checks nothing that the domain
 * checks, and never looks into a message. Prove a store by `domainStoreConformance`.
 *
 * Byte strings that are handed in or out are not changed afterwards by either side.
 */
import type { Bytes } from "@coppice/core";
import type { ClientId, InboxEntry, LogEntry } from "../contract.ts";

/** A database of a Delivery Service. */
export interface DomainStore {
  /**
   * Runs `body` so that its reads and writes take effect at one instant, all or none (serializable), durable once this
   * resolves. Rejects with what `body` threw, and nothing is changed then. `body` may run several times (after a lost
   * compare-and-swap, or a serialization failure): it has no other effects, and waits for nothing but the transaction.
   *
   * Transactions that touch the same group resolve in the order in which they took effect.
   */
  transaction<T>(body: (tx: DomainTransaction) => Promise<T>): Promise<T>;
  /** Runs `body` on one consistent picture, which contains every transaction that has resolved. */
  read<T>(body: (tx: DomainReads) => Promise<T>): Promise<T>;
}

/** A user of the directory. */
export interface UserRecord {
  readonly name: string;
  /** What is left of the name when characters that look alike are made one: no two users have the same. */
  readonly skeleton: string;
  /** Entries of the device log. */
  readonly logLength: number;
  /** What the device log says now, in the domain's encoding: opaque to stores. */
  readonly logState: Bytes;
  readonly groupsCreated: number;
}

/** A group. */
export interface GroupRecord {
  readonly groupId: Bytes;
  readonly incarnation: string;
  readonly creator: ClientId;
  readonly epoch: bigint;
  /** The newest entry of the log; 0 before the first. */
  readonly lastSeq: number;
  /** `receivedAt` of the newest entry. */
  readonly lastReceivedAt: number;
  /** The newest entry that changed who reads. */
  readonly readersSeq: number;
  /** `receivedAt` of the Commits that ended the last epochs, newest first, at most `EPOCH_WINDOW.epochs`. */
  readonly endedAt: readonly number[];
}

/** Entries with `from < seq <= until` are for the reader; one without `until` is for who reads today. */
export interface Admission {
  readonly from: number;
  readonly until: number | undefined;
}

/** A GroupInfo and the entry that brought it (0: the group's creation). */
export interface GroupInfoRecord {
  readonly groupInfo: Bytes;
  readonly epoch: bigint;
  readonly seq: number;
}

/** What is kept for a group and for who created it, bytes. */
export interface StoredBytes {
  /** The entries of the group's log, each with `ENTRY_OVERHEAD_BYTES`, and its GroupInfo. */
  readonly group: number;
  /** The same of all groups that a device of the creator's user created. */
  readonly creator: number;
  /** What the operator allows the creator's user, if it is not the limit for all. */
  readonly allowance: number | undefined;
}

/** Counted for each entry besides its message: what a database keeps with it. */
export const ENTRY_OVERHEAD_BYTES = 256;

/** Which entries to read. */
export interface EntryRange {
  readonly after: number;
  /** Included. */
  readonly until: number;
  readonly limit: number;
  /** Most bytes of messages; one entry is returned in any case. */
  readonly maxBytes: number;
}

/** An entry to be written. */
export interface NewEntry extends LogEntry {
  /** SHA-256 of the message. */
  readonly hash: Bytes;
}

/** A single-use key package. */
export interface NewKeyPackage {
  /** SHA-256 of the content. */
  readonly hash: Bytes;
  readonly content: Bytes;
}

/** One Welcome for all who are let in by it. */
export interface NewWelcome {
  readonly groupId: Bytes;
  /** The Commit. */
  readonly seq: number;
  /** Name of the user who sends it. */
  readonly sender: string;
  readonly welcome: Bytes;
  readonly clients: readonly ClientId[];
}

/** What is due: everything written at or before these moments of the service's age (milliseconds); -1 for nothing. */
export interface Due {
  /** Entries of logs, and Welcomes. */
  readonly messages: number;
  /** Hashes of entries. */
  readonly hashes: number;
  /** Key packages that wait, and hashes of those that were handed out. */
  readonly keyPackages: number;
}

export interface DomainReads {
  /** Those of these users who exist, by name. */
  users(names: readonly string[]): Promise<ReadonlyMap<string, UserRecord>>;
  /** The name of the user with this skeleton. */
  lookAlike(skeleton: string): Promise<string | undefined>;
  /** Encoded entries of a device log from position `from` on. */
  deviceLog(user: string, from: number, limit: number): Promise<readonly Bytes[]>;

  /** Single-use key packages that wait. */
  countKeyPackages(client: ClientId): Promise<number>;
  lastResort(client: ClientId): Promise<Bytes | undefined>;

  group(groupId: Uint8Array): Promise<GroupRecord | undefined>;
  groupInfo(groupId: Uint8Array): Promise<GroupInfoRecord | undefined>;
  /** All admissions of this client, by ascending `from`. */
  admissions(groupId: Uint8Array, client: ClientId): Promise<readonly Admission[]>;
  /** Who reads today. */
  readers(groupId: Uint8Array): Promise<readonly ClientId[]>;
  /** Whether a device of this user reads today. */
  userReads(groupId: Uint8Array, user: string): Promise<boolean>;
  /** The groups that this client reads today, by ascending bytes of their ids, after `after`. */
  groupsOf(client: ClientId, after: Uint8Array | undefined, limit: number): Promise<readonly GroupRecord[]>;
  /** Clients, at most `limit` and in any order, who read a group today that a device of this user reads too. */
  contacts(user: string, limit: number): Promise<readonly ClientId[]>;
  /**
   * Entries that are still kept, ascending, without gaps: the first may be later than `after + 1` (retention), the page
   * ends before the next gap.
   */
  entries(groupId: Uint8Array, range: EntryRange): Promise<readonly LogEntry[]>;
  /** Where entries of this kind with these hashes stand, in the order of `hashes`; also of entries that were deleted. */
  findEntries(
    groupId: Uint8Array,
    kind: LogEntry["kind"],
    hashes: readonly Bytes[],
  ): Promise<readonly (number | undefined)[]>;

  /** Welcomes that wait, oldest first, as of now: with the group's present incarnation. Bounded like `EntryRange`. */
  inbox(client: ClientId, limit: number, maxBytes: number): Promise<readonly InboxEntry[]>;
  /** How many Welcomes wait for each of these clients, in all and from this user. */
  countInboxes(
    clients: readonly ClientId[],
    sender: string,
  ): Promise<readonly { readonly total: number; readonly fromSender: number }[]>;

  /** For a group that exists, with the changes of this transaction. */
  storedBytes(groupId: Uint8Array): Promise<StoredBytes>;
  /** Bytes of all that is kept, as closely as the store knows. */
  totalBytes(): Promise<number>;

  /** How long the service has been running in all its lives, milliseconds, as last written; 0 at first. */
  age(): Promise<number>;
}

/** `age` says, in all of these, when the record was written, by the service's age. */
export interface DomainTransaction extends DomainReads {
  /** Adds or replaces. */
  putUser(record: UserRecord): Promise<void>;
  appendDeviceLog(user: string, position: number, entry: Bytes): Promise<void>;

  /** Adds single-use key packages, except those whose hash this client has published before. */
  addKeyPackages(client: ClientId, keyPackages: readonly NewKeyPackage[], age: number): Promise<void>;
  /** Deletes single-use key packages that wait, except those with these hashes. The hashes of the deleted stay known. */
  keepKeyPackages(client: ClientId, hashes: readonly Bytes[]): Promise<void>;
  /** Takes the oldest single-use key package that waits: nobody gets it again. Its hash stays known. */
  takeKeyPackage(client: ClientId, age: number): Promise<Bytes | undefined>;
  putLastResort(client: ClientId, content: Bytes): Promise<void>;
  /** Deletes all key packages of a client, their hashes and its last resort. */
  forgetKeyPackages(client: ClientId): Promise<void>;

  /** Adds or replaces. */
  putGroup(record: GroupRecord): Promise<void>;
  /** Replaces the group's one. */
  putGroupInfo(groupId: Uint8Array, record: GroupInfoRecord): Promise<void>;
  /** Appends entries, whose `seq` follow the log's newest, and remembers their hashes. */
  append(groupId: Uint8Array, entries: readonly NewEntry[], age: number): Promise<void>;
  /** Opens an admission for each; none of them reads today. */
  admit(groupId: Uint8Array, clients: readonly ClientId[], from: number): Promise<void>;
  /** Ends the admission of those who read today; the others are passed over. */
  dismiss(groupId: Uint8Array, clients: readonly ClientId[], until: number): Promise<void>;

  /** Puts a Welcome into each client's inbox. Ids of one inbox grow and are never used again. */
  deliver(welcome: NewWelcome, age: number): Promise<void>;
  /** Deletes Welcomes of this client up to `id`. */
  acknowledge(client: ClientId, id: number): Promise<void>;

  putAge(age: number): Promise<void>;
  /** Deletes at most `limit` records that are due, oldest first within each kind; returns how many. */
  deleteDue(due: Due, limit: number): Promise<number>;
  /**
   * After a restore from a backup: gives every group another incarnation, deletes the single-use key packages that wait
   * (they may have been handed out since the backup), and raises the ids that inboxes give next by 2^32 (they may have
   * been given).
   */
  renew(): Promise<void>;
}
