/** What operators look up and change. Everything large is done in slices, between which clients are served. */
import type { ClientId } from "@coppice/delivery";
import { sleep, type Time } from "@coppice/kit";
import type { Database, Row } from "../database/database.ts";
import type { Turns } from "../database/turns.ts";
import { deleteGroupSlice, deleteUserSlice } from "./deletion.ts";

/** Rows of one answer. */
const PAGE = 1000;

/** A user, as operators see it. */
export interface UserReport {
  readonly name: string;
  readonly banned: boolean;
  /** Entries of its device log. */
  readonly deviceLogEntries: number;
  readonly groupsCreated: number;
  /** What the groups keep that it created, bytes, and how much they may; null is the limit for all. */
  readonly bytes: number;
  readonly allowance: number | null;
}

/** A group, as operators see it. */
export interface GroupReport {
  /** Hex. */
  readonly id: string;
  /** Name of the user who created it. */
  readonly creator: string;
  readonly epoch: number;
  readonly lastSeq: number;
  readonly bytes: number;
  readonly readers: number;
}

/** What administration works on. */
export interface AdministrationParts {
  readonly database: Database;
  readonly turns: Turns;
  /** Ends all sessions and connections of a client. */
  readonly revoke: (client: ClientId) => Promise<void>;
  readonly time: Time;
}

export class Administration {
  readonly #parts: AdministrationParts;

  constructor(parts: AdministrationParts) {
    this.#parts = parts;
  }

  status(): Promise<{ readonly users: number; readonly groups: number; readonly bytes: number }> {
    const { database, turns } = this.#parts;
    const count = (table: string): number => database.first(`SELECT count(*) AS count FROM ${table}`).integer("count");
    return turns.read(() => ({ users: count("users"), groups: count("groups"), bytes: database.bytes }));
  }

  /** Users by name after `after`, at most 1000. */
  users(after: string): Promise<readonly UserReport[]> {
    const { database, turns } = this.#parts;
    return turns.read(() =>
      database.all(`SELECT * FROM users WHERE name > ? ORDER BY name LIMIT ?`, after, PAGE).map(toUserReport),
    );
  }

  /** Groups by id after `after`, at most 1000. */
  groups(after: Uint8Array): Promise<readonly GroupReport[]> {
    const { database, turns } = this.#parts;
    const sql = `SELECT group_id, user, epoch, last_seq, bytes,
        (SELECT count(*) FROM admissions WHERE group_ref = groups.id AND until_seq IS NULL) AS readers
      FROM groups JOIN clients ON clients.id = creator WHERE group_id > ? ORDER BY group_id LIMIT ?`;
    return turns.read(() => database.all(sql, after, PAGE).map(toGroupReport));
  }

  /** A banned user has no sessions and cannot sign in; what others share with it stays. */
  async ban(name: string): Promise<void> {
    await this.#setBanned(name, true);
    await this.#endSessions(name);
  }

  unban(name: string): Promise<void> {
    return this.#setBanned(name, false);
  }

  /** Lets the groups that this user created keep so many bytes; `undefined`: the limit for all. */
  async quota(name: string, bytes: number | undefined): Promise<void> {
    await this.#change("UPDATE users SET allowance = ? WHERE name = ?", bytes ?? null, name);
  }

  /**
   * Forgets a user: its device log, key packages, Welcomes and sessions, and what it reads. The name is free for somebody
   * else afterwards. Groups stay for their members, who remove its leaves themselves.
   */
  async deleteUser(name: string): Promise<void> {
    await this.ban(name);
    await this.#inSlices(() => deleteUserSlice(this.#parts.database, name));
    await this.#endSessions(name);
  }

  /** Forgets a group for everybody. `id` may be used again, for another log. */
  async deleteGroup(id: Uint8Array): Promise<void> {
    const { database, turns } = this.#parts;
    const renamed = "UPDATE groups SET incarnation = lower(hex(randomblob(16))) WHERE group_id = ? RETURNING id";
    const row = await turns.change(() => database.get(renamed, id));
    if (row === undefined) throw new NotFound("There is no such group");
    await this.#inSlices(() => deleteGroupSlice(database, row.integer("id")));
  }

  async #setBanned(name: string, isBanned: boolean): Promise<void> {
    await this.#change("UPDATE users SET is_banned = ? WHERE name = ?", isBanned ? 1 : 0, name);
  }

  async #change(sql: string, ...values: readonly (string | number | null)[]): Promise<void> {
    const { database, turns } = this.#parts;
    if ((await turns.change(() => database.run(sql, ...values))) === 0) throw new NotFound("There is no such user");
  }

  async #endSessions(name: string): Promise<void> {
    const { database, turns, revoke } = this.#parts;
    const rows = await turns.read(() => database.all("SELECT device FROM clients WHERE user = ?", name));
    for (const row of rows) await revoke({ user: name, device: row.text("device") });
  }

  async #inSlices(slice: () => boolean): Promise<void> {
    const { turns, time } = this.#parts;
    while (await turns.change(slice)) await sleep(time, 1);
  }
}

/** What an operator named does not exist. */
export class NotFound extends Error {}

const toUserReport = (row: Row): UserReport => ({
  name: row.text("name"),
  banned: row.integer("is_banned") === 1,
  deviceLogEntries: row.integer("log_length"),
  groupsCreated: row.integer("groups_created"),
  bytes: row.integer("bytes"),
  allowance: row.optionalInteger("allowance") ?? null,
});

const toGroupReport = (row: Row): GroupReport => ({
  id: Buffer.from(row.bytes("group_id")).toString("hex"),
  creator: row.text("user"),
  epoch: row.integer("epoch"),
  lastSeq: row.integer("last_seq"),
  bytes: row.integer("bytes"),
  readers: row.integer("readers"),
});
