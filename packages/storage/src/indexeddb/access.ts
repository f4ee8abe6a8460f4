/** What the calls of one open store share: its parts, and running a transaction so that every failure has a code. */
import { sleep, type Time } from "@coppice/kit";
import { storeError } from "../errors.ts";
import type { Lifetime } from "../lifetime.ts";
import { type PartitionRow, parseRow } from "./parse.ts";
import { platformError } from "./platform-error.ts";
import type { Database } from "./schema.ts";
import type { Vault } from "./vault.ts";

/** Cryptographic operations in flight: enough to keep an engine's threads busy, few enough for a batch of thousands. */
export const IN_FLIGHT = 64;

/** What requests and transactions fail with when their database is closed or their transaction aborted. */
const WHEN_ENDED: ReadonlySet<string> = new Set([
  "AbortError",
  "InvalidStateError",
  "TransactionInactiveError",
  "UnknownError",
]);

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

  /** The version that a partition's row proves, 0 without a row. `ERR_STORE_CORRUPT` if it proves nothing. */
  async authenticVersion(tag: Uint8Array<ArrayBuffer>, partition: string, stored: unknown): Promise<number> {
    if (stored === undefined) return 0;
    const row = requireRow(stored);
    const state = await this.vault.openPartition({ tag, version: row.version }, row.sealed);
    if (state.partition !== partition) throw corrupt("Two partitions have one tag");
    return row.version;
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
