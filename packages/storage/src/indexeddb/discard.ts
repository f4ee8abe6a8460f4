/** Giving up a partition whose row is damaged: everything of it goes, and it starts again at a version it cannot have had. */
import { isCoppiceError } from "@coppice/kit";
import { unwrap } from "idb";
import { MAX_JOURNAL_WRITES } from "../journal.ts";
import type { Access } from "./access.ts";
import type { Announcement } from "./announcements.ts";
import { encodeEntry, type JournalRow, openJournalRow } from "./journal-rows.ts";
import { type PartitionRow, parseRow } from "./parse.ts";
import { lastEntries, partitionRange } from "./records.ts";
import { runTransaction } from "./transaction.ts";

/**
 * The last version is known only as far as rows still prove it. Nobody writes to a partition so often that the rest would
 * reach this far.
 */
const VERSIONS_SKIPPED = 2 ** 32;

type Tag = Uint8Array<ArrayBuffer>;

/** Clears a damaged partition and returns what to announce; undefined, and nothing done, if it is sound. */
export async function discard(
  access: Access,
  partition: string,
  signal: AbortSignal | undefined,
): Promise<Announcement | undefined> {
  const tag = await access.vault.partitionTag(partition);
  const [row, entries] = await access.transact(() => load(access, tag, signal), signal);
  const rowVersion = await provenVersion(access, tag, partition, row);
  const newest = entries[0]?.[0] ?? 0;
  if (rowVersion !== undefined && rowVersion >= newest) return undefined;
  const lastVersion = Math.max(rowVersion ?? 0, await lastProven(access, tag, entries));
  const place = { tag, version: lastVersion + VERSIONS_SKIPPED };
  const [sealed, entry] = await Promise.all([
    access.vault.sealPartition(place, { partition, exists: false }),
    access.vault.sealJournal(place, encodeEntry(undefined)),
  ]);
  const announcement = { ...place, sealed };
  const replaced = await access.transact(() => replace(access, row, announcement, entry, signal), signal);
  return replaced ? announcement : undefined;
}

/** The version that the row proves, 0 if there is none and never was; undefined if it is damaged. */
async function provenVersion(access: Access, tag: Tag, partition: string, row: unknown): Promise<number | undefined> {
  try {
    return await access.authenticVersion(tag, partition, row);
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

async function load(
  { database }: Access,
  tag: Tag,
  signal: AbortSignal | undefined,
): Promise<readonly [row: unknown, entries: readonly JournalRow[]]> {
  const transaction = database.transaction(["partitions", "journal"]);
  return runTransaction(transaction, signal, () =>
    Promise.all([
      transaction.objectStore("partitions").get(tag),
      lastEntries(transaction.objectStore("journal"), tag, MAX_JOURNAL_WRITES),
    ]),
  );
}

/** Replaces everything of the partition by a cleared row, unless another context has replaced `row` meanwhile. */
async function replace(
  { database }: Access,
  row: unknown,
  { tag, version, sealed }: Announcement,
  entry: Uint8Array<ArrayBuffer>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const transaction = database.transaction(["partitions", "records", "journal"], "readwrite", { durability: "strict" });
  return runTransaction(transaction, signal, async () => {
    const partitions = transaction.objectStore("partitions");
    if (!isSameRow(row, await partitions.get(tag))) return false;
    const [records, journal] = [unwrap(transaction.objectStore("records")), unwrap(transaction.objectStore("journal"))];
    records.delete(partitionRange(tag));
    journal.delete(partitionRange(tag));
    unwrap(partitions).put({ version, sealed } satisfies PartitionRow, tag);
    journal.add(entry, [tag, version]);
    transaction.commit();
    return true;
  });
}

function isSameRow(before: unknown, now: unknown): boolean {
  const [a, b] = [parseRow(before), parseRow(now)];
  if (a === undefined || b === undefined) return a === b;
  return (
    a.version === b.version &&
    a.sealed.length === b.sealed.length &&
    a.sealed.every((byte, at) => byte === b.sealed[at])
  );
}
