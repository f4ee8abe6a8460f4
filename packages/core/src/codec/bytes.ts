/** Small helpers over byte strings. They are given to callers too: what are no bytes is a `TypeError`, not other bytes. */
import { assertBytes } from "@coppice/kit";

/** Bytes in memory of their own, of one realm or another: never of shared memory. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const EMPTY: Bytes = new Uint8Array(0);

const encoder = new TextEncoder();

/**
 * UTF-8 bytes of a text.
 *
 * @example
 * ```ts run
 * import { utf8 } from "@coppice/core";
 *
 * console.assert(utf8("é").length === 2);
 * ```
 */
export function utf8(text: string): Bytes {
  // A label of the protocol: an encoder takes ten times as long to start.
  if (text.length > 64) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return encoder.encode(text);
    bytes[i] = unit;
  }
  return bytes;
}

/**
 * The parts, one after the other, in a new array.
 *
 * @example
 * ```ts run
 * import { concat } from "@coppice/core";
 *
 * console.assert(concat(Uint8Array.of(1), Uint8Array.of(2, 3)).length === 3);
 * ```
 */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  for (const part of parts) assertBytes(part, "each part");
  const result = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

/**
 * For public values only: stops at the first difference.
 *
 * @example
 * ```ts run
 * import { equalBytes, fromHex } from "@coppice/core";
 *
 * console.assert(equalBytes(fromHex("00ff"), Uint8Array.of(0, 255)));
 * ```
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  assertBytes(a, "a");
  assertBytes(b, "b");
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * For secrets and tags (R-6.2-4): the time depends on the lengths alone.
 *
 * @example
 * ```ts run
 * import { equalConstantTime, randomBytes } from "@coppice/core";
 *
 * const tag = randomBytes(32);
 * console.assert(equalConstantTime(tag, tag.slice()));
 * ```
 */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  assertBytes(a, "a");
  assertBytes(b, "b");
  return a.length === b.length && equalThroughout(a, b);
}

/** Whether two lists of one length are equal: reads both to their ends, wherever they differ. */
export function equalThroughout(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * Two lowercase hexadecimal digits for each byte. Not for secrets: strings cannot be erased.
 *
 * @example
 * ```ts run
 * import { toHex } from "@coppice/core";
 *
 * console.assert(toHex(Uint8Array.of(0, 255)) === "00ff");
 * ```
 */
export function toHex(bytes: Uint8Array): string {
  assertBytes(bytes, "bytes");
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i] ?? 0] ?? "";
  return text;
}

/**
 * Decodes lower- or upper-case hex. `TypeError` for anything else.
 *
 * @example
 * ```ts run
 * import { fromHex } from "@coppice/core";
 *
 * console.assert(fromHex("00ff")[1] === 255);
 * ```
 */
export function fromHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) throw new TypeError("Not a hex string");
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(i * 2, i * 2 + 2), 16));
}

/**
 * Overwrites secrets. What JavaScript engines copied elsewhere stays out of reach.
 *
 * @example
 * ```ts run
 * import { erase, randomBytes } from "@coppice/core";
 *
 * const secret = randomBytes(32);
 * erase(secret);
 * console.assert(secret.every((byte) => byte === 0));
 * ```
 */
export function erase(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) {
    assertBytes(secret, "each secret");
    secret.fill(0);
  }
}
