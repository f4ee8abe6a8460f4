/** Parsing what comes out of the database or off a channel: every byte of it may be hostile. */
import { isUint8Array } from "@coppice/kit";
import { TAG_BYTES } from "./vault.ts";

/** A partition as it is stored, under its tag, and as it is announced. */
export interface PartitionRow {
  /** In the clear, because the compare-and-swap happens where nothing can be decrypted; `sealed` authenticates it. */
  readonly version: number;
  /** The partition's name and whether it exists, sealed. */
  readonly sealed: Uint8Array<ArrayBuffer>;
}

/** The row of a partition; undefined if it is anything else. */
export function parseRow(value: unknown): PartitionRow | undefined {
  if (!isObject(value)) return undefined;
  const { version, sealed } = value;
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 1 || !isBytes(sealed))
    return undefined;
  return { version, sealed };
}

/** An announcement: a row and its tag. */
export function parseAnnouncement(
  value: unknown,
): (PartitionRow & { readonly tag: Uint8Array<ArrayBuffer> }) | undefined {
  const row = parseRow(value);
  if (row === undefined || !isObject(value) || !isBytes(value["tag"], TAG_BYTES)) return undefined;
  return { ...row, tag: value["tag"] };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Whether `value` is a byte array, of the given length if there is one. */
export function isBytes(value: unknown, length?: number): value is Uint8Array<ArrayBuffer> {
  return isUint8Array(value) && (length === undefined || value.length === length);
}
