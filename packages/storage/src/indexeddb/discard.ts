/** Giving up a partition whose row is damaged: everything of it goes, and it starts again at a version it cannot have had. */
import { isCoppiceError } from "@coppice/kit";
import { unwrap } from "idb";
import { MAX_JOURNAL_WRITES } from "../journal.ts";
import type { Access } from "./access.ts";
import { encodeEntry, type JournalRow, openJournalRow } from "./journal-rows.ts";
import type { PartitionRow } from "./parse.ts";
import { numbered, partitionRange } from "./records.ts";
import { BY_TAG } from "./schema.ts";
import { isRefused, runAtOnce } from "./transaction.ts";

/**
 * The last version is known only as far as rows still prove it. Nobody writes to a partition so often that the rest would
 * reach this far.
 */
const VERSIONS_SKIPPED = 2 ** 32;

/** Rows of the journal among which the newest are looked for: many times as many as any write leaves. */
const MAX_KEYS = 65_536;

type Tag = Uint8Array<ArrayBuffer>;

/** Clears a damaged partition and returns its new row; undefined, and nothing done, if it is sound. */
export async function discard(
  access: Access,
  partition: string,
  signal: AbortSignal | undefined,
): Promise<PartitionRow | undefined> {
  const tag = await access.vault.partitionTag(partition);
  const [key, row, entries] = await access.transact(() => load(access, tag, signal), signal);
  const rowVersion = await provenVersion(access, { tag, partition }, row, signal);
  const newest = entries[0]?.[0] ?? 0;
  if (rowVersion !== undefined && rowVersion >= newest) return undefined;
  const lastVersion = Math.max(rowVersion ?? 0, await lastProven(access, tag, entries));
  const place = { tag, version: lastVersion + VERSIONS_SKIPPED };
  const [sealed, entry] = await Promise.all([
    access.vault.sealPartition(place, { partition, exists: false }),
    access.vault.sealJournal(place, encodeEntry(undefined)),
  ]);
  const cleared = { ...place, sealed };
  return (await replace(access, key, cleared, entry, signal)) ? cleared : undefined;
}

/** The version that the row proves, 0 if there is none and never was; undefined if it is damaged. */
async function provenVersion(
  access: Access,
  place: { readonly tag: Tag; readonly partition: string },
  row: unknown,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  try {
    return await access.authenticVersion(place, row, signal);
  } catch (error) {
    if (isCoppiceError(error, "ERR_STORE_CORRUPT")) return undefined;
    throw error;
  }
}

/** The highest version of an authentic row of the journal; 0 without one. */
async function lastProven(access: Access, tag: Tag, entries: readonly JournalRow[]): Promise<number> {
  for (const entry of entries) {
    if ((await openJournalRow(access.vault, tag, entry)) !== undefined) return entry[0];
  }
  return 0;
}

/** A partition's row, its key, and the last rows of its journal, the newest first. */
async function load(
  { database }: Access,
  tag: Tag,
  signal: AbortSignal | undefined,
): Promise<readonly [key: IDBValidKey | undefined, row: unknown, entries: readonly JournalRow[]]> {
  const stores = database.transaction(["partitions", "journal"]);
  const [key, row, keys] = await runAtOnce(stores, signal, () => {
    const byTag = stores.objectStore("partitions").index(BY_TAG);
    const journal = stores.objectStore("journal");
    return Promise.all([byTag.getKey(tag), byTag.get(tag), journal.getAllKeys(numbered(tag), MAX_KEYS)]);
  });
  const first = keys.at(-MAX_JOURNAL_WRITES) ?? keys[0];
  if (first === undefined) return [key, row, []];
  const journal = database.transaction("journal");
  const entries = await runAtOnce(journal, signal, async () => {
    const range = IDBKeyRange.bound(first, [tag, Infinity]);
    const [found, values] = await Promise.all([
      journal.store.getAllKeys(range, MAX_JOURNAL_WRITES),
      journal.store.getAll(range, MAX_JOURNAL_WRITES),
    ]);
    return found.map(([, version], index) => [version, values[index]] as const);
  });
  return [key, row, entries.reverse()];
}

/** Replaces everything of the partition by a cleared row, unless another context has replaced the row under `key` meanwhile. */
async function replace(
  access: Access,
  key: IDBValidKey | undefined,
  row: PartitionRow,
  entry: Uint8Array<ArrayBuffer>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const stores = ["partitions", "records", "journal"] as const;
  try {
    await access.transact(() => {
      const transaction = access.database.transaction(stores, "readwrite", { durability: "strict" });
      return runAtOnce(transaction, signal, () => {
        const partitions = unwrap(transaction.objectStore("partitions"));
        const [records, journal] = [
          unwrap(transaction.objectStore("records")),
          unwrap(transaction.objectStore("journal")),
        ];
        if (key !== undefined) partitions.delete(key);
        partitions.add(row);
        records.delete(partitionRange(row.tag));
        journal.delete(partitionRange(row.tag));
        journal.add(entry, [row.tag, row.version]);
      });
    }, signal);
    return true;
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
}
