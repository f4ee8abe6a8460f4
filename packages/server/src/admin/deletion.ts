/** Deleting a user or a group, slice by slice. Each returns whether there is more to do; the record itself goes last. */
import type { Database } from "../database/database.ts";
import { deleteWelcomeIfRead } from "../store/deletion.ts";

/** Rows of a slice, and bytes of contents that take as long as a row: see `store/deletion.ts`. */
const ROWS = 200;
const BYTES_PER_ROW = 16 * 1024;

export function deleteUserSlice(database: Database, name: string): boolean {
  const clients = "SELECT id FROM clients WHERE user = ?1";
  if (deleteWelcomes(database, `client IN (${clients})`, name)) return true;
  const keyPackages = `DELETE FROM key_packages WHERE id IN
    (SELECT id FROM key_packages WHERE client IN (${clients}) LIMIT ?2)`;
  if (database.run(keyPackages, name, ROWS) > 0) return true;
  const admissions = `UPDATE admissions SET until_seq = (SELECT last_seq FROM groups WHERE groups.id = group_ref)
    WHERE (group_ref, client, from_seq) IN
      (SELECT group_ref, client, from_seq FROM admissions WHERE client IN (${clients}) AND until_seq IS NULL LIMIT ?2)`;
  if (database.run(admissions, name, ROWS) > 0) return true;
  database.run(`DELETE FROM last_resorts WHERE client IN (${clients})`, name);
  const log = `DELETE FROM device_logs WHERE user = (SELECT id FROM users WHERE name = ?1) AND position IN
    (SELECT position FROM device_logs WHERE user = (SELECT id FROM users WHERE name = ?1) LIMIT ?2)`;
  if (database.run(log, name, ROWS) > 0) return true;
  database.run("DELETE FROM users WHERE name = ?", name);
  return false;
}

export function deleteGroupSlice(database: Database, group: number): boolean {
  const admissions = `DELETE FROM admissions WHERE group_ref = ?1 AND (client, from_seq) IN
    (SELECT client, from_seq FROM admissions WHERE group_ref = ?1 LIMIT ?2)`;
  if (database.run(admissions, group, ROWS) > 0) return true;
  if (deleteWelcomes(database, "group_ref = ?1", group)) return true;
  if (deleteEntries(database, group)) return true;
  const posted = "DELETE FROM posted WHERE id IN (SELECT id FROM posted WHERE group_ref = ?1 LIMIT ?2)";
  if (database.run(posted, group, ROWS) > 0) return true;
  database.run("DELETE FROM group_infos WHERE group_ref = ?", group);
  database.run("DELETE FROM groups WHERE id = ?", group);
  return false;
}

function deleteWelcomes(database: Database, where: string, value: string | number): boolean {
  const sql = `SELECT client, id, welcome FROM inbox WHERE ${where} LIMIT ?2`;
  let cost = 0;
  for (const row of database.all(sql, value, ROWS)) {
    if (cost >= ROWS) break;
    database.run("DELETE FROM inbox WHERE client = ? AND id = ?", row.integer("client"), row.integer("id"));
    cost += 1 + deleteWelcomeIfRead(database, row.integer("welcome")) / BYTES_PER_ROW;
  }
  return cost > 0;
}

function deleteEntries(database: Database, group: number): boolean {
  const sql = "SELECT seq, length(content) AS bytes FROM log WHERE group_ref = ? ORDER BY seq LIMIT ?";
  let last = 0;
  let cost = 0;
  for (const row of database.all(sql, group, ROWS)) {
    if (cost >= ROWS) break;
    last = row.integer("seq");
    cost += 1 + row.integer("bytes") / BYTES_PER_ROW;
  }
  if (cost > 0) database.run("DELETE FROM log WHERE group_ref = ? AND seq <= ?", group, last);
  return cost > 0;
}
