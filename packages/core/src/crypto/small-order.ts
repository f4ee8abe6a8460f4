/**
 * Public keys of X25519 and X448 whose every shared secret is zero (RFC 7748 §6, RFC 9180 §7.1.4). HPKE refuses to seal to them;
 * a leaf that had one would keep all others from making a Commit, so that it is refused as a leaf (R-5.1.1-3).
 */

import { type Bytes, equalBytes, fromHex } from "../codec/bytes.ts";

/** Little-endian u-coordinates, as on the wire: 0, 1, two of order 8, and p - 1, p and p + 1, which stand for -1, 0 and 1. */
const X25519 = [
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
].map(fromHex);

const X448 = [
  "00".repeat(56),
  `01${"00".repeat(55)}`,
  `fe${"ff".repeat(27)}fe${"ff".repeat(27)}`,
  `${"ff".repeat(28)}fe${"ff".repeat(27)}`,
  `${"00".repeat(28)}${"ff".repeat(28)}`,
].map(fromHex);

/** Told apart by length: keys of the NIST curves, which have no such points, are longer. */
export function hasSmallOrder(publicKey: Bytes): boolean {
  if (publicKey.length === 56) return X448.some((point) => equalBytes(point, publicKey));
  if (publicKey.length !== 32) return false;
  // X25519 ignores the top bit.
  const last = (publicKey[31] ?? 0) & 0x7f;
  return X25519.some((point) => point[31] === last && equalBytes(point.subarray(0, 31), publicKey.subarray(0, 31)));
}
