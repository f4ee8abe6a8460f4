/** A small typed layer over the embedded SQL database: statements by text, rows by column, transactions. */
import type { Bytes } from "@coppice/core";
import LibSql from "libsql";
import { FileLock, isBusy } from "./file-lock.ts";
import { bringUpToDate, schemaVersion } from "./schema.ts";

/** How long a statement waits for somebody who opened the file beside the server, milliseconds. */
const BUSY_TIMEOUT = 250;

/** The path of a database that is no file. */
const MEMORY = ":memory:";

/** What can be bound to a statement. */
export type Value = number | string | Uint8Array | null;

/** A result row. A column that is missing or of another type is a mistake in the schema or the query. */
export class Row {
  readonly #columns: Readonly<Record<string, unknown>>;

  constructor(columns: Readonly<Record<string, unknown>>) {
    this.#columns = columns;
  }

  integer(name: string): number {
    const value = this.#columns[name];
    if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new TypeError(`column ${name} is no integer`);
    return value;
  }

  optionalInteger(name: string): number | undefined {
    return this.#columns[name] === null ? undefined : this.integer(name);
  }

  text(name: string): string {
    const value = this.#columns[name];
    if (typeof value !== "string") throw new TypeError(`column ${name} is no text`);
    return value;
  }

  bytes(name: string): Bytes {
    const value = this.#columns[name];
    // The library yields a Buffer for single rows and an ArrayBuffer for iterated ones.
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (value instanceof Uint8Array) return new Uint8Array(value);
    throw new TypeError(`column ${name} is no byte string`);
  }
}

export class Database {
  readonly #lock: FileLock | undefined;
  readonly #connection: LibSql.Database;
  readonly #statements = new Map<string, LibSql.Statement>();

  /**
   * Opens or creates the database file at `path` (or `:memory:`).
   *
   * @throws `CoppiceError` `ERR_DS_DATABASE_BUSY` if another process has it open, `ERR_DS_DATABASE_NEWER` and
   * `ERR_DS_DATABASE_OLD` if another version of this package wrote it.
   */
  constructor(path: string) {
    this.#lock = path === MEMORY ? undefined : new FileLock(path);
    try {
      this.#connection = new LibSql(path, { timeout: BUSY_TIMEOUT });
    } catch (error) {
      this.#lock?.release();
      throw error;
    }
    try {
      // Before anything is written: a database of another version stays as it is.
      const version = schemaVersion(this);
      this.#connection.pragma("journal_mode = WAL");
      // In WAL mode the default would let a power cut undo what was acknowledged.
      this.#connection.pragma("synchronous = FULL");
      this.#connection.pragma("foreign_keys = ON");
      bringUpToDate(this, version);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Runs a script without parameters or results. */
  execute(script: string): void {
    this.#connection.exec(script);
  }

  /** Runs a statement; yields how many rows it changed. */
  run(sql: string, ...values: readonly Value[]): number {
    return this.#prepare(sql).run(bind(values)).changes;
  }

  /** The first row. */
  get(sql: string, ...values: readonly Value[]): Row | undefined {
    const row = this.#prepare(sql).get(bind(values));
    return row === undefined ? undefined : new Row(row as Record<string, unknown>);
  }

  /** The first row of a query that always has one, such as `INSERT … RETURNING`. */
  first(sql: string, ...values: readonly Value[]): Row {
    const row = this.get(sql, ...values);
    if (row === undefined) throw new TypeError("the statement returned no row");
    return row;
  }

  all(sql: string, ...values: readonly Value[]): readonly Row[] {
    return this.#prepare(sql)
      .all(bind(values))
      .map((row) => new Row(row as Record<string, unknown>));
  }

  /** Begins a transaction. None may be open. */
  begin(): void {
    this.run("BEGIN IMMEDIATE");
  }

  /** Ends the transaction: all of it has happened, durably, once this returns. */
  commit(): void {
    this.run("COMMIT");
  }

  /** Ends the transaction, if there is one: nothing of it has happened. Some failures (disk full) have done that already. */
  rollback(): void {
    if (this.isInTransaction) this.run("ROLLBACK");
  }

  /** Whether a transaction is open. */
  get isInTransaction(): boolean {
    return this.#connection.inTransaction;
  }

  /** Runs `body` as one transaction. */
  atomically<T>(body: () => T): T {
    this.begin();
    try {
      const result = body();
      this.commit();
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** Bytes of the file that are in use. */
  get bytes(): number {
    const pages = this.first("PRAGMA page_count").integer("page_count");
    const free = this.first("PRAGMA freelist_count").integer("freelist_count");
    return (pages - free) * this.first("PRAGMA page_size").integer("page_size");
  }

  /** Whether this is a copy of another database, which may have gone on since: see `forgetBackup`. */
  get isBackup(): boolean {
    return this.first("SELECT is_backup FROM service").integer("is_backup") === 1;
  }

  /** From now on this is the database itself. */
  forgetBackup(): void {
    this.run("UPDATE service SET is_backup = 0");
  }

  /** Leaves a single file behind and frees it for another process. */
  close(): void {
    this.#statements.clear();
    try {
      // The library keeps the file open until its statements are collected as garbage: this is what ends the journal.
      this.#connection.pragma("journal_mode = DELETE");
    } catch (error) {
      // Somebody makes a backup at this moment. The journal stays, and is worked in when the database is next opened.
      if (!isBusy(error)) throw error;
    } finally {
      this.#connection.close();
      this.#lock?.release();
    }
  }

  #prepare(sql: string): LibSql.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#connection.prepare(sql)));
    return statement;
  }
}

/**
 * Parameters as the library needs them. Always one array: it takes a lone byte string for a set of named parameters and
 * ends the process. Integers as bigints: it binds numbers as floating point.
 */
const bind = (values: readonly Value[]): readonly unknown[] =>
  values.map((value) => (typeof value === "number" ? BigInt(value) : value));
