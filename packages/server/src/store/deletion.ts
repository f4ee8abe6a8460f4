/** Deletion of what is due, in slices that are bounded in rows and bytes. */
import type { Due } from "@coppice/delivery/domain";
import type { Database } from "../database/database.ts";

/** Bytes that take as long to delete as a row: a large content is one page after the other. */
const BYTES_PER_ROW = 16 * 1024;

/**
 * Deletes at most `limit` records, the first in any case. Returns how many, where a large one counts as several: `limit` says
 * that there may be more.
 */
export function deleteDue(database: Database, due: Due, limit: number): number {
  let left = limit;
  for (const [deleteSome, before] of [
    [deleteEntries, due.messages],
    [deleteWelcomes, due.messages],
    [deletePosted, due.hashes],
    [deleteKeyPackages, due.keyPackages],
  ] as const) {
    // Nothing that is due was written before the service began.
    if (before < 0 || left <= 0) continue;
    left -= deleteSome(database, before, left);
  }
  return limit - Math.max(0, left);
}

/** Rows are written in the order of their ages, so that the oldest have the lowest ids. */
function deleteEntries(database: Database, before: number, limit: number): number {
  let last = 0;
  let cost = 0;
  const sql = "SELECT id, age, length(content) AS bytes FROM log ORDER BY id LIMIT ?";
  for (const row of database.all(sql, limit)) {
    if (cost >= limit || row.integer("age") > before) break;
    last = row.integer("id");
    cost += 1 + Math.floor(row.integer("bytes") / BYTES_PER_ROW);
  }
  if (cost > 0) database.run("DELETE FROM log WHERE id <= ?", last);
  return cost;
}

function deletePosted(database: Database, before: number, limit: number): number {
  let last = 0;
  let count = 0;
  for (const row of database.all("SELECT id, age FROM posted ORDER BY id LIMIT ?", limit)) {
    if (row.integer("age") > before) break;
    last = row.integer("id");
    count += 1;
  }
  if (count > 0) database.run("DELETE FROM posted WHERE id <= ?", last);
  return count;
}

function deleteWelcomes(database: Database, before: number, limit: number): number {
  const sql = "SELECT client, id, welcome FROM inbox WHERE age <= ? ORDER BY age LIMIT ?";
  let cost = 0;
  for (const row of database.all(sql, before, limit)) {
    if (cost >= limit) break;
    database.run("DELETE FROM inbox WHERE client = ? AND id = ?", row.integer("client"), row.integer("id"));
    cost += 1 + Math.floor(deleteWelcomeIfRead(database, row.integer("welcome")) / BYTES_PER_ROW);
  }
  return cost;
}

/** Deletes a Welcome for which nobody waits any more. Returns how many bytes that were. */
export function deleteWelcomeIfRead(database: Database, welcome: number): number {
  const sql = `DELETE FROM welcomes WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM inbox WHERE welcome = ?1)
    RETURNING length(content) AS bytes`;
  return database.get(sql, welcome)?.integer("bytes") ?? 0;
}

function deleteKeyPackages(database: Database, before: number, limit: number): number {
  const sql = "SELECT id, length(content) AS bytes FROM key_packages WHERE age <= ? ORDER BY age LIMIT ?";
  let cost = 0;
  for (const row of database.all(sql, before, limit)) {
    if (cost >= limit) break;
    database.run("DELETE FROM key_packages WHERE id = ?", row.integer("id"));
    cost += 1 + Math.floor((row.optionalInteger("bytes") ?? 0) / BYTES_PER_ROW);
  }
  return cost;
}
