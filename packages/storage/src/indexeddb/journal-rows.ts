/**
 * The journal as it is stored: a row per write under `[tag, version]`, sealed. In it, names are divided by U+0000, which no
 * name contains; those that were put come first, then an empty one, then those that were deleted. A row that tells no
 * names (of a clear, or of a write of too many records) is empty.
 */
import { isCoppiceError, mapLimit } from "@coppice/kit";
import type { JournalEntry } from "../journal.ts";
import { isBytes } from "./parse.ts";
import { IN_FLIGHT, type Vault } from "./vault.ts";

/** A row as the database gives it back. */
export type JournalRow = readonly [version: number, stored: unknown];

const BETWEEN_NAMES = "\0";
const BETWEEN_LISTS = "\0\0";

/** The plaintext of a row. */
export function encodeEntry(entry: JournalEntry | undefined): Uint8Array<ArrayBuffer> {
  if (entry === undefined) return new Uint8Array();
  const lists = [entry.put, entry.delete].map((names) => names.join(BETWEEN_NAMES));
  return new TextEncoder().encode(lists.join(BETWEEN_LISTS));
}

/** The entry that a plaintext holds; undefined if it tells no names. */
export function decodeEntry(plaintext: Uint8Array<ArrayBuffer>): JournalEntry | undefined {
  if (plaintext.length === 0) return undefined;
  const [put = [], deleted = []] = new TextDecoder()
    .decode(plaintext)
    .split(BETWEEN_LISTS)
    .map((list) => (list === "" ? [] : list.split(BETWEEN_NAMES)));
  return { put, delete: deleted };
}

/** Plaintext of an authentic row; undefined for one that was changed, moved, or is no row at all. */
export async function openJournalRow(
  vault: Vault,
  tag: Uint8Array<ArrayBuffer>,
  [version, stored]: JournalRow,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!isBytes(stored) || !Number.isSafeInteger(version) || version < 1) return undefined;
  try {
    return await vault.openJournal({ tag, version }, stored);
  } catch (error) {
    if (isCoppiceError(error, "ERR_STORE_CORRUPT")) return undefined;
    throw error;
  }
}

/** The entries of all writes after version `since`, up to `version`; undefined if one is missing, damaged or tells nothing. */
export async function openEntries(
  vault: Vault,
  tag: Uint8Array<ArrayBuffer>,
  { since, version, rows }: { readonly since: number; readonly version: number; readonly rows: readonly JournalRow[] },
): Promise<readonly JournalEntry[] | undefined> {
  // As many as there are versions, all different, and only whole ones are authentic: then none is missing.
  if (rows.length !== version - since) return undefined;
  const entries = await mapLimit(rows, IN_FLIGHT, async (row) => {
    const plaintext = await openJournalRow(vault, tag, row);
    return plaintext === undefined ? undefined : decodeEntry(plaintext);
  });
  const told = entries.filter((entry) => entry !== undefined);
  return told.length === entries.length ? told : undefined;
}
