/** Writing what the domain keeps into the SQL database, within a transaction that somebody else begins and ends. */
import type { Bytes } from "@coppice/core";
import type { ClientId } from "@coppice/delivery";
import type {
  DomainTransaction,
  Due,
  GroupInfoRecord,
  GroupRecord,
  NewEntry,
  NewKeyPackage,
  NewWelcome,
  UserRecord,
} from "@coppice/delivery/domain";
import { ensureClient, findClient } from "./clients.ts";
import { deleteDue, deleteWelcomeIfRead } from "./deletion.ts";
import { Reads } from "./reads.ts";

/** How far `renew` raises the ids of inboxes. */
const INBOX_LEAP = 2 ** 32;

export class Transaction extends Reads implements DomainTransaction {
  putUser({ name, skeleton, logLength, logState, groupsCreated }: UserRecord): Promise<void> {
    this.database.run(
      `INSERT INTO users (name, skeleton, log_length, log_state, groups_created) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET skeleton = excluded.skeleton, log_length = excluded.log_length, log_state = excluded.log_state,
         groups_created = excluded.groups_created`,
      name,
      skeleton,
      logLength,
      logState,
      groupsCreated,
    );
    return Promise.resolve();
  }

  appendDeviceLog(user: string, position: number, entry: Bytes): Promise<void> {
    this.database.run(
      "INSERT INTO device_logs (user, position, entry) VALUES ((SELECT id FROM users WHERE name = ?), ?, ?)",
      user,
      position,
      entry,
    );
    return Promise.resolve();
  }

  addKeyPackages(client: ClientId, keyPackages: readonly NewKeyPackage[], age: number): Promise<void> {
    if (keyPackages.length === 0) return Promise.resolve();
    const owner = ensureClient(this.database, client);
    for (const { hash, content } of keyPackages) {
      this.database.run(
        "INSERT INTO key_packages (client, hash, content, age) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        owner,
        hash,
        content,
        age,
      );
    }
    return Promise.resolve();
  }

  keepKeyPackages(client: ClientId, hashes: readonly Bytes[]): Promise<void> {
    const kept = new Set(hashes.map((hash) => Buffer.from(hash).toString("latin1")));
    const sql = "SELECT id, hash FROM key_packages WHERE client = ? AND content IS NOT NULL";
    for (const row of this.database.all(sql, findClient(this.database, client))) {
      if (kept.has(Buffer.from(row.bytes("hash")).toString("latin1"))) continue;
      this.database.run("UPDATE key_packages SET content = NULL WHERE id = ?", row.integer("id"));
    }
    return Promise.resolve();
  }

  takeKeyPackage(client: ClientId, age: number): Promise<Bytes | undefined> {
    const row = this.database.get(
      "SELECT id, content FROM key_packages WHERE client = ? AND content IS NOT NULL ORDER BY id LIMIT 1",
      findClient(this.database, client),
    );
    if (row === undefined) return Promise.resolve(undefined);
    this.database.run("UPDATE key_packages SET content = NULL, age = ? WHERE id = ?", age, row.integer("id"));
    return Promise.resolve(row.bytes("content"));
  }

  putLastResort(client: ClientId, content: Bytes): Promise<void> {
    const sql = "INSERT OR REPLACE INTO last_resorts (client, content) VALUES (?, ?)";
    this.database.run(sql, ensureClient(this.database, client), content);
    return Promise.resolve();
  }

  /** The domain asks for it when a device is removed or gets another key: then its tokens go too, at the same instant. */
  forgetKeyPackages(client: ClientId): Promise<void> {
    const owner = findClient(this.database, client);
    this.database.run("DELETE FROM key_packages WHERE client = ?", owner);
    this.database.run("DELETE FROM last_resorts WHERE client = ?", owner);
    this.database.run("DELETE FROM tokens WHERE client = ?", owner);
    return Promise.resolve();
  }

  putGroup(group: GroupRecord): Promise<void> {
    this.database.run(
      `INSERT INTO groups (group_id, incarnation, creator, epoch, last_seq, last_received_at, readers_seq, ended_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (group_id) DO UPDATE SET incarnation = excluded.incarnation, creator = excluded.creator,
         epoch = excluded.epoch, last_seq = excluded.last_seq, last_received_at = excluded.last_received_at,
         readers_seq = excluded.readers_seq, ended_at = excluded.ended_at`,
      group.groupId,
      group.incarnation,
      ensureClient(this.database, group.creator),
      Number(group.epoch),
      group.lastSeq,
      group.lastReceivedAt,
      group.readersSeq,
      group.endedAt.join(","),
    );
    return Promise.resolve();
  }

  putGroupInfo(groupId: Uint8Array, { groupInfo, epoch, seq }: GroupInfoRecord): Promise<void> {
    this.database.run(
      `INSERT INTO group_infos (group_ref, content, epoch, seq) VALUES (?, ?, ?, ?)
       ON CONFLICT (group_ref) DO UPDATE SET content = excluded.content, epoch = excluded.epoch, seq = excluded.seq`,
      this.groupRow(groupId),
      groupInfo,
      Number(epoch),
      seq,
    );
    return Promise.resolve();
  }

  append(groupId: Uint8Array, entries: readonly NewEntry[], age: number): Promise<void> {
    const group = this.groupRow(groupId);
    for (const { seq, kind, epoch, receivedAt, message, hash } of entries) {
      this.database.run(
        "INSERT INTO log (group_ref, seq, kind, epoch, received_at, age, content) VALUES (?, ?, ?, ?, ?, ?, ?)",
        group,
        seq,
        kind,
        Number(epoch),
        receivedAt,
        age,
        message,
      );
      this.database.run(
        "INSERT INTO posted (group_ref, kind, hash, seq, age) VALUES (?, ?, ?, ?, ?)",
        group,
        kind,
        hash,
        seq,
        age,
      );
    }
    return Promise.resolve();
  }

  admit(groupId: Uint8Array, clients: readonly ClientId[], from: number): Promise<void> {
    const group = this.groupRow(groupId);
    const sql = "INSERT INTO admissions (group_ref, client, from_seq) VALUES (?, ?, ?)";
    for (const client of clients) this.database.run(sql, group, ensureClient(this.database, client), from);
    return Promise.resolve();
  }

  dismiss(groupId: Uint8Array, clients: readonly ClientId[], until: number): Promise<void> {
    const group = this.groupRow(groupId);
    const sql = "UPDATE admissions SET until_seq = ? WHERE group_ref = ? AND client = ? AND until_seq IS NULL";
    for (const client of clients) this.database.run(sql, until, group, findClient(this.database, client));
    return Promise.resolve();
  }

  deliver({ groupId, seq, sender, welcome, clients }: NewWelcome, age: number): Promise<void> {
    const group = this.groupRow(groupId);
    const content = this.database
      .first("INSERT INTO welcomes (content) VALUES (?) RETURNING id", welcome)
      .integer("id");
    for (const client of clients) {
      const owner = ensureClient(this.database, client);
      const next = "UPDATE clients SET last_inbox_id = last_inbox_id + 1 WHERE id = ? RETURNING last_inbox_id";
      this.database.run(
        "INSERT INTO inbox (client, id, sender, group_ref, seq, welcome, age) VALUES (?, ?, ?, ?, ?, ?, ?)",
        owner,
        this.database.first(next, owner).integer("last_inbox_id"),
        sender,
        group,
        seq,
        content,
        age,
      );
    }
    return Promise.resolve();
  }

  acknowledge(client: ClientId, id: number): Promise<void> {
    const sql = "DELETE FROM inbox WHERE client = ? AND id <= ? RETURNING welcome";
    const read = this.database.all(sql, findClient(this.database, client), id);
    for (const row of read) deleteWelcomeIfRead(this.database, row.integer("welcome"));
    return Promise.resolve();
  }

  putAge(age: number): Promise<void> {
    this.database.run("UPDATE service SET age = ?", age);
    return Promise.resolve();
  }

  deleteDue(due: Due, limit: number): Promise<number> {
    return Promise.resolve(deleteDue(this.database, due, limit));
  }

  renew(): Promise<void> {
    this.database.run("UPDATE groups SET incarnation = lower(hex(randomblob(16)))");
    this.database.run("UPDATE key_packages SET content = NULL WHERE content IS NOT NULL");
    this.database.run("UPDATE clients SET last_inbox_id = last_inbox_id + ?", INBOX_LEAP);
    this.database.run("UPDATE service SET inbox_base = inbox_base + ?", INBOX_LEAP);
    return Promise.resolve();
  }
}
