/** One test of the conformance suite, and what it expects with. */
import { isCoppiceError, sleep, systemTime } from "@coppice/kit";
import type {
  PartitionChanges,
  PartitionSnapshot,
  PartitionWrite,
  RecordRange,
  Store,
  StoreErrorCode,
} from "../contract.ts";

export interface StoreCase {
  readonly title: string;
  readonly run: (data: CaseData) => Promise<void>;
}

/** Opens a store on the data of the test; the suite closes it. */
export interface CaseData {
  readonly open: () => Promise<Store>;
}

/** Every record of a partition. */
export const ALL: readonly RecordRange[] = [{ prefix: "" }];

/** Fails the test. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Structural equality of plain values, by their JSON. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  expect(a === b, `${what}: expected ${b}, got ${a}`);
}

/** The promise rejects, with this code. */
export async function expectCode(promise: Promise<unknown>, code: StoreErrorCode): Promise<void> {
  const error = await rejection(promise);
  expect(isCoppiceError(error, code), `expected ${code}, got ${String(error)}`);
}

/** The promise rejects with a caller's mistake. */
export async function expectMistake(promise: Promise<unknown>, what: string): Promise<void> {
  const error = await rejection(promise);
  expect(
    error instanceof TypeError || error instanceof RangeError,
    `${what}: expected a TypeError or RangeError, got ${String(error)}`,
  );
}

/** What the promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}

/** A write of UTF-8 values to one partition. */
export function put(
  partition: string,
  expectedVersion: number,
  records: Readonly<Record<string, string>>,
): PartitionWrite {
  return {
    partition,
    expectedVersion,
    put: new Map(Object.entries(records).map(([name, text]) => [name, new TextEncoder().encode(text)])),
  };
}

/** Version and records as plain text, in order. */
export function text({ version, records }: PartitionSnapshot): readonly [number, ...(readonly [string, string])[]] {
  return [version, ...Array.from(records, ([name, value]) => [name, new TextDecoder().decode(value)] as const)];
}

/** Version, records that were put and names that were deleted, as plain text, in order. */
export function changes(told: PartitionChanges | undefined): unknown {
  if (told === undefined) return undefined;
  const [version, ...records] = text(told);
  return [version, records, told.deleted];
}

/** Names of the partitions that exist, in order. */
export async function names(store: Store): Promise<readonly string[]> {
  return [...(await store.partitions()).names].sort();
}

/** Waits until `condition` holds; fails after five seconds. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  for (const deadline = systemTime.elapsed() + 5_000; !condition();) {
    expect(systemTime.elapsed() < deadline, `timed out: ${what}`);
    await sleep(systemTime, 2);
  }
}

/** A promise and the function that resolves it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
