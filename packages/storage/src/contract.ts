/** The store contract: everything the engine asks of persistence. */
import type { LockOptions } from "@coppice/kit";

/**
 * Data is kept in *partitions* (the account, one per group). A partition is a set of named records and a version
 * that grows by one with each write and never repeats, also when the partition is cleared and made again. Record names
 * are structural (`tree/17`, `outbox/3`): they carry no identities and nothing that another party knows.
 *
 * Every name (of a partition, a record or a lock) is 1 to 512 UTF-16 code units of well-formed Unicode without
 * U+0000. Breaking this or another limit is a caller's mistake: `TypeError` or `RangeError`, and nothing is done.
 */
export interface PartitionWrite {
  /** Name of the partition. Stores keep it confidential at rest. */
  readonly partition: string;
  /**
   * The version this write was computed from: what `read` said. 0 for a partition that never existed; that of a cleared
   * partition is the version of the write that cleared it.
   */
  readonly expectedVersion: number;
  /** Records to set. A record's value is at most 64 MiB. */
  readonly put?: ReadonlyMap<string, Uint8Array>;
  /** Names of records to delete; unknown names are no error. */
  readonly delete?: readonly string[];
  /**
   * Deletes every record first. With nothing in `put`, the partition is no longer listed by `partitions`; its version
   * stays, so that a context that slept cannot write an older state over a newer one.
   */
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
  /** At most this many records, from the first. Default: all. */
  readonly limit?: number;
  /** Only the last record. Default false; not with `limit`. */
  readonly last?: boolean;
}

/** What a read saw: version and records of one moment. */
export interface PartitionSnapshot {
  /** 0 if the partition never existed. */
  readonly version: number;
  /** In the order of the ranges. Records that do not authenticate are missing here and named in `damaged`. */
  readonly records: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** Names of selected records that were changed or moved by someone else. */
  readonly damaged: readonly string[];
}

/** What changed in a partition after a version. */
export interface PartitionChanges extends PartitionSnapshot {
  /**
   * Names that were deleted since and do not exist now, as far as they lie in the ranges; they need not have existed
   * before. `records` has those that were put since and exist now.
   */
  readonly deleted: readonly string[];
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
  /**
   * Version and records of a partition, read as one consistent snapshot. Without ranges: version only.
   * `ERR_STORE_CORRUPT` if the partition's own row is damaged; a damaged record is named in the answer instead.
   */
  read(partition: string, ranges: readonly RecordRange[], options?: StoreCallOptions): Promise<PartitionSnapshot>;

  /**
   * What changed after version `since`, at the cost of what changed: from an authenticated journal of the last writes.
   * Undefined if the journal does not reach back that far (too many or too large writes, or a clear, since), is damaged, or
   * if the partition is not yet at `since`: read the whole then. Ranges with `limit` or `last` are a `TypeError`.
   * `damaged` also names records that were put back to an older value, deleted or made by someone else.
   */
  readChanges(
    partition: string,
    since: number,
    ranges: readonly RecordRange[],
    options?: StoreCallOptions,
  ): Promise<PartitionChanges | undefined>;

  /** Names of the partitions that exist, in no particular order; and how many rows are damaged beyond their name. */
  partitions(options?: StoreCallOptions): Promise<{ readonly names: readonly string[]; readonly damaged: number }>;

  /**
   * All writes or none, durable when the promise resolves. Values are copied before this returns. Each partition
   * may occur once. `ERR_STORE_CONFLICT` if any partition's version is not the expected one: nothing was written.
   * If the signal's reason is what it rejects with, nothing was written either.
   */
  write(writes: readonly PartitionWrite[], options?: StoreCallOptions): Promise<void>;

  /**
   * Clears a partition whose own row is damaged (`read` rejects with `ERR_STORE_CORRUPT`), so that it can be written again:
   * from a version beyond any that it had, see `read`. Does nothing to a partition whose row is sound.
   */
  discard(partition: string, options?: StoreCallOptions): Promise<void>;

  /**
   * Runs `task` while no other context runs one under the same name (Web Locks or equal). The lock is not reentrant. The
   * signal ends the wait for the lock, not the task. With `patience`, a holder that is silent for so long is passed by:
   * then two tasks may run, and only the compare-and-swap of `write` keeps them from harm. `lost` tells the one passed by.
   */
  exclusive<T>(name: string, task: (lost: AbortSignal) => Promise<T>, options?: LockOptions): Promise<T>;

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
  | "ERR_STORE_OLD_SCHEMA" // written before the first release: delete the database (documented reset)
  | "ERR_STORE_BLOCKED" // another context holds an old version open
  | "ERR_STORE_CORRUPT" // a record does not authenticate or decode
  | "ERR_STORE_UNAVAILABLE" // the platform has no usable storage (private mode, disabled)
  | "ERR_STORE_LOST" // the database was deleted under us
  | "ERR_STORE_IO"; // anything else the platform reported
