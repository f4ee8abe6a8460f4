/** Padding policies for application messages (RFC 9420 §15.1): how much of a message's length its ciphertext tells. */

/** The length, in bytes, to which application data of a length is padded: at least that length. */
export type Padding = (length: number) => number;

/** No padding: a ciphertext tells the length of the data exactly. For data that is of one length anyway. */
export const noPadding: Padding = (length) => length;

/**
 * Up to a multiple of `size` bytes, and at least that. All messages that fit into one block look alike; longer ones still
 * tell their length to within a block. `RangeError` unless `size` is a positive integer.
 *
 * @example
 * ```ts run
 * import { makeRules, padToBlocks } from "@coppice/core";
 * import { rules } from "./example-group.ts"; // docs/examples
 *
 * const { padding } = makeRules({ ...rules, padding: padToBlocks(256) });
 * console.assert(padding(0) === 256 && padding(256) === 256 && padding(257) === 512);
 * ```
 */
export function padToBlocks(size: number): Padding {
  if (!Number.isSafeInteger(size) || size < 1) throw new RangeError("A block has a positive number of bytes");
  return (length) => Math.max(1, Math.ceil(length / size)) * size;
}

/**
 * Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", 2019): at most 12 %
 * more, and of all lengths up to L only O(log log L) bits to be seen. At least 32 bytes. The default.
 *
 * @example
 * ```ts run
 * import { padme } from "@coppice/core";
 *
 * console.assert(padme(5) === 32 && padme(100) === 104 && padme(100_000) === 100_352);
 * ```
 */
export function padme(length: number): number {
  if (length < 32) return 32;
  const exponent = Math.floor(Math.log2(length));
  const unit = 2 ** (exponent - Math.floor(Math.log2(exponent)) - 1);
  return Math.ceil(length / unit) * unit;
}
