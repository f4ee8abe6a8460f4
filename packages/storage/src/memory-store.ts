/** A store in memory, for tests and for clients that must not leave traces. */
import { Listeners, type LockOptions, Locks, ProcessLocks, systemTime, type Time } from "@coppice/kit";
import type {
  PartitionChanges,
  PartitionSnapshot,
  PartitionWrite,
  RecordRange,
  Store,
  StoreCallOptions,
  StoreChange,
} from "./contract.ts";
import { conflictError } from "./errors.ts";
import { runExclusive } from "./exclusive.ts";
import { toChangeIntervals } from "./journal.ts";
import { Lifetime } from "./lifetime.ts";
import { MemoryPartition } from "./memory-partition.ts";
import { assertName } from "./names.ts";
import { toIntervals } from "./range.ts";
import { planWrites, type PlannedWrite } from "./write-plan.ts";

/** Data that several memory stores share, as contexts of one origin share a database. Opaque. */
export interface MemoryDatabase {
  readonly kind: "coppice-memory-database";
}

export interface MemoryStoreOptions {
  /** Measures the patience of `exclusive`. Default: the platform's. */
  readonly time?: Time;
}

/** Creates an empty database for `createMemoryStore`. */
export function createMemoryDatabase(): MemoryDatabase {
  return new Database();
}

/**
 * Opens a store in memory. It keeps the whole contract except durability; values are held in the clear and
 * overwritten when they are replaced or deleted.
 *
 * @param database - What to open; by default a new database that only this store sees.
 * @throws TypeError if `database` does not come from `createMemoryDatabase`.
 *
 * @example
 * const database = createMemoryDatabase();
 * const [page, worker] = [createMemoryStore(database), createMemoryStore(database)];
 */
export function createMemoryStore(
  database: MemoryDatabase = createMemoryDatabase(),
  { time = systemTime }: MemoryStoreOptions = {},
): Store {
  if (!(database instanceof Database)) throw new TypeError("Not a database from createMemoryDatabase");
  return new MemoryStore(database, time);
}

class Database implements MemoryDatabase {
  readonly kind = "coppice-memory-database";
  readonly partitions = new Map<string, MemoryPartition>();
  readonly locks = new ProcessLocks();
  readonly listeners = new Set<Listeners<{ change: StoreChange }>>();
}

class MemoryStore implements Store {
  readonly #database: Database;
  readonly #locks: Locks;
  readonly #lifetime = new Lifetime();
  readonly #listeners = new Listeners<{ change: StoreChange }>(["change"]);

  constructor(database: Database, time: Time) {
    this.#database = database;
    this.#locks = new Locks(database.locks, time);
    database.listeners.add(this.#listeners);
  }

  read(
    partition: string,
    ranges: readonly RecordRange[],
    { signal }: StoreCallOptions = {},
  ): Promise<PartitionSnapshot> {
    // Here as below, no call awaits anything: what it sees and does is one moment, without a lock.
    return this.#lifetime.run(() => {
      assertName(partition, "Partition name");
      const intervals = toIntervals(ranges);
      const stored = this.#partition(partition);
      const records = new Map<string, Uint8Array<ArrayBuffer>>();
      for (const interval of intervals) {
        if (interval === undefined) continue;
        for (const [name, value] of stored.select(interval)) records.set(name, value);
      }
      return { version: stored.version, records, damaged: [] };
    }, signal);
  }

  readChanges(
    partition: string,
    since: number,
    ranges: readonly RecordRange[],
    { signal }: StoreCallOptions = {},
  ): Promise<PartitionChanges | undefined> {
    return this.#lifetime.run(() => {
      assertName(partition, "Partition name");
      const intervals = toChangeIntervals(since, ranges);
      const stored = this.#partition(partition);
      const changes = stored.changes(since, intervals);
      if (changes === undefined) return undefined;
      const put = changes.filter(({ deleted }) => !deleted);
      return {
        version: stored.version,
        records: new Map(put.map(({ name }) => [name, stored.value(name)])),
        deleted: changes.filter(({ deleted }) => deleted).map(({ name }) => name),
        damaged: [],
      };
    }, signal);
  }

  partitions({ signal }: StoreCallOptions = {}): Promise<{ readonly names: readonly string[]; readonly damaged: 0 }> {
    return this.#lifetime.run(() => {
      const existing = [...this.#database.partitions].filter(([, { exists }]) => exists);
      return { names: existing.map(([name]) => name), damaged: 0 };
    }, signal);
  }

  write(writes: readonly PartitionWrite[], { signal }: StoreCallOptions = {}): Promise<void> {
    return this.#lifetime.run(() => {
      const plan = planWrites(writes);
      plan.forEach((write, index) => {
        const actual = this.#partition(write.partition).version;
        if (actual !== write.expectedVersion) throw conflictError(index, write.expectedVersion, actual);
      });
      for (const write of plan) this.#apply(write);
      this.#announce(plan);
    }, signal);
  }

  discard(partition: string, { signal }: StoreCallOptions = {}): Promise<void> {
    return this.#lifetime.run(() => {
      // Nothing is ever damaged in memory.
      assertName(partition, "Partition name");
    }, signal);
  }

  async exclusive<T>(name: string, task: (lost: AbortSignal) => Promise<T>, options: LockOptions = {}): Promise<T> {
    this.#lifetime.assertUsable();
    assertName(name, "Lock name");
    return runExclusive({
      locks: this.#locks,
      lifetime: this.#lifetime,
      name,
      lock: name,
      task,
      options,
      platformFailure: (error) => error,
    });
  }

  subscribe(listener: (change: StoreChange) => void): () => void {
    this.#lifetime.assertUsable();
    return this.#listeners.add("change", listener);
  }

  async close(): Promise<void> {
    this.#database.listeners.delete(this.#listeners);
    this.#listeners.clear();
    await this.#lifetime.end();
  }

  /** The partition of that name, or an empty one that is not part of the database. */
  #partition(name: string): MemoryPartition {
    return this.#database.partitions.get(name) ?? new MemoryPartition();
  }

  #apply(write: PlannedWrite): void {
    const stored = this.#partition(write.partition);
    stored.apply(write);
    this.#database.partitions.set(write.partition, stored);
  }

  #announce(plan: readonly PlannedWrite[]): void {
    const others = [...this.#database.listeners].filter((listeners) => listeners !== this.#listeners);
    queueMicrotask(() => {
      for (const { partition, newVersion } of plan) {
        for (const listeners of others) listeners.notify("change", { partition, version: newVersion });
      }
    });
  }
}
