/** Writes, checked against the limits and copied, before any work starts. */
import { copyBytes, describe, isUint8Array } from "@coppice/kit";
import type { PartitionWrite } from "./contract.ts";
import { assertName } from "./names.ts";

/** Largest value of a record, in bytes. */
export const MAX_RECORD_BYTES: number = 64 * 1024 * 1024;
/** Most bytes of values in one write. */
export const MAX_WRITE_BYTES: number = 256 * 1024 * 1024;
/** Most names that one write may put or delete. */
export const MAX_WRITE_RECORDS: number = 1024 * 1024;

/** One partition's share of a write; values are the store's own copies. */
export interface PlannedWrite {
  readonly partition: string;
  readonly expectedVersion: number;
  readonly newVersion: number;
  /** Whether the partition exists after the write: not if it was cleared and nothing was put. */
  readonly exists: boolean;
  readonly clear: boolean;
  readonly put: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly delete: readonly string[];
}

/**
 * Checks everything, then copies: the caller may change its objects and overwrite its secrets as soon as this returns.
 */
export function planWrites(writes: readonly PartitionWrite[]): readonly PlannedWrite[] {
  assertWithinLimits(writes);
  return writes.map((write) => {
    const put = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const [name, value] of write.put ?? []) put.set(name, copyBytes(value, "A record's value"));
    const clear = write.clear ?? false;
    return {
      partition: write.partition,
      expectedVersion: write.expectedVersion,
      newVersion: write.expectedVersion + 1,
      exists: !clear || put.size > 0,
      clear,
      put,
      delete: clear ? [] : [...(write.delete ?? [])],
    };
  });
}

/** Overwrites the copies: values may be secrets. */
export function wipePlan(plan: readonly PlannedWrite[]): void {
  for (const write of plan) for (const value of write.put.values()) value.fill(0);
}

function assertWithinLimits(writes: readonly PartitionWrite[]): void {
  const partitions = new Set<string>();
  let records = 0;
  let bytes = 0;
  for (const write of writes) {
    assertName(write.partition, "Partition name");
    if (partitions.has(write.partition)) throw new TypeError("A partition occurs twice in one write");
    partitions.add(write.partition);
    if (!Number.isSafeInteger(write.expectedVersion + 1) || write.expectedVersion < 0) {
      throw new RangeError("expectedVersion must be a non-negative safe integer");
    }
    records += 1 + (write.put?.size ?? 0) + (write.delete?.length ?? 0);
    if (records > MAX_WRITE_RECORDS) throw new RangeError(`One write names more than ${MAX_WRITE_RECORDS} records`);
    for (const [name, value] of write.put ?? []) {
      assertName(name, "Record name");
      if (!isUint8Array(value)) throw new TypeError(`A record's value must be a Uint8Array, not ${describe(value)}`);
      if (value.length > MAX_RECORD_BYTES) throw new RangeError(`A value is larger than ${MAX_RECORD_BYTES} bytes`);
      bytes += value.length;
    }
    if (bytes > MAX_WRITE_BYTES) throw new RangeError(`One write is larger than ${MAX_WRITE_BYTES} bytes`);
    for (const name of write.delete ?? []) {
      assertName(name, "Record name");
      if (write.put?.has(name) === true) throw new TypeError("A record is both put and deleted");
    }
  }
}
