/** A store in memory, for tests and for clients that must not leave traces. */
import type {
  PartitionSnapshot,
  PartitionWrite,
  RecordRange,
  Store,
  StoreCallOptions,
  StoreChange,
} from "./contract.ts";
import { conflictError } from "./errors.ts";
import { Lifetime } from "./lifetime.ts";
import { Listeners } from "./listeners.ts";
import { MemoryPartition } from "./memory-partition.ts";
import { assertName } from "./names.ts";
import { NamedLocks } from "./named-locks.ts";
import { toIntervals } from "./range.ts";
import { planWrites, type PlannedWrite } from "./write-plan.ts";

/** Data that several memory stores share, as contexts of one origin share a database. Opaque. */
export interface MemoryDatabase {
  readonly kind: "coppice-memory-database";
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
export function createMemoryStore(database: MemoryDatabase = createMemoryDatabase()): Store {
  if (!(database instanceof Database)) throw new TypeError("Not a database from createMemoryDatabase");
  return new MemoryStore(database);
}

class Database implements MemoryDatabase {
  readonly kind = "coppice-memory-database";
  readonly partitions = new Map<string, MemoryPartition>();
  readonly locks = new NamedLocks();
  readonly listeners = new Set<Listeners>();
}

class MemoryStore implements Store {
  readonly #database: Database;
  readonly #lifetime = new Lifetime();
  readonly #listeners = new Listeners();

  constructor(database: Database) {
    this.#database = database;
    database.listeners.add(this.#listeners);
  }

  read(
    partition: string,
    ranges: readonly RecordRange[],
    { signal }: StoreCallOptions = {},
  ): Promise<PartitionSnapshot> {
    // The body runs before the first await: what it sees is one moment, without a lock.
    // eslint-disable-next-line @typescript-eslint/require-await
    return this.#lifetime.run(async () => {
      assertName(partition, "Partition name");
      const intervals = toIntervals(ranges);
      const stored = this.#database.partitions.get(partition);
      const records = new Map<string, Uint8Array<ArrayBuffer>>();
      for (const interval of intervals) {
        if (interval === undefined || stored === undefined) continue;
        for (const [name, value] of stored.select(interval)) records.set(name, value);
      }
      return { version: stored?.version ?? 0, records };
    }, signal);
  }

  partitions({ signal }: StoreCallOptions = {}): Promise<readonly string[]> {
    return this.#lifetime.run(() => Promise.resolve([...this.#database.partitions.keys()]), signal);
  }

  write(writes: readonly PartitionWrite[], { signal }: StoreCallOptions = {}): Promise<void> {
    // eslint-disable-next-line @typescript-eslint/require-await -- one moment again: all checks, then all changes
    return this.#lifetime.run(async () => {
      const plan = planWrites(writes);
      plan.forEach((write, index) => {
        const actual = this.#database.partitions.get(write.partition)?.version ?? 0;
        if (actual !== write.expectedVersion) throw conflictError(index, write.expectedVersion, actual);
      });
      for (const write of plan) this.#apply(write);
      this.#announce(plan);
    }, signal);
  }

  async exclusive<T>(name: string, task: () => Promise<T>, { signal }: StoreCallOptions = {}): Promise<T> {
    this.#lifetime.assertUsable();
    assertName(name, "Lock name");
    const ended = this.#lifetime.signal;
    return this.#database.locks.run(name, task, signal === undefined ? ended : AbortSignal.any([signal, ended]));
  }

  subscribe(listener: (change: StoreChange) => void): () => void {
    this.#lifetime.assertUsable();
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#database.listeners.delete(this.#listeners);
    this.#listeners.clear();
    await this.#lifetime.end();
  }

  #apply(write: PlannedWrite): void {
    const { partitions } = this.#database;
    const stored = partitions.get(write.partition) ?? new MemoryPartition();
    stored.apply(write);
    if (write.newVersion === 0) partitions.delete(write.partition);
    else partitions.set(write.partition, stored);
  }

  #announce(plan: readonly PlannedWrite[]): void {
    const others = [...this.#database.listeners].filter((listeners) => listeners !== this.#listeners);
    queueMicrotask(() => {
      for (const { partition, newVersion } of plan) {
        for (const listeners of others) listeners.notify({ partition, version: newVersion });
      }
    });
  }
}
