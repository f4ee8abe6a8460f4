/** Writing: encrypt, then compare all versions and write all in one transaction, durable when it resolves. */
import { mapLimit } from "@coppice/kit";
import { unwrap } from "idb";
import { conflictError } from "../errors.ts";
import { entriesKept, journalEntry, MAX_JOURNAL_WRITES } from "../journal.ts";
import { type PlannedWrite, wipePlan } from "../write-plan.ts";
import { type Access, corrupt, requireRow } from "./access.ts";
import { encodeEntry } from "./journal-rows.ts";
import type { PartitionRow } from "./parse.ts";
import { partitionRange } from "./records.ts";
import { BY_TAG } from "./schema.ts";
import { isRefused, runAtOnce } from "./transaction.ts";
import { IN_FLIGHT } from "./vault.ts";

/** A write that was refused may find, when it asks why, that it would succeed now: how often it is tried. */
const MAX_ATTEMPTS = 8;

/** One partition's share of a write, ready for the transaction. */
interface SealedWrite extends PartitionRow {
  readonly expectedVersion: number;
  readonly clear: boolean;
  readonly delete: readonly string[];
  readonly put: readonly (readonly [name: string, stored: Uint8Array<ArrayBuffer>])[];
  /** The journal's new row, and how many rows stay with it. */
  readonly journal: Uint8Array<ArrayBuffer>;
  readonly entriesKept: number;
}

export class Writer {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Carries a plan out and overwrites its values. Returns what to announce. */
  async write(plan: readonly PlannedWrite[], signal: AbortSignal | undefined): Promise<readonly PartitionRow[]> {
    const [writes] = await Promise.all([this.#seal(plan, signal), this.#assertPossible(plan, signal)]);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      try {
        await this.#access.transact(() => this.#commit(writes, signal), signal);
        return writes.map(({ tag, version, sealed }) => ({ tag, version, sealed }));
      } catch (error) {
        if (!isRefused(error)) throw error;
        await this.#explain(writes, signal);
      }
    }
    throw corrupt("The row of a partition cannot be replaced");
  }

  /**
   * The comparison in `#commit` refuses a write where there is a row of another version, not where there is none: that is found
   * here, meanwhile. A row that is there stays.
   */
  async #assertPossible(plan: readonly PlannedWrite[], signal: AbortSignal | undefined): Promise<void> {
    const { database, vault } = this.#access;
    const tags = await Promise.all(plan.map(({ partition }) => vault.partitionTag(partition)));
    const keys = await this.#access.transact(() => {
      const transaction = database.transaction("partitions");
      const byTag = transaction.store.index(BY_TAG);
      return runAtOnce(transaction, signal, () => Promise.all(tags.map((tag) => byTag.getKey(tag))));
    }, signal);
    for (const [index, tag] of tags.entries()) {
      if (keys[index] !== undefined) continue;
      await this.#access.assertNeverWritten(tag, signal);
      const expectedVersion = plan[index]?.expectedVersion ?? 0;
      if (expectedVersion > 0) throw conflictError(index, expectedVersion, 0);
    }
  }

  async #seal(plan: readonly PlannedWrite[], signal: AbortSignal | undefined): Promise<readonly SealedWrite[]> {
    const { vault } = this.#access;
    try {
      const writes: SealedWrite[] = [];
      for (const write of plan) {
        const place = { tag: await vault.partitionTag(write.partition), version: write.newVersion };
        const entry = journalEntry(write);
        const [put, sealed, journal] = await Promise.all([
          mapLimit([...write.put], IN_FLIGHT, async ([record, value]) => {
            signal?.throwIfAborted();
            return [record, await vault.sealRecord(place, record, value)] as const;
          }),
          vault.sealPartition(place, write),
          vault.sealJournal(place, encodeEntry(entry)),
        ]);
        const { expectedVersion, clear } = write;
        const kept = entriesKept(entry);
        writes.push({
          ...place,
          sealed,
          expectedVersion,
          clear,
          delete: write.delete,
          put,
          journal,
          entriesKept: kept,
        });
      }
      return writes;
    } finally {
      wipePlan(plan);
    }
  }

  /** Makes all requests at once: whatever becomes of this context after that, the transaction completes or is undone. */
  async #commit(writes: readonly SealedWrite[], signal: AbortSignal | undefined): Promise<void> {
    const transaction = this.#access.database.transaction(["partitions", "records", "journal"], "readwrite", {
      durability: "strict",
    });
    await runAtOnce(transaction, signal, () => {
      // Not through idb, which makes a promise per request: these are thousands, and the transaction tells of failures.
      const partitions = unwrap(transaction.objectStore("partitions"));
      const records = unwrap(transaction.objectStore("records"));
      const journal = unwrap(transaction.objectStore("journal"));
      // All comparisons first: what is refused has cost little.
      for (const { tag, expectedVersion, version, sealed } of writes) {
        if (expectedVersion > 0) partitions.delete([tag, expectedVersion]);
        partitions.add({ tag, version, sealed } satisfies PartitionRow);
      }
      for (const write of writes) {
        const { tag, version } = write;
        if (write.clear) records.delete(partitionRange(tag));
        for (const name of write.delete) records.delete([tag, name]);
        for (const [name, stored] of write.put) records.put(stored, [tag, name]);
        // Not `put`: if this version was written before, someone put the partition's row back to an older one.
        journal.add(write.journal, [tag, version]);
        const dropped = version - write.entriesKept;
        if (dropped >= 1) journal.delete(journalRange(tag, version, dropped));
      }
    });
  }

  /** Throws what a write was refused for. Returns if it would not be refused any more. */
  async #explain(writes: readonly SealedWrite[], signal: AbortSignal | undefined): Promise<void> {
    const [rows, entries] = await this.#access.transact(() => {
      const transaction = this.#access.database.transaction(["partitions", "journal"]);
      const byTag = transaction.objectStore("partitions").index(BY_TAG);
      const journal = transaction.objectStore("journal");
      return runAtOnce(transaction, signal, () =>
        Promise.all([
          Promise.all(writes.map(({ tag }) => byTag.get(tag))),
          Promise.all(writes.map(({ tag, version }) => journal.getKey([tag, version]))),
        ]),
      );
    }, signal);
    for (const [index, { expectedVersion }] of writes.entries()) {
      const row = rows[index];
      const actual = row === undefined ? 0 : requireRow(row).version;
      if (actual !== expectedVersion) throw conflictError(index, expectedVersion, actual);
      if (entries[index] !== undefined) throw corrupt("The row of a partition is older than its journal");
    }
  }
}

/**
 * The journal's rows up to that of version `dropped`. Earlier writes left at most `MAX_JOURNAL_WRITES` of them, so that the
 * engine need not look further down, where it would wade through what it has deleted but not yet forgotten.
 */
function journalRange(tag: Uint8Array<ArrayBuffer>, version: number, dropped: number): IDBKeyRange {
  return IDBKeyRange.bound([tag, Math.max(1, version - MAX_JOURNAL_WRITES)], [tag, dropped]);
}
