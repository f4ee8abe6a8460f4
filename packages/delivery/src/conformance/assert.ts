/** Assertions without a test runner. */
import { toHex } from "@coppice/core";
import { isCoppiceError, type CoppiceError } from "@coppice/kit";
import type { DeliveryErrorCode } from "../contract.ts";

/** The element at `index`, which is there by construction of the case. */
export function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new Error(`nothing at index ${index} of ${values.length}`);
  return value;
}

/** Compares plain data, byte strings by content. */
export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [show(actual), show(expected)];
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`);
}

/** Plain data as text. */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes(${toHex(value)})`;
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (value instanceof Map) return `Map${show([...value])}`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([key, field]) => `${key}: ${show(field)}`)
      .sort()
      .join(", ")}}`;
  }
  return String(value);
}

/** Awaits the rejection with this code. */
export async function assertRejects(work: Promise<unknown>, code: DeliveryErrorCode): Promise<CoppiceError> {
  let outcome: unknown;
  try {
    outcome = await work;
  } catch (error) {
    if (isCoppiceError(error, code)) return error;
    throw new Error(`expected ${code}, got ${String(error)}`, { cause: error });
  }
  throw new Error(`expected ${code}, but the call resolved with ${show(outcome)}`);
}
