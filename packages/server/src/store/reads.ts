/** Reading what the domain keeps from the SQL database. */
import type { Bytes } from "@coppice/core";
import type { ClientId, InboxEntry, LogEntry } from "@coppice/delivery";
import type {
  Admission,
  DomainReads,
  EntryRange,
  GroupInfoRecord,
  GroupRecord,
  StoredBytes,
  UserRecord,
} from "@coppice/delivery/domain";
import type { Database, Row } from "../database/database.ts";
import { findClient } from "./clients.ts";
import { pageEnd } from "./page.ts";

/** Rows that may be looked at for each contact that is found: two users can share many groups. */
const ROWS_PER_CONTACT = 4;

const GROUP_COLUMNS = `groups.id, group_id, incarnation, user, device, epoch, last_seq, last_received_at, readers_seq, ended_at`;

const toClient = (row: Row): ClientId => ({ user: row.text("user"), device: row.text("device") });

export class Reads implements DomainReads {
  protected readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  users(names: readonly string[]): Promise<ReadonlyMap<string, UserRecord>> {
    const found = new Map<string, UserRecord>();
    for (const name of names) {
      const row = this.database.get(
        "SELECT skeleton, log_length, log_state, groups_created FROM users WHERE name = ?",
        name,
      );
      if (row === undefined) continue;
      found.set(name, {
        name,
        skeleton: row.text("skeleton"),
        logLength: row.integer("log_length"),
        logState: row.bytes("log_state"),
        groupsCreated: row.integer("groups_created"),
      });
    }
    return Promise.resolve(found);
  }

  lookAlike(skeleton: string): Promise<string | undefined> {
    return Promise.resolve(this.database.get("SELECT name FROM users WHERE skeleton = ?", skeleton)?.text("name"));
  }

  deviceLog(user: string, from: number, limit: number): Promise<readonly Bytes[]> {
    const rows = this.database.all(
      `SELECT entry FROM device_logs WHERE user = (SELECT id FROM users WHERE name = ?) AND position >= ?
       ORDER BY position LIMIT ?`,
      user,
      from,
      limit,
    );
    return Promise.resolve(rows.map((row) => row.bytes("entry")));
  }

  countKeyPackages(client: ClientId): Promise<number> {
    const sql = "SELECT count(*) AS count FROM key_packages WHERE client = ? AND content IS NOT NULL";
    return Promise.resolve(this.database.first(sql, findClient(this.database, client)).integer("count"));
  }

  lastResort(client: ClientId): Promise<Bytes | undefined> {
    const sql = "SELECT content FROM last_resorts WHERE client = ?";
    return Promise.resolve(this.database.get(sql, findClient(this.database, client))?.bytes("content"));
  }

  group(groupId: Uint8Array): Promise<GroupRecord | undefined> {
    const sql = `SELECT ${GROUP_COLUMNS} FROM groups JOIN clients ON clients.id = creator WHERE group_id = ?`;
    const row = this.database.get(sql, groupId);
    return Promise.resolve(row === undefined ? undefined : toGroup(row));
  }

  groupInfo(groupId: Uint8Array): Promise<GroupInfoRecord | undefined> {
    const sql = "SELECT content, epoch, seq FROM group_infos WHERE group_ref = ?";
    const row = this.database.get(sql, this.groupRow(groupId));
    if (row === undefined) return Promise.resolve(undefined);
    const groupInfo = row.bytes("content");
    return Promise.resolve({ groupInfo, epoch: BigInt(row.integer("epoch")), seq: row.integer("seq") });
  }

  admissions(groupId: Uint8Array, client: ClientId): Promise<readonly Admission[]> {
    const rows = this.database.all(
      "SELECT from_seq, until_seq FROM admissions WHERE group_ref = ? AND client = ? ORDER BY from_seq",
      this.groupRow(groupId),
      findClient(this.database, client),
    );
    return Promise.resolve(
      rows.map((row) => ({ from: row.integer("from_seq"), until: row.optionalInteger("until_seq") })),
    );
  }

  readers(groupId: Uint8Array): Promise<readonly ClientId[]> {
    const rows = this.database.all(
      `SELECT user, device FROM admissions JOIN clients ON clients.id = client
       WHERE group_ref = ? AND until_seq IS NULL`,
      this.groupRow(groupId),
    );
    return Promise.resolve(rows.map(toClient));
  }

  userReads(groupId: Uint8Array, user: string): Promise<boolean> {
    const row = this.database.get(
      `SELECT 1 FROM clients JOIN admissions ON client = clients.id
       WHERE user = ? AND group_ref = ? AND until_seq IS NULL LIMIT 1`,
      user,
      this.groupRow(groupId),
    );
    return Promise.resolve(row !== undefined);
  }

  groupsOf(client: ClientId, after: Uint8Array | undefined, limit: number): Promise<readonly GroupRecord[]> {
    const rows = this.database.all(
      `SELECT ${GROUP_COLUMNS} FROM admissions JOIN groups ON groups.id = group_ref JOIN clients ON clients.id = creator
       WHERE client = ? AND until_seq IS NULL AND group_id > ? ORDER BY group_id LIMIT ?`,
      findClient(this.database, client),
      after ?? new Uint8Array(0),
      limit,
    );
    return Promise.resolve(rows.map(toGroup));
  }

  contacts(user: string, limit: number): Promise<readonly ClientId[]> {
    const rows = this.database.all(
      `SELECT user, device FROM clients WHERE id IN (
         SELECT client FROM admissions WHERE until_seq IS NULL AND group_ref IN (
           SELECT group_ref FROM clients JOIN admissions ON client = clients.id WHERE user = ? AND until_seq IS NULL)
         LIMIT ?)
       LIMIT ?`,
      user,
      limit * ROWS_PER_CONTACT,
      limit,
    );
    return Promise.resolve(rows.map(toClient));
  }

  entries(groupId: Uint8Array, { after, until, limit, maxBytes }: EntryRange): Promise<readonly LogEntry[]> {
    const group = this.groupRow(groupId);
    const sizes = this.database.all(
      `SELECT seq, length(content) AS bytes FROM log WHERE group_ref = ? AND seq > ? AND seq <= ?
       ORDER BY seq LIMIT ?`,
      group,
      after,
      until,
      limit,
    );
    const rows = this.database.all(
      `SELECT seq, kind, epoch, content, received_at FROM log WHERE group_ref = ? AND seq > ? AND seq <= ? ORDER BY seq`,
      group,
      after,
      pageEnd(sizes, "seq", maxBytes),
    );
    return Promise.resolve(rows.map(toLogEntry));
  }

  findEntries(
    groupId: Uint8Array,
    kind: LogEntry["kind"],
    hashes: readonly Bytes[],
  ): Promise<readonly (number | undefined)[]> {
    const group = this.groupRow(groupId);
    const sql = "SELECT seq FROM posted WHERE group_ref = ? AND kind = ? AND hash = ?";
    return Promise.resolve(hashes.map((hash) => this.database.get(sql, group, kind, hash)?.integer("seq")));
  }

  inbox(client: ClientId, limit: number, maxBytes: number): Promise<readonly InboxEntry[]> {
    const owner = findClient(this.database, client);
    const sizes = this.database.all(
      `SELECT inbox.id AS id, length(content) AS bytes FROM inbox JOIN welcomes ON welcomes.id = welcome
       WHERE client = ? ORDER BY inbox.id LIMIT ?`,
      owner,
      limit,
    );
    const rows = this.database.all(
      `SELECT inbox.id AS id, group_id, incarnation, content, seq FROM inbox
       JOIN groups ON groups.id = group_ref JOIN welcomes ON welcomes.id = welcome
       WHERE client = ? AND inbox.id <= ? ORDER BY inbox.id`,
      owner,
      pageEnd(sizes, "id", maxBytes, { gaps: true }),
    );
    return Promise.resolve(
      rows.map((row) => ({
        id: row.integer("id"),
        groupId: row.bytes("group_id"),
        welcome: row.bytes("content"),
        position: { incarnation: row.text("incarnation"), seq: row.integer("seq") },
      })),
    );
  }

  countInboxes(
    clients: readonly ClientId[],
    sender: string,
  ): Promise<readonly { readonly total: number; readonly fromSender: number }[]> {
    const counts = clients.map((client) => {
      const owner = findClient(this.database, client);
      const all = "SELECT count(*) AS count FROM inbox WHERE client = ?";
      const own = "SELECT count(*) AS count FROM inbox WHERE client = ? AND sender = ?";
      return {
        total: this.database.first(all, owner).integer("count"),
        fromSender: this.database.first(own, owner, sender).integer("count"),
      };
    });
    return Promise.resolve(counts);
  }

  storedBytes(groupId: Uint8Array): Promise<StoredBytes> {
    const row = this.database.get(
      `SELECT groups.bytes AS of_group, users.bytes AS of_creator, allowance FROM groups
       JOIN clients ON clients.id = creator LEFT JOIN users ON name = clients.user WHERE group_id = ?`,
      groupId,
    );
    return Promise.resolve({
      group: row?.integer("of_group") ?? 0,
      creator: row?.optionalInteger("of_creator") ?? 0,
      allowance: row?.optionalInteger("allowance"),
    });
  }

  totalBytes(): Promise<number> {
    return Promise.resolve(this.database.bytes);
  }

  age(): Promise<number> {
    return Promise.resolve(this.database.first("SELECT age FROM service").integer("age"));
  }

  /** The group's row, or 0. */
  protected groupRow(groupId: Uint8Array): number {
    return this.database.get("SELECT id FROM groups WHERE group_id = ?", groupId)?.integer("id") ?? 0;
  }
}

function toGroup(row: Row): GroupRecord {
  const endedAt = row.text("ended_at");
  return {
    groupId: row.bytes("group_id"),
    incarnation: row.text("incarnation"),
    creator: toClient(row),
    epoch: BigInt(row.integer("epoch")),
    lastSeq: row.integer("last_seq"),
    lastReceivedAt: row.integer("last_received_at"),
    readersSeq: row.integer("readers_seq"),
    endedAt: endedAt === "" ? [] : endedAt.split(",").map(Number),
  };
}

const toLogEntry = (row: Row): LogEntry => ({
  seq: row.integer("seq"),
  kind: row.text("kind") === "commit" ? "commit" : "message",
  epoch: BigInt(row.integer("epoch")),
  message: row.bytes("content"),
  receivedAt: row.integer("received_at"),
});
