/**
 * Shape checks for what arrives by postMessage. Each returns the value with its type, or throws a `TypeError`: for the
 * worker that is the caller's mistake, for the page it means that the worker cannot be trusted any more.
 */

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new TypeError("an object is expected");
  return value;
}

/** At most `maxLength` UTF-16 code units. */
export function text(value: unknown, maxLength: number): string {
  if (typeof value !== "string") throw new TypeError("a string is expected");
  if (value.length > maxLength) throw new TypeError(`a string of at most ${maxLength} characters is expected`);
  return value;
}

export function flag(value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError("a boolean is expected");
  return value;
}

export function finite(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new TypeError("a finite number is expected");
  return value;
}

/** A safe integer from 0. */
export function count(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new TypeError("an integer from 0 is expected");
  }
  return value;
}

export function big(value: unknown): bigint {
  if (typeof value !== "bigint" || value < 0n) throw new TypeError("a bigint from 0 is expected");
  return value;
}

/** Bytes that nobody else can change: shared memory is refused. */
export function bytes(value: unknown, maxLength: number): Uint8Array<ArrayBuffer> {
  if (!isOwnBytes(value)) throw new TypeError("a Uint8Array is expected");
  if (value.length > maxLength) throw new TypeError(`at most ${maxLength} bytes are expected`);
  return value;
}

function isOwnBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;
}

export function list<T>(value: unknown, maxLength: number, item: (value: unknown) => T): readonly T[] {
  if (!Array.isArray(value)) throw new TypeError("an array is expected");
  if (value.length > maxLength) throw new TypeError(`at most ${maxLength} items are expected`);
  return Array.from(value, item);
}

export function optional<T>(value: unknown, parse: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : parse(value);
}

export function oneOf<T extends string>(value: unknown, options: readonly T[]): T {
  const found = options.find((option) => option === value);
  if (found === undefined) throw new TypeError(`one of ${options.join(", ")} is expected`);
  return found;
}
