/** The store over IndexedDB: encrypt, one transaction, decrypt. Inside a transaction only its own requests are awaited. */
import { type LockOptions, Locks, mapLimit, platformLocks, systemTime } from "@coppice/kit";
import { unwrap } from "idb";
import type {
  PartitionChanges,
  PartitionSnapshot,
  PartitionWrite,
  RecordRange,
  Store,
  StoreCallOptions,
  StoreChange,
} from "../contract.ts";
import { conflictError, storeError } from "../errors.ts";
import { runExclusive } from "../exclusive.ts";
import type { Lifetime } from "../lifetime.ts";
import { assertName } from "../names.ts";
import { type NameInterval, toIntervals } from "../range.ts";
import { type PlannedWrite, planWrites, wipePlan } from "../write-plan.ts";
import type { Announcement, Announcements } from "./announcements.ts";
import { isBytes, type PartitionRow, parseRow } from "./parse.ts";
import { platformError } from "./platform-error.ts";
import { partitionRange, select } from "./records.ts";
import type { Database } from "./schema.ts";
import { runTransaction } from "./transaction.ts";
import type { Vault } from "./vault.ts";

/** Cryptographic operations in flight: enough to keep an engine's threads busy, few enough for a batch of thousands. */
const IN_FLIGHT = 64;

/** One partition's share of a write, ready for the transaction. */
interface SealedWrite extends Announcement {
  readonly expectedVersion: number;
  readonly clear: boolean;
  readonly delete: readonly string[];
  readonly put: readonly (readonly [name: string, stored: Uint8Array<ArrayBuffer>])[];
}

export interface IndexedDbStoreParts {
  readonly name: string;
  readonly database: Database;
  readonly vault: Vault;
  readonly announcements: Announcements;
  readonly lifetime: Lifetime;
}

/** See `openIndexedDbStore`. */
export class IndexedDbStore implements Store {
  readonly #name: string;
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #announcements: Announcements;
  readonly #lifetime: Lifetime;

  constructor({ name, database, vault, announcements, lifetime }: IndexedDbStoreParts) {
    this.#name = name;
    this.#database = database;
    this.#vault = vault;
    this.#announcements = announcements;
    this.#lifetime = lifetime;
  }

  read(
    partition: string,
    ranges: readonly RecordRange[],
    { signal }: StoreCallOptions = {},
  ): Promise<PartitionSnapshot> {
    return this.#lifetime.run(async () => {
      assertName(partition, "Partition name");
      const intervals = toIntervals(ranges).filter((interval) => interval !== undefined);
      const tag = await this.#vault.partitionTag(partition);
      const [stored, found] = await this.#transact(() => this.#load(tag, intervals, signal), signal);
      const version = await this.#authenticVersion(tag, partition, stored);
      const opened = await mapLimit(found, IN_FLIGHT, async ([name, value]) => {
        signal?.throwIfAborted();
        if (!isBytes(value)) throw corrupt("A record is not a byte array");
        return [name, await this.#vault.openRecord({ tag, version }, name, value)] as const;
      });
      return { version, records: new Map(opened), damaged: [] };
    }, signal);
  }

  readChanges(): Promise<PartitionChanges | undefined> {
    return this.#lifetime.run(() => undefined, undefined);
  }

  partitions({ signal }: StoreCallOptions = {}): Promise<{
    readonly names: readonly string[];
    readonly damaged: number;
  }> {
    return this.#lifetime.run(async () => {
      const stored = await this.#transact(() => this.#loadPartitions(signal), signal);
      const names = await mapLimit(stored, IN_FLIGHT, async ([tag, value]) => {
        signal?.throwIfAborted();
        const { version, sealed } = requireRow(value);
        return this.#vault.openPartition({ tag, version }, sealed);
      });
      return { names, damaged: 0 };
    }, signal);
  }

  discard(): Promise<void> {
    return this.#lifetime.run(() => undefined, undefined);
  }

  write(writes: readonly PartitionWrite[], { signal }: StoreCallOptions = {}): Promise<void> {
    return this.#lifetime.run(async () => {
      const plan = planWrites(writes);
      if (plan.length === 0) return;
      const sealed = await this.#seal(plan, signal);
      await this.#transact(() => this.#commit(sealed, signal), signal);
      this.#announcements.send(sealed.map(({ tag, version, sealed: name }) => ({ tag, version, sealed: name })));
    }, signal);
  }

  async exclusive<T>(name: string, task: (lost: AbortSignal) => Promise<T>, options: LockOptions = {}): Promise<T> {
    this.#lifetime.assertUsable();
    assertName(name, "Lock name");
    return runExclusive({
      locks: new Locks(platformLocks(), systemTime),
      lifetime: this.#lifetime,
      name,
      lock: `coppice-store:${this.#name}:${await this.#vault.lockName(name)}`,
      task,
      options,
      platformFailure: (error) => platformError(error, "to take a lock"),
    });
  }

  subscribe(listener: (change: StoreChange) => void): () => void {
    this.#lifetime.assertUsable();
    return this.#announcements.subscribe(listener);
  }

  async close(): Promise<void> {
    await this.#lifetime.end();
    this.#announcements.close();
    this.#database.close();
  }

  /** A partition's row and the selected records, of one moment. */
  async #load(
    tag: Uint8Array<ArrayBuffer>,
    intervals: readonly NameInterval[],
    signal: AbortSignal | undefined,
  ): Promise<readonly [row: unknown, records: readonly (readonly [string, unknown])[]]> {
    const transaction = this.#database.transaction(["partitions", "records"]);
    return runTransaction(transaction, signal, async () => {
      const records = transaction.objectStore("records");
      const [row, ...selections] = await Promise.all([
        transaction.objectStore("partitions").get(tag),
        ...intervals.map((interval) => select(records, tag, interval)),
      ]);
      return [row, selections.flat()];
    });
  }

  async #loadPartitions(
    signal: AbortSignal | undefined,
  ): Promise<readonly (readonly [tag: Uint8Array<ArrayBuffer>, row: unknown])[]> {
    const transaction = this.#database.transaction("partitions");
    return runTransaction(transaction, signal, async () => {
      const [tags, rows] = await Promise.all([transaction.store.getAllKeys(), transaction.store.getAll()]);
      return tags.map((tag, index) => [new Uint8Array(tag), rows[index]] as const);
    });
  }

  async #authenticVersion(tag: Uint8Array<ArrayBuffer>, partition: string, stored: unknown): Promise<number> {
    if (stored === undefined) return 0;
    const row = requireRow(stored);
    const name = await this.#vault.openPartition({ tag, version: row.version }, row.sealed);
    if (name !== partition) throw corrupt("Two partitions have one tag");
    return row.version;
  }

  async #seal(plan: readonly PlannedWrite[], signal: AbortSignal | undefined): Promise<readonly SealedWrite[]> {
    try {
      const sealed: SealedWrite[] = [];
      for (const write of plan) {
        const place = { tag: await this.#vault.partitionTag(write.partition), version: write.newVersion };
        const [put, name] = await Promise.all([
          mapLimit([...write.put], IN_FLIGHT, async ([record, value]) => {
            signal?.throwIfAborted();
            return [record, await this.#vault.sealRecord(place, record, value)] as const;
          }),
          this.#vault.sealPartition(place, write.partition),
        ]);
        const { expectedVersion, clear } = write;
        sealed.push({ ...place, sealed: name, expectedVersion, clear, delete: write.delete, put });
      }
      return sealed;
    } finally {
      wipePlan(plan);
    }
  }

  /** Compares all versions, then writes all; resolves when the transaction is durable. */
  async #commit(writes: readonly SealedWrite[], signal: AbortSignal | undefined): Promise<void> {
    const transaction = this.#database.transaction(["partitions", "records"], "readwrite", { durability: "strict" });
    await runTransaction(transaction, signal, async () => {
      const partitions = transaction.objectStore("partitions");
      const rows: readonly unknown[] = await Promise.all(writes.map(({ tag }) => partitions.get(tag)));
      writes.forEach(({ expectedVersion }, index) => {
        const row = rows[index];
        const actual = row === undefined ? 0 : requireRow(row).version;
        if (actual !== expectedVersion) throw conflictError(index, expectedVersion, actual);
      });
      // Not through idb, which makes a promise per request: these are thousands, and the transaction tells of failures.
      const rawPartitions = unwrap(partitions);
      const rawRecords = unwrap(transaction.objectStore("records"));
      for (const write of writes) {
        if (write.clear) rawRecords.delete(partitionRange(write.tag));
        for (const name of write.delete) rawRecords.delete([write.tag, name]);
        for (const [name, stored] of write.put) rawRecords.put(stored, [write.tag, name]);
        if (write.version === 0) rawPartitions.delete(write.tag);
        else rawPartitions.put({ version: write.version, sealed: write.sealed } satisfies PartitionRow, write.tag);
      }
      transaction.commit();
    });
  }

  /** Runs a transaction and turns what IndexedDB reports into the contract's codes, or the reason it was ended for. */
  async #transact<T>(transaction: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await transaction();
    } catch (error) {
      if (error instanceof Error && WHEN_ENDED.has(error.name)) {
        signal?.throwIfAborted();
        // Running calls outlive `close`: if the store has ended, the database was taken away before they could finish.
        await nextTask();
        this.#lifetime.assertUsable();
      }
      throw platformError(error, "to access the database");
    }
  }
}

/** What requests and transactions fail with when their database is closed or their transaction aborted. */
const WHEN_ENDED: ReadonlySet<string> = new Set([
  "AbortError",
  "InvalidStateError",
  "TransactionInactiveError",
  "UnknownError",
]);

/** A database that the browser closes aborts its transactions first and fires `close` after. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

function requireRow(stored: unknown): PartitionRow {
  const row = parseRow(stored);
  if (row === undefined) throw corrupt("The row of a partition is damaged");
  return row;
}

function corrupt(message: string): Error {
  return storeError("ERR_STORE_CORRUPT", message);
}
