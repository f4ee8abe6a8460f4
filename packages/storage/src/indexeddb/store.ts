/** The store over IndexedDB. Inside a transaction only its own requests are awaited: encryption comes before, decryption after. */
import { type LockOptions, Locks, platformLocks, type Time } from "@coppice/kit";
import type {
  PartitionChanges,
  PartitionSnapshot,
  PartitionWrite,
  RecordRange,
  Store,
  StoreCallOptions,
  StoreChange,
} from "../contract.ts";
import { runExclusive } from "../exclusive.ts";
import { toChangeIntervals } from "../journal.ts";
import type { Lifetime } from "../lifetime.ts";
import { assertName } from "../names.ts";
import { toIntervals } from "../range.ts";
import { planWrites } from "../write-plan.ts";
import { Access } from "./access.ts";
import type { Announcements } from "./announcements.ts";
import { discard } from "./discard.ts";
import { platformError } from "./platform-error.ts";
import { Reader } from "./reader.ts";
import type { Database } from "./schema.ts";
import type { Vault } from "./vault.ts";
import { Writer } from "./writer.ts";

export interface IndexedDbStoreParts {
  readonly name: string;
  readonly database: Database;
  readonly vault: Vault;
  readonly announcements: Announcements;
  readonly lifetime: Lifetime;
  readonly time: Time;
}

/** See `openIndexedDbStore`. */
export class IndexedDbStore implements Store {
  readonly #name: string;
  readonly #access: Access;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #announcements: Announcements;
  readonly #lifetime: Lifetime;
  readonly #locks: Locks;

  constructor({ name, database, vault, announcements, lifetime, time }: IndexedDbStoreParts) {
    this.#name = name;
    this.#access = new Access({ database, vault, lifetime, time });
    this.#reader = new Reader(this.#access);
    this.#writer = new Writer(this.#access);
    this.#announcements = announcements;
    this.#lifetime = lifetime;
    this.#locks = new Locks(platformLocks(), time);
  }

  read(
    partition: string,
    ranges: readonly RecordRange[],
    { signal }: StoreCallOptions = {},
  ): Promise<PartitionSnapshot> {
    return this.#lifetime.run(() => {
      assertName(partition, "Partition name");
      const intervals = toIntervals(ranges).filter((interval) => interval !== undefined);
      return this.#reader.read(partition, intervals, signal);
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
      return this.#reader.readChanges(partition, since, toChangeIntervals(since, ranges), signal);
    }, signal);
  }

  partitions({ signal }: StoreCallOptions = {}): Promise<{
    readonly names: readonly string[];
    readonly damaged: number;
  }> {
    return this.#lifetime.run(() => this.#reader.partitions(signal), signal);
  }

  write(writes: readonly PartitionWrite[], { signal }: StoreCallOptions = {}): Promise<void> {
    return this.#lifetime.run(async () => {
      const plan = planWrites(writes);
      if (plan.length > 0) this.#announcements.send(await this.#writer.write(plan, signal));
    }, signal);
  }

  discard(partition: string, { signal }: StoreCallOptions = {}): Promise<void> {
    return this.#lifetime.run(async () => {
      assertName(partition, "Partition name");
      const discarded = await discard(this.#access, partition, signal);
      if (discarded !== undefined) this.#announcements.send([discarded]);
    }, signal);
  }

  async exclusive<T>(name: string, task: (lost: AbortSignal) => Promise<T>, options: LockOptions = {}): Promise<T> {
    this.#lifetime.assertUsable();
    assertName(name, "Lock name");
    return runExclusive({
      locks: this.#locks,
      lifetime: this.#lifetime,
      name,
      lock: `coppice-store:${this.#name}:${await this.#access.vault.lockName(name)}`,
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
    this.#access.database.close();
  }
}
