/**
 * One server per database: events reach only the sockets of the process that made them. The lock is on a file of its own,
 * so that a backup can be read from the database beside the server.
 */
import { CoppiceError } from "@coppice/kit";
import LibSql from "libsql";

/** How long to wait for another process to let go, milliseconds. */
const BUSY_TIMEOUT = 250;

/** The file that is locked for the database at `path`. */
export const lockPath = (path: string): string => `${path}-lock`;

export class FileLock {
  readonly #connection: LibSql.Database;

  /** Takes the lock of the database at `path`. `ERR_DS_DATABASE_BUSY` if another process has it. */
  constructor(path: string) {
    // The kernel holds an open transaction's lock and so releases it when the process dies, however it dies.
    this.#connection = new LibSql(lockPath(path), { timeout: BUSY_TIMEOUT });
    try {
      this.#connection.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      this.#connection.close();
      throw isBusy(error)
        ? new CoppiceError("ERR_DS_DATABASE_BUSY", "Another process has the database open", { cause: error })
        : error;
    }
  }

  release(): void {
    this.#connection.exec("ROLLBACK");
    this.#connection.close();
  }
}

export const isBusy = (error: unknown): boolean =>
  error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("SQLITE_BUSY");
