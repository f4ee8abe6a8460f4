/** The store contract: everything the engine asks of persistence. */

/**
 * Data is kept in *partitions* (the account, one per group). A partition is a set of named records and a version
 * that grows by one with each write. Record names are structural (`tree/17`, `outbox/3`): they carry no identities.
 *
 * Every name (of a partition, a record or a lock) is 1 to 512 UTF-16 code units of well-formed Unicode without
 * U+0000. Breaking this or another limit is a caller's mistake: `TypeError` or `RangeError`, and nothing is done.
 */
export interface PartitionWrite {
  /** Name of the partition. Stores keep it confidential at rest. */
  readonly partition: string;
  /** The version this write was computed from; 0 for a partition that does not exist. */
  readonly expectedVersion: number;
  /** Records to set. A record's value is at most 64 MiB. */
  readonly put?: ReadonlyMap<string, Uint8Array>;
  /** Names of records to delete; unknown names are no error. */
  readonly delete?: readonly string[];
  /** Deletes every record first; with nothing in `put`, the partition itself is gone (its version is 0 again). */
  readonly clear?: boolean;
}

/**
 * A selection of records by name, in the order of their UTF-16 code units. Bounds need not be names: with
 * `before` set to `prefix + "\0"` exactly the record called `prefix` is meant (see `oneRecord`).
 */
export interface RecordRange {
  /** Only names that start with this. */
  readonly prefix: string;
  /** Only names after (excluding) this one. */
  readonly after?: string;
  /** Only names before (excluding) this one. */
  readonly before?: string;
  /** From the last name to the first. Default false. */
  readonly reverse?: boolean;
  /** At most this many records. Default: all. */
  readonly limit?: number;
}

/** What a read saw: version and records of one moment. */
export interface PartitionSnapshot {
  /** 0 if the partition does not exist. */
  readonly version: number;
  /** In the order of the range. */
  readonly records: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** A change made through another store object on the same data (another tab, worker or service worker). */
export interface StoreChange {
  readonly partition: string;
  readonly version: number;
}

export interface StoreCallOptions {
  readonly signal?: AbortSignal;
}

/**
 * A durable, transactional key-value store.
 *
 * Every promise settles, whatever happens below; after `close` calls reject with `ERR_STORE_CLOSED`.
 */
export interface Store {
  /** Version and records of a partition, read as one consistent snapshot. Without ranges: version only. */
  read(partition: string, ranges: readonly RecordRange[], options?: StoreCallOptions): Promise<PartitionSnapshot>;

  /** Names of the partitions that exist, in no particular order. */
  partitions(options?: StoreCallOptions): Promise<readonly string[]>;

  /**
   * All writes or none, durable when the promise resolves. Values are copied before this returns. Each partition
   * may occur once. `ERR_STORE_CONFLICT` if any partition's version is not the expected one: nothing was written.
   * If the signal's reason is what it rejects with, nothing was written either.
   */
  write(writes: readonly PartitionWrite[], options?: StoreCallOptions): Promise<void>;

  /**
   * Runs `task` while no other context runs one under the same name (Web Locks or equal). The lock is not
   * reentrant. The signal ends the wait for the lock, not the task.
   */
  exclusive<T>(name: string, task: () => Promise<T>, options?: StoreCallOptions): Promise<T>;

  /**
   * Told of changes by *other* store objects on the same data, after they are durable. A hint: it may be late or, from
   * a frozen context, missing. Returns the release function. Throws `ERR_STORE_CLOSED` on a closed store.
   */
  subscribe(listener: (change: StoreChange) => void): () => void;

  /** Lets running reads and writes finish; calls that wait in `exclusive` reject. Idempotent. */
  close(): Promise<void>;
}

/** Codes that stores throw. */
export type StoreErrorCode =
  | "ERR_STORE_CONFLICT" // a partition's version is not the expected one
  | "ERR_STORE_CLOSED" // the store was closed
  | "ERR_STORE_QUOTA" // the device has no room left
  | "ERR_STORE_WRONG_KEY" // the key does not open this store
  | "ERR_STORE_NEWER_SCHEMA" // written by a newer version of Coppice
  | "ERR_STORE_BLOCKED" // another context holds an old version open
  | "ERR_STORE_CORRUPT" // a record does not authenticate or decode
  | "ERR_STORE_UNAVAILABLE" // the platform has no usable storage (private mode, disabled)
  | "ERR_STORE_LOST" // the database was deleted under us
  | "ERR_STORE_IO"; // anything else the platform reported
