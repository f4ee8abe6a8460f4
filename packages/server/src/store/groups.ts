/** Groups: their epoch, their ordered log and who may read it. The content of messages is never looked at. */
import type { CommitSubmission, LogEntry } from "@coppice/delivery";
import { deliveryError } from "@coppice/delivery/wire";
import type { Database, Row } from "../database/database.ts";
import type { ServerLimits } from "../limits.ts";
import { asUserId, type Accounts, type UserId } from "./accounts.ts";
import { sha256 } from "./hash.ts";
import type { Inbox } from "./inbox.ts";
import { pageEnd } from "./page.ts";

/** What was appended, and who is to be told. Nobody is when the bytes had been accepted before. */
export interface Appended {
  readonly seq: number;
  readonly readers: readonly UserId[];
  readonly invited: readonly UserId[];
}

interface Group {
  readonly id: number;
  readonly epoch: number;
  readonly lastSeq: number;
}

interface NewEntry {
  readonly kind: LogEntry["kind"];
  readonly epoch: number;
  readonly hash: Uint8Array;
  readonly content: Uint8Array;
}

/** Groups whose readers are kept in memory. */
const MAX_KNOWN_READERS = 1000;

const notAMember = (): Error => deliveryError("ERR_DS_FORBIDDEN", "not a member of this group");

export class Groups {
  readonly #database: Database;
  readonly #accounts: Accounts;
  readonly #inbox: Inbox;
  readonly #limits: ServerLimits;
  readonly #clock: () => number;
  readonly #knownReaders = new Map<number, readonly UserId[]>();

  constructor(parts: {
    readonly database: Database;
    readonly accounts: Accounts;
    readonly inbox: Inbox;
    readonly limits: ServerLimits;
    readonly clock: () => number;
  }) {
    this.#database = parts.database;
    this.#accounts = parts.accounts;
    this.#inbox = parts.inbox;
    this.#limits = parts.limits;
    this.#clock = parts.clock;
  }

  create(user: UserId, groupId: Uint8Array): void {
    this.#database.transaction(() => {
      const known = this.#database.get("SELECT creator FROM groups WHERE group_id = ?", groupId);
      if (known?.integer("creator") === user) return;
      if (known !== undefined) throw deliveryError("ERR_DS_GROUP_EXISTS", "the group id is in use");
      const counted = this.#database.run(
        "UPDATE users SET groups_created = groups_created + 1 WHERE id = ? AND groups_created < ?",
        user,
        this.#limits.groupsPerUser,
      );
      if (counted === 0) throw deliveryError("ERR_DS_QUOTA", "too many groups");
      const sql = "INSERT INTO groups (group_id, creator) VALUES (?, ?) RETURNING id";
      this.#admit(this.#database.first(sql, groupId, user).integer("id"), user, 0);
    });
  }

  /** The compare-and-swap on the epoch, the change of readers and the Welcomes: one transaction. */
  commit(user: UserId, { groupId, epoch, commit, added, removed }: CommitSubmission): Appended {
    if (new Set(added.map((addition) => addition.user)).size !== added.length) {
      throw deliveryError("ERR_DS_BAD_REQUEST", "a user is added twice");
    }
    const hash = sha256(commit);
    return this.#database.transaction(() => {
      const group = this.#find(groupId);
      const repeated = this.#repeated(group, user, "commit", hash);
      if (repeated !== undefined) return repeated;
      this.#requireMember(group, user);
      if (epoch !== BigInt(group.epoch))
        throw deliveryError("ERR_DS_EPOCH_CONFLICT", "another commit ended this epoch");

      const readers = this.#readers(group);
      this.#knownReaders.delete(group.id);
      const seq = this.#append(group, { kind: "commit", epoch: group.epoch, hash, content: commit });
      this.#database.run("UPDATE groups SET epoch = epoch + 1 WHERE id = ?", group.id);
      for (const name of removed) this.#dismiss(group.id, name, seq);
      const invitations = added.map(({ user: name, welcome }) => ({
        name,
        user: this.#accounts.require(name),
        welcome,
      }));
      for (const invitation of invitations) {
        if (!this.#isMember(group, invitation.user)) this.#admit(group.id, invitation.user, seq);
      }
      this.#inbox.deliver({ sender: user, group: group.id, cursor: seq, invitations });
      return { seq, readers, invited: invitations.map((invitation) => invitation.user) };
    });
  }

  send(user: UserId, groupId: Uint8Array, epoch: bigint, message: Uint8Array): Appended {
    const hash = sha256(message);
    return this.#database.transaction(() => {
      const group = this.#find(groupId);
      const repeated = this.#repeated(group, user, "message", hash);
      if (repeated !== undefined) return repeated;
      this.#requireMember(group, user);
      if (epoch > BigInt(group.epoch)) {
        throw deliveryError("ERR_DS_BAD_REQUEST", "the group has not reached this epoch");
      }
      const seq = this.#append(group, { kind: "message", epoch: Number(epoch), hash, content: message });
      return { seq, readers: this.#readers(group), invited: [] };
    });
  }

  /** A page without gaps, of at most `limit` entries and about `pageBytes` bytes. */
  readLog(user: UserId, groupId: Uint8Array, after: number, limit: number): readonly LogEntry[] {
    const group = this.#find(groupId);
    const admissions = this.#database.all(
      "SELECT from_seq, until_seq FROM admissions WHERE group_ref = ? AND user = ? ORDER BY from_seq",
      group.id,
      user,
    );
    if (admissions.length === 0) throw notAMember();
    for (const admission of admissions) {
      const start = Math.max(after, admission.integer("from_seq"));
      const end = Math.min(admission.optionalInteger("until_seq") ?? group.lastSeq, start + limit);
      const page = this.#readPage(group, start, end);
      if (page.length > 0) return page;
      // Retention may have deleted what this admission allowed from `start` on, but not what comes later.
      const next = this.#firstAfter(group, end, admission.optionalInteger("until_seq") ?? group.lastSeq);
      if (next !== undefined) return this.#readPage(group, next - 1, next - 1 + limit);
    }
    return [];
  }

  #firstAfter(group: Group, after: number, until: number): number | undefined {
    return this.#database
      .first("SELECT min(seq) AS seq FROM log WHERE group_ref = ? AND seq > ? AND seq <= ?", group.id, after, until)
      .optionalInteger("seq");
  }

  #readPage(group: Group, after: number, until: number): readonly LogEntry[] {
    if (until <= after) return [];
    const sizes = this.#database.all(
      "SELECT seq, length(content) AS bytes FROM log WHERE group_ref = ? AND seq > ? AND seq <= ? ORDER BY seq",
      group.id,
      after,
      until,
    );
    const end = pageEnd(sizes, "seq", this.#limits.pageBytes);
    return this.#database
      .all(
        "SELECT seq, kind, epoch, content, received_at FROM log WHERE group_ref = ? AND seq > ? AND seq <= ? ORDER BY seq",
        group.id,
        after,
        end,
      )
      .map(toLogEntry);
  }

  #find(groupId: Uint8Array): Group {
    const row = this.#database.get("SELECT id, epoch, last_seq FROM groups WHERE group_id = ?", groupId);
    if (row === undefined) throw deliveryError("ERR_DS_UNKNOWN_GROUP", "no such group");
    return { id: row.integer("id"), epoch: row.integer("epoch"), lastSeq: row.integer("last_seq") };
  }

  /**
   * Where these bytes already stand, for those who may read them there and for all members: who has the bytes learns
   * nothing new.
   */
  #repeated(group: Group, user: UserId, kind: LogEntry["kind"], hash: Uint8Array): Appended | undefined {
    const row = this.#database.get(
      `SELECT seq FROM log JOIN admissions USING (group_ref)
       WHERE group_ref = ? AND kind = ? AND hash = ? AND user = ?
         AND (until_seq IS NULL OR (from_seq < seq AND seq <= until_seq))`,
      group.id,
      kind,
      hash,
      user,
    );
    return row === undefined ? undefined : { seq: row.integer("seq"), readers: [], invited: [] };
  }

  #append(group: Group, { kind, epoch, hash, content }: NewEntry): number {
    const seq = group.lastSeq + 1;
    this.#database.run("UPDATE groups SET last_seq = ? WHERE id = ?", seq, group.id);
    this.#database.run(
      "INSERT INTO log (group_ref, seq, kind, epoch, hash, content, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      group.id,
      seq,
      kind,
      epoch,
      hash,
      content,
      this.#clock(),
    );
    return seq;
  }

  /** Everyone who reads today. Remembered between commits: a message to a big group would spend most of its time here. */
  #readers(group: Group): readonly UserId[] {
    let readers = this.#knownReaders.get(group.id);
    if (readers === undefined) {
      const sql = "SELECT user FROM admissions WHERE group_ref = ? AND until_seq IS NULL";
      readers = this.#database.all(sql, group.id).map((row) => asUserId(row.integer("user")));
      const [oldest] = this.#knownReaders.keys();
      if (oldest !== undefined && this.#knownReaders.size >= MAX_KNOWN_READERS) this.#knownReaders.delete(oldest);
      this.#knownReaders.set(group.id, readers);
    }
    return readers;
  }

  #isMember(group: Group, user: UserId): boolean {
    const sql = "SELECT 1 FROM admissions WHERE group_ref = ? AND user = ? AND until_seq IS NULL";
    return this.#database.get(sql, group.id, user) !== undefined;
  }

  #requireMember(group: Group, user: UserId): void {
    if (!this.#isMember(group, user)) throw notAMember();
  }

  #admit(group: number, user: UserId, after: number): void {
    this.#database.run("INSERT INTO admissions (group_ref, user, from_seq) VALUES (?, ?, ?)", group, user, after);
  }

  #dismiss(group: number, name: string, seq: number): void {
    this.#database.run(
      `UPDATE admissions SET until_seq = ?
       WHERE group_ref = ? AND until_seq IS NULL AND user = (SELECT id FROM users WHERE name = ?)`,
      seq,
      group,
      name,
    );
  }
}

const toLogEntry = (row: Row): LogEntry => ({
  seq: row.integer("seq"),
  kind: row.text("kind") === "commit" ? "commit" : "message",
  epoch: BigInt(row.integer("epoch")),
  message: row.bytes("content"),
  receivedAt: row.integer("received_at"),
});
