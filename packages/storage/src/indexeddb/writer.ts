/** Writing: encrypt, then compare all versions and write all in one transaction, durable when it resolves. */
import { mapLimit } from "@coppice/kit";
import { unwrap } from "idb";
import { conflictError } from "../errors.ts";
import { entriesKept, journalEntry, MAX_JOURNAL_WRITES } from "../journal.ts";
import { type PlannedWrite, wipePlan } from "../write-plan.ts";
import { type Access, corrupt, IN_FLIGHT, requireRow } from "./access.ts";
import type { Announcement } from "./announcements.ts";
import { encodeEntry } from "./journal-rows.ts";
import type { PartitionRow } from "./parse.ts";
import { assertNeverWritten, partitionRange } from "./records.ts";
import { runTransaction } from "./transaction.ts";

/** One partition's share of a write, ready for the transaction. */
interface SealedWrite extends Announcement {
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
  async write(plan: readonly PlannedWrite[], signal: AbortSignal | undefined): Promise<readonly Announcement[]> {
    const writes = await this.#seal(plan, signal);
    try {
      await this.#access.transact(() => this.#commit(writes, signal), signal);
    } catch (error) {
      throw isAheadOfRow(error) ? corrupt("The row of a partition is older than its journal") : error;
    }
    return writes.map(({ tag, version, sealed }) => ({ tag, version, sealed }));
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

  async #commit(writes: readonly SealedWrite[], signal: AbortSignal | undefined): Promise<void> {
    const transaction = this.#access.database.transaction(["partitions", "records", "journal"], "readwrite", {
      durability: "strict",
    });
    await runTransaction(transaction, signal, async () => {
      const partitions = transaction.objectStore("partitions");
      const journal = transaction.objectStore("journal");
      const rows: readonly unknown[] = await Promise.all(writes.map(({ tag }) => partitions.get(tag)));
      for (const [index, { tag, expectedVersion }] of writes.entries()) {
        const row = rows[index];
        if (row === undefined) await assertNeverWritten(journal, tag);
        const actual = row === undefined ? 0 : requireRow(row).version;
        if (actual !== expectedVersion) throw conflictError(index, expectedVersion, actual);
      }
      // Not through idb, which makes a promise per request: these are thousands, and the transaction tells of failures.
      const raw = {
        partitions: unwrap(partitions),
        records: unwrap(transaction.objectStore("records")),
        journal: unwrap(journal),
      };
      for (const write of writes) {
        const { tag, version, sealed } = write;
        if (write.clear) raw.records.delete(partitionRange(tag));
        for (const name of write.delete) raw.records.delete([tag, name]);
        for (const [name, stored] of write.put) raw.records.put(stored, [tag, name]);
        raw.partitions.put({ version, sealed } satisfies PartitionRow, tag);
        // Not `put`: if this version was written before, someone put the partition's row back to an older one.
        raw.journal.add(write.journal, [tag, version]);
        const dropped = version - write.entriesKept;
        if (dropped >= 1) raw.journal.delete(journalRange(tag, version, dropped));
      }
      transaction.commit();
    });
  }
}

/**
 * The journal's rows up to that of version `dropped`. Earlier writes left at most `MAX_JOURNAL_WRITES` of them, so that the
 * engine need not look further down, where it would wade through what it has deleted but not yet forgotten.
 */
function journalRange(tag: Uint8Array<ArrayBuffer>, version: number, dropped: number): IDBKeyRange {
  return IDBKeyRange.bound([tag, Math.max(1, version - MAX_JOURNAL_WRITES)], [tag, dropped]);
}

/** What the transaction fails with when the journal has a row of the new version already. */
function isAheadOfRow(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && error.cause.name === "ConstraintError";
}
