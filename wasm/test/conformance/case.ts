/** What the suite is made of: cases for any test runner, and what they expect with. No module of Node is used here. */
import type { Bytes } from "../../src/index.ts";

export interface ConformanceCase {
  readonly title: string;
  /** Throws or rejects when the case fails. */
  readonly run: () => void | Promise<void>;
}

/** Fails the case. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Equality of bytes, or of refusals. */
export function expectSame(actual: Uint8Array | undefined, expected: Uint8Array | undefined, what: string): void {
  const same =
    actual === undefined || expected === undefined
      ? actual === expected
      : actual.length === expected.length && actual.every((byte, i) => byte === expected[i]);
  if (!same) throw new Error(`${what}: expected ${excerpt(expected)}, got ${excerpt(actual)}`);
}

/** The call throws an error of this kind. */
export function expectError(kind: typeof TypeError | typeof RangeError, call: () => unknown, what: string): void {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  expect(thrown instanceof kind, `${what}: expected a ${kind.name}, got ${String(thrown)}`);
}

export function fromHex(text: string): Bytes {
  const digits = text.replace(/\s/g, "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export const ascii = (text: string): Bytes => new TextEncoder().encode(text);

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const output = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    output.set(part, at);
    at += part.length;
  }
  return output;
}

/** A copy with one bit changed. */
export function flipped(data: Uint8Array, bit: number): Bytes {
  const copy = new Uint8Array(data);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

function excerpt(data: Uint8Array | undefined): string {
  if (data === undefined) return "a refusal";
  const start = Array.from(data.subarray(0, 40), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${data.length} bytes ${start}${data.length > 40 ? "…" : ""}`;
}
