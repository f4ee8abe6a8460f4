/**
 * Backups: read from the database beside a running server, checked, and marked, so that a server that is started with one
 * knows it for what it is (see `isBackup`).
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname } from "node:path";
import { CoppiceError, isCoppiceError } from "@coppice/kit";
import LibSql from "libsql";
import { Database } from "./database.ts";
import { FileLock, lockPath } from "./file-lock.ts";
import { requireSupported } from "./schema.ts";

/** What SQLite keeps beside a database file. */
const COMPANIONS = ["-wal", "-shm", "-journal"];

/** A database says who talks to whom: nobody else may read it. */
const OWNER_ONLY = 0o600;

/**
 * Writes all that the database at `from` has acknowledged into a new file. Whoever uses the database goes on meanwhile.
 * `ERR_DS_BACKUP` where there is no database, or `to` exists.
 */
export function backUp(from: string, to: string): void {
  if (!existsSync(from)) throw refused(`There is no database at ${from}`);
  if (existsSync(to)) throw refused(`${to} exists: name a new file`);
  const part = `${to}.part`;
  removeDatabase(part);
  const source = new LibSql(from, { readonly: true });
  try {
    source.exec(`VACUUM INTO '${part.replaceAll("'", "''")}'`);
  } finally {
    source.close();
  }
  markAsBackup(part);
  requireSound(part);
  moveInPlace(part, to);
}

/**
 * Puts a backup in the place of the database at `to`, which is moved to `PATH.before-TIME`. The first server that opens it
 * gives all logs new incarnations. Returns where the database before it is now.
 *
 * `ERR_DS_DATABASE_BUSY` if a server has the database open; `ERR_DS_BACKUP` for a file that is damaged or no backup.
 */
export function restore(from: string, to: string, now: Date): string | undefined {
  if (!existsSync(from)) throw refused(`There is no backup at ${from}`);
  mkdirSync(dirname(to), { recursive: true });
  const lock = new FileLock(to);
  try {
    const part = `${to}.part`;
    removeDatabase(part);
    copyFileSync(from, part);
    markAsBackup(part);
    requireSound(part);
    const before = existsSync(to) ? `${to}.before-${now.toISOString().replace(/[:.]/g, "-")}` : undefined;
    if (before !== undefined) moveAway(to, before);
    moveInPlace(part, to);
    return before;
  } finally {
    lock.release();
  }
}

/** What is wrong with a database file, in SQLite's words; nothing for a sound one. Whoever uses the database goes on. */
export function findDamage(path: string): readonly string[] {
  const connection = new LibSql(path, { readonly: true });
  try {
    requireSupported(readVersion(connection));
    const rows = connection.prepare("PRAGMA integrity_check").all([]) as { readonly integrity_check: string }[];
    return rows.map((row) => row.integrity_check).filter((text) => text !== "ok");
  } finally {
    connection.close();
  }
}

const readVersion = (connection: LibSql.Database): number =>
  (connection.prepare("PRAGMA user_version").get([]) as { readonly user_version: number }).user_version;

/** Brings the copy up to date, too. */
function markAsBackup(path: string): void {
  try {
    requireDatabase(path);
    const copy = new Database(path);
    copy.run("UPDATE service SET is_backup = 1");
    copy.close();
    rmSync(lockPath(path), { force: true });
  } catch (error) {
    if (isCoppiceError(error)) throw error;
    throw refused("The file is damaged or no database of this server", error);
  }
}

function requireDatabase(path: string): void {
  const connection = new LibSql(path, { readonly: true });
  try {
    if (readVersion(connection) === 0) throw refused("The file is no database of this server");
  } finally {
    connection.close();
  }
}

function requireSound(path: string): void {
  const damage = findDamage(path);
  if (damage.length > 0) throw refused(`The file is damaged: ${damage.slice(0, 3).join("; ")}`);
}

function moveInPlace(part: string, to: string): void {
  const file = openSync(part, "r+");
  fchmodSync(file, OWNER_ONLY);
  fsyncSync(file);
  closeSync(file);
  renameSync(part, to);
}

/** With what belongs to it: the journal may hold what the file does not yet. */
function moveAway(from: string, to: string): void {
  for (const end of ["", ...COMPANIONS]) if (existsSync(from + end)) renameSync(from + end, to + end);
}

function removeDatabase(path: string): void {
  for (const end of ["", ...COMPANIONS]) rmSync(path + end, { force: true });
}

const refused = (message: string, cause?: unknown): CoppiceError =>
  new CoppiceError("ERR_DS_BACKUP", message, cause === undefined ? {} : { cause });
