/** Welcomes that wait for the users they were made for. */
import type { InboxEntry } from "@coppice/delivery";
import { deliveryError, WIRE_LIMITS } from "@coppice/delivery/wire";
import type { Database } from "../database/database.ts";
import type { ServerLimits } from "../limits.ts";
import type { UserId } from "./accounts.ts";
import { pageEnd } from "./page.ts";

/** The Welcomes of one commit. */
export interface Invitations {
  readonly sender: UserId;
  readonly group: number;
  readonly cursor: number;
  readonly invitations: readonly { readonly name: string; readonly user: UserId; readonly welcome: Uint8Array }[];
}

export class Inbox {
  readonly #database: Database;
  readonly #limits: ServerLimits;
  readonly #clock: () => number;

  constructor(database: Database, limits: ServerLimits, clock: () => number) {
    this.#database = database;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Stores Welcomes, each distinct one once. Inside a transaction: `ERR_DS_QUOTA` undoes all of it. */
  deliver({ sender, group, cursor, invitations }: Invitations): void {
    const stored = new Map<Uint8Array, number>();
    for (const { name, user, welcome } of invitations) {
      this.#requireSpace(name, user, sender);
      let content = stored.get(welcome);
      if (content === undefined) {
        const sql = "INSERT INTO welcomes (content) VALUES (?) RETURNING id";
        stored.set(welcome, (content = this.#database.first(sql, welcome).integer("id")));
      }
      const next = "UPDATE users SET last_inbox_id = last_inbox_id + 1 WHERE id = ? RETURNING last_inbox_id";
      const id = this.#database.first(next, user).integer("last_inbox_id");
      this.#database.run(
        "INSERT INTO inbox (user, id, sender, group_ref, welcome, cursor, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        user,
        id,
        sender,
        group,
        content,
        cursor,
        this.#clock(),
      );
    }
  }

  read(user: UserId): readonly InboxEntry[] {
    const sizes = this.#database.all(
      `SELECT inbox.id AS id, length(content) AS bytes FROM inbox JOIN welcomes ON welcomes.id = welcome
       WHERE user = ? ORDER BY inbox.id LIMIT ?`,
      user,
      WIRE_LIMITS.inboxPage,
    );
    return this.#database
      .all(
        `SELECT inbox.id AS id, group_id, content, cursor FROM inbox
         JOIN groups ON groups.id = group_ref JOIN welcomes ON welcomes.id = welcome
         WHERE user = ? AND inbox.id <= ? ORDER BY inbox.id`,
        user,
        pageEnd(sizes, "id", this.#limits.pageBytes),
      )
      .map((row) => ({
        id: row.integer("id"),
        groupId: row.bytes("group_id"),
        welcome: row.bytes("content"),
        cursor: row.integer("cursor"),
      }));
  }

  acknowledge(user: UserId, id: number): void {
    this.#database.transaction(() => {
      const read = this.#database.all("DELETE FROM inbox WHERE user = ? AND id <= ? RETURNING welcome", user, id);
      for (const row of read) {
        const welcome = row.integer("welcome");
        const sql = "DELETE FROM welcomes WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM inbox WHERE welcome = ?1)";
        this.#database.run(sql, welcome);
      }
    });
  }

  #requireSpace(name: string, user: UserId, sender: UserId): void {
    const row = this.#database.first(
      "SELECT count(*) AS total, count(CASE WHEN sender = ? THEN 1 END) AS own FROM inbox WHERE user = ?",
      sender,
      user,
    );
    const { inboxEntries, inboxEntriesPerSender } = this.#limits;
    if (row.integer("total") >= inboxEntries || row.integer("own") >= inboxEntriesPerSender) {
      throw deliveryError("ERR_DS_QUOTA", "too many Welcomes wait for this user", { detail: { user: name } });
    }
  }
}
