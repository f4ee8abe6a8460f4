/** What the calls of one open store share: its parts, and running a transaction so that every failure has a code. */
import { sleep, type Time } from "@coppice/kit";
import { storeError } from "../errors.ts";
import type { Lifetime } from "../lifetime.ts";
import { type PartitionRow, parseRow } from "./parse.ts";
import { platformError } from "./platform-error.ts";
import { BY_TAG, type Database } from "./schema.ts";
import { numbered } from "./records.ts";
import { runAtOnce } from "./transaction.ts";
import type { Vault } from "./vault.ts";

/** What requests and transactions fail with when their database is closed or their transaction aborted. */
const WHEN_ENDED: ReadonlySet<string> = new Set([
  "AbortError",
  "InvalidStateError",
  "TransactionInactiveError",
  "UnknownError",
]);

type Tag = Uint8Array<ArrayBuffer>;

export interface AccessParts {
  readonly database: Database;
  readonly vault: Vault;
  readonly lifetime: Lifetime;
  readonly time: Time;
}

export class Access {
  readonly database: Database;
  readonly vault: Vault;
  readonly #lifetime: Lifetime;
  readonly #time: Time;

  constructor({ database, vault, lifetime, time }: AccessParts) {
    this.database = database;
    this.vault = vault;
    this.#lifetime = lifetime;
    this.#time = time;
  }

  /** Runs a transaction and turns what IndexedDB reports into the contract's codes, or the reason it was ended for. */
  async transact<T>(transaction: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await transaction();
    } catch (error) {
      if (error instanceof Error && WHEN_ENDED.has(error.name)) {
        signal?.throwIfAborted();
        // Running calls outlive `close`: if the store has ended, the database was taken away before they could finish. A
        // database that the browser closes aborts its transactions first and fires `close` after.
        await sleep(this.#time, 0);
        this.#lifetime.assertUsable();
      }
      throw platformError(error, "to access the database");
    }
  }

  /**
   * The version that a partition's row proves, 0 for one that never existed. `ERR_STORE_CORRUPT` if the row proves nothing, or
   * if it is gone.
   */
  async authenticVersion(
    { tag, partition }: { readonly tag: Tag; readonly partition: string },
    stored: unknown,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    if (stored === undefined) {
      await this.assertNeverWritten(tag, signal);
      return 0;
    }
    const row = requireRow(stored);
    const state = await this.vault.openPartition({ tag, version: row.version }, row.sealed);
    if (state.partition !== partition) throw corrupt("Two partitions have one tag");
    return row.version;
  }

  /**
   * A partition without a row must have no journal either: `ERR_STORE_CORRUPT` if someone else deleted its row. Passes if it
   * has a row by now.
   */
  async assertNeverWritten(tag: Tag, signal: AbortSignal | undefined): Promise<void> {
    const [row, entry] = await this.transact(() => {
      const transaction = this.database.transaction(["partitions", "journal"]);
      return runAtOnce(transaction, signal, () =>
        Promise.all([
          transaction.objectStore("partitions").index(BY_TAG).getKey(tag),
          transaction.objectStore("journal").getKey(numbered(tag)),
        ]),
      );
    }, signal);
    if (row === undefined && entry !== undefined) throw corrupt("The row of a partition is gone");
  }
}

export function requireRow(stored: unknown): PartitionRow {
  const row = parseRow(stored);
  if (row === undefined) throw corrupt("The row of a partition is damaged");
  return row;
}

export function corrupt(message: string): Error {
  return storeError("ERR_STORE_CORRUPT", message);
}
