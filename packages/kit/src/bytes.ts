/** Byte strings from callers, who may hand in anything. */

const typedArray: object = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** Whether `value` is a `Uint8Array` (or a subclass such as `Buffer`), of this realm or another. */
export function isUint8Array(value: unknown): value is Uint8Array {
  // The getter of %TypedArray% reads an internal slot: it cannot be forged, and another realm's arrays have it too.
  return Reflect.get(typedArray, Symbol.toStringTag, value) === "Uint8Array";
}

/**
 * `TypeError`, naming `what`, for anything but a `Uint8Array`: a string, an array or an `ArrayBuffer` would silently become other
 * bytes.
 */
export function assertBytes(value: unknown, what: string): asserts value is Uint8Array {
  if (isUint8Array(value)) return;
  throw new TypeError(`${what} must be a Uint8Array, not ${describe(value)}`);
}

/** An own copy of a caller's bytes; refuses what `assertBytes` refuses. */
export function copyBytes(value: unknown, what: string): Uint8Array<ArrayBuffer> {
  assertBytes(value, what);
  const copy = new Uint8Array(value.length);
  copy.set(value);
  return copy;
}

/** What a value is, for messages to a programmer; never its content. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return "a string (encode it with utf8)";
  if (typeof value !== "object") return `a ${typeof value}`;
  const made: unknown = Reflect.get(value, "constructor");
  return typeof made === "function" && made.name !== "" ? made.name : "an object";
}

/** The most bytes that `crypto.getRandomValues` gives at once. */
const RANDOM_CHUNK = 65_536;

/**
 * `length` bytes from the platform's cryptographic random number generator, also more than `crypto.getRandomValues` gives at once.
 *
 * @example
 * ```ts run
 * import { randomBytes } from "@coppice/core";
 *
 * console.assert(randomBytes(32).length === 32);
 * ```
 */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_CHUNK) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + RANDOM_CHUNK));
  }
  return bytes;
}
