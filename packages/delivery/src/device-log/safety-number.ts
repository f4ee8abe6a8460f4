/** A number that people compare to know that they mean the same people by their names. */
import { codec, concat, loadKernel, utf8, type Bytes } from "@coppice/core";
import { copyBytes } from "@coppice/kit";
import { HASH_BYTES } from "./codec.ts";

/** Makes the search for other logs with the same number as much dearer. */
const ITERATIONS = 512;
const GROUPS = 12;
const DIGITS = 5;

const people = codec.vector(codec.fixed(HASH_BYTES));

/**
 * 60 digits in 12 groups of 5, from the roots of the device logs of a set of people: two, or all of a group. The same for
 * everybody who knows the same people by the same logs, in whatever order; it changes when somebody joins, leaves or starts anew,
 * and at no other time.
 *
 * With `H` SHA-256:
 *
 * ```
 * opaque Root[32];
 * seed = H(utf8("Coppice safety number 2") ‖ Root roots<V>)
 * digest = H applied 512 times to (previous ‖ seed), starting from the seed
 * ```
 *
 * with each root once, sorted by their bytes. Group i of the result is `ExpandWithLabel(digest, "safety number", i, 5)` (RFC 9420 §8) as a
 * big-endian number, modulo 100,000.
 *
 * `RangeError` for a root that is no SHA-256, and where there is none.
 *
 * @example
 * ```ts run
 * import { safetyNumber } from "@coppice/delivery/contract";
 *
 * const alice = new Uint8Array(32).fill(1); // `root` of a `DeviceLog`
 * const bob = new Uint8Array(32).fill(2);
 * console.assert((await safetyNumber([alice, bob])) === (await safetyNumber([bob, alice])));
 * ```
 */
export async function safetyNumber(roots: readonly Uint8Array[]): Promise<string> {
  const sorted = sortedOnce(roots.map((root) => copyBytes(root, "The root of a device log")));
  if (sorted.length === 0) throw new RangeError("A safety number is about somebody: give at least one root");
  const { sha256 } = await loadKernel();
  const seed = sha256.digest(concat(utf8("Coppice safety number 2"), codec.encode(people, sorted)));
  let digest = seed;
  for (let i = 0; i < ITERATIONS; i++) digest = sha256.digest(concat(digest, seed));
  return Array.from({ length: GROUPS }, (_, i) => {
    const bytes = sha256.expandWithLabel(digest, "safety number", Uint8Array.of(i), 5);
    const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    return String(value % 10 ** DIGITS).padStart(DIGITS, "0");
  }).join(" ");
}

function sortedOnce(roots: readonly Bytes[]): readonly Bytes[] {
  const sorted = [...roots].sort(compareBytes);
  return sorted.filter((root, i) => i === 0 || compareBytes(root, sorted[i - 1] ?? root) !== 0);
}

function compareBytes(a: Bytes, b: Bytes): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at === -1 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? 0);
}
