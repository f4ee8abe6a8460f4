/** Reading: load in one transaction, then decrypt. What is damaged is named, and the rest is returned. */
import { isCoppiceError, mapLimit } from "@coppice/kit";
import type { PartitionChanges, PartitionSnapshot } from "../contract.ts";
import { changedNames, MAX_JOURNAL_WRITES, type NameChange } from "../journal.ts";
import type { NameInterval } from "../range.ts";
import { type Access, corrupt, requireRow } from "./access.ts";
import { type JournalRow, openEntries } from "./journal-rows.ts";
import { isBytes, parseRow } from "./parse.ts";
import { select, selectNames, type Selection } from "./records.ts";
import { BY_TAG } from "./schema.ts";
import { runAtOnce } from "./transaction.ts";
import { IN_FLIGHT, type Place, writtenVersion } from "./vault.ts";

/** Journal and records are read in two transactions: how often the first is repeated because of a write in between. */
const MAX_ATTEMPTS = 8;

type Tag = Uint8Array<ArrayBuffer>;
type Records = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

export class Reader {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  async read(
    partition: string,
    intervals: readonly NameInterval[],
    signal: AbortSignal | undefined,
  ): Promise<PartitionSnapshot> {
    const tag = await this.#access.vault.partitionTag(partition);
    const [stored, found] = await this.#access.transact(() => this.#load(tag, intervals, signal), signal);
    const version = await this.#access.authenticVersion({ tag, partition }, stored, signal);
    return { version, ...(await this.#open({ tag, version }, found, signal)) };
  }

  async readChanges(
    partition: string,
    since: number,
    intervals: readonly NameInterval[],
    signal: AbortSignal | undefined,
  ): Promise<PartitionChanges | undefined> {
    const tag = await this.#access.vault.partitionTag(partition);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const [stored, rows] = await this.#access.transact(() => this.#loadJournal(tag, since, signal), signal);
      const version = await this.#access.authenticVersion({ tag, partition }, stored, signal);
      const entries = await openEntries(this.#access.vault, tag, { since, version, rows });
      if (entries === undefined) return undefined;
      const changes = changedNames(since, entries, intervals);
      if (changes.length === 0) return { version, records: new Map(), deleted: [], damaged: [] };
      const found = await this.#access.transact(() => this.#loadNames({ tag, version }, changes, signal), signal);
      if (found !== undefined)
        return { version, ...(await this.#openChanges({ tag, version }, changes, found, signal)) };
    }
    return undefined;
  }

  async partitions(
    signal: AbortSignal | undefined,
  ): Promise<{ readonly names: readonly string[]; readonly damaged: number }> {
    const stored = await this.#access.transact(() => this.#loadPartitions(signal), signal);
    const states = await mapLimit(stored, IN_FLIGHT, async (value) => {
      signal?.throwIfAborted();
      return unlessDamaged(async () => {
        const row = requireRow(value);
        return this.#access.vault.openPartition(row, row.sealed);
      });
    });
    const sound = states.filter((state) => state !== undefined);
    const names = sound.filter(({ exists }) => exists).map(({ partition }) => partition);
    return { names, damaged: states.length - sound.length };
  }

  /** A partition's row and the selected records, of one moment. */
  async #load(
    tag: Tag,
    intervals: readonly NameInterval[],
    signal: AbortSignal | undefined,
  ): Promise<readonly [row: unknown, records: Selection]> {
    const transaction = this.#access.database.transaction(["partitions", "records"]);
    return runAtOnce(transaction, signal, async () => {
      const records = transaction.objectStore("records");
      const [row, ...selections] = await Promise.all([
        transaction.objectStore("partitions").index(BY_TAG).get(tag),
        ...intervals.map((interval) => select(records, tag, interval)),
      ]);
      return [row, selections.flat()];
    });
  }

  /** A partition's row and the journal's rows after version `since`, of one moment; not all if there are too many to tell. */
  async #loadJournal(
    tag: Tag,
    since: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly [row: unknown, rows: readonly JournalRow[]]> {
    const transaction = this.#access.database.transaction(["partitions", "journal"]);
    return runAtOnce(transaction, signal, async () => {
      const journal = transaction.objectStore("journal");
      const range = IDBKeyRange.bound([tag, since], [tag, since + MAX_JOURNAL_WRITES], true, false);
      // One more than there can be: rows that someone else put in between are not read without bound.
      const [row, keys, values] = await Promise.all([
        transaction.objectStore("partitions").index(BY_TAG).get(tag),
        journal.getAllKeys(range, MAX_JOURNAL_WRITES + 1),
        journal.getAll(range, MAX_JOURNAL_WRITES + 1),
      ]);
      const last = parseRow(row)?.version ?? 0;
      const rows = keys.map(([, version], index) => [version, values[index]] as const);
      return [row, rows.filter(([version]) => version <= last)];
    });
  }

  /** The changed records as they are now; undefined if the partition is no longer at `version`. */
  async #loadNames(
    { tag, version }: Place,
    changes: readonly NameChange[],
    signal: AbortSignal | undefined,
  ): Promise<readonly unknown[] | undefined> {
    const transaction = this.#access.database.transaction(["partitions", "records"]);
    return runAtOnce(transaction, signal, async () => {
      const names = changes.map(({ name }) => name);
      const [row, found] = await Promise.all([
        transaction.objectStore("partitions").index(BY_TAG).get(tag),
        selectNames(transaction.objectStore("records"), tag, names),
      ]);
      return parseRow(row)?.version === version ? names.map((name) => found.get(name)) : undefined;
    });
  }

  async #loadPartitions(signal: AbortSignal | undefined): Promise<readonly unknown[]> {
    const transaction = this.#access.database.transaction("partitions");
    return runAtOnce(transaction, signal, () => transaction.store.getAll());
  }

  async #open(
    { tag, version }: Place,
    found: Selection,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly records: Records; readonly damaged: readonly string[] }> {
    const opened = await mapLimit(found, IN_FLIGHT, async ([name, stored]) => {
      signal?.throwIfAborted();
      if (!isBytes(stored)) return [name, undefined] as const;
      const value = await unlessDamaged(() => this.#access.vault.openRecord(tag, name, stored));
      // An authentic record proves that the partition had a later version: not the record is wrong, but the row.
      if (value !== undefined && writtenVersion(stored) > version) {
        throw corrupt("The row of a partition is older than its records");
      }
      return [name, value] as const;
    });
    const records = new Map<string, Uint8Array<ArrayBuffer>>();
    const damaged = new Set<string>();
    for (const [name, value] of opened) {
      if (value === undefined) damaged.add(name);
      else records.set(name, value);
    }
    return { records, damaged: [...damaged] };
  }

  /** Opens what the journal says was put, and nothing else: its version must be that of the last write that put it. */
  async #openChanges(
    place: Place,
    changes: readonly NameChange[],
    found: readonly unknown[],
    signal: AbortSignal | undefined,
  ): Promise<Omit<PartitionChanges, "version">> {
    const put: (readonly [string, unknown])[] = [];
    const deleted: string[] = [];
    const wrong: string[] = [];
    changes.forEach((change, index) => {
      const stored = found[index];
      if (change.deleted && stored === undefined) deleted.push(change.name);
      else if (!change.deleted && isBytes(stored) && writtenVersion(stored) === change.version) {
        put.push([change.name, stored]);
      } else wrong.push(change.name);
    });
    const { records, damaged } = await this.#open(place, put, signal);
    return { records, deleted, damaged: [...wrong, ...damaged] };
  }
}

/** What `open` resolves with; undefined if it finds damage. Any other failure is passed on. */
async function unlessDamaged<T>(open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    if (isCoppiceError(error, "ERR_STORE_CORRUPT")) return undefined;
    throw error;
  }
}
