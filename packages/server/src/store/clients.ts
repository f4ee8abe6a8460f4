/** Rows of clients. */
import type { ClientId } from "@coppice/delivery";
import type { Database } from "../database/database.ts";

/** The client's row; 0, which no row has, for one that left nothing here yet. */
export function findClient(database: Database, { user, device }: ClientId): number {
  const sql = "SELECT id FROM clients WHERE user = ? AND device = ?";
  return database.get(sql, user, device)?.integer("id") ?? 0;
}

/** The client's row, made if there is none. */
export function ensureClient(database: Database, client: ClientId): number {
  const found = findClient(database, client);
  if (found !== 0) return found;
  const sql = `INSERT INTO clients (user, device, last_inbox_id)
    VALUES (?, ?, (SELECT inbox_base FROM service)) RETURNING id`;
  return database.first(sql, client.user, client.device).integer("id");
}
