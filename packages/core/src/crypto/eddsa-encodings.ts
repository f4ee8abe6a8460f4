/**
 * Which EdDSA keys and signatures there are (RFC 8032 §5.1.7, §5.2.7): one encoding for each point and scalar, and no point of small
 * order. Platforms differ in what else they take, so that this is asked before them.
 */

import { type Bytes, equalBytes, fromHex } from "../codec/bytes.ts";
import type { PlatformScheme } from "./signature.ts";

/** An Edwards curve. Integers are little-endian and as long as an encoded point: y, and the sign of x in the highest bit. */
export interface EdwardsCurve {
  readonly prime: Bytes;
  /** Of the base point. */
  readonly order: Bytes;
  /** y of the points of small order, up to the sign. */
  readonly smallOrder: readonly Bytes[];
}

/** y is 0, 1 or that of a point of order 8. */
export const EDWARDS25519: EdwardsCurve = {
  prime: fromHex(`ed${"ff".repeat(30)}7f`),
  order: fromHex(`edd3f55c1a631258d69cf7a2def9de14${"00".repeat(15)}10`),
  smallOrder: [
    new Uint8Array(32),
    fromHex(`01${"00".repeat(31)}`),
    fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
  ],
};

/** A scheme as a platform has it. */
export type PlatformEddsa = Omit<PlatformScheme, "isPublicKey">;

/** The same scheme with one verdict on all platforms that compute `S·B = R + k·A`, k reduced by the order. */
export function strictEddsa({ prime, order, smallOrder }: EdwardsCurve, scheme: PlatformEddsa): PlatformScheme {
  const { length } = prime;
  // No byte of these needs to borrow from the next.
  const refused = smallOrder.flatMap((y) => [y, prime.map((byte, i) => byte - (y[i] ?? 0))]);
  /** Whether a point is encoded, as far as can be seen without computing: it may be off the curve. */
  const isPoint = (point: Bytes): boolean => {
    const y = new Uint8Array(point);
    y[length - 1] = (y[length - 1] ?? 0) & 0x7f;
    return isBelow(y, prime) && !refused.some((small) => equalBytes(small, y));
  };
  const isPublicKey = (bytes: Bytes): boolean => bytes.length === length && isPoint(bytes);
  const isSignature = (bytes: Bytes): boolean =>
    bytes.length === 2 * length && isPoint(bytes.subarray(0, length)) && isBelow(bytes.subarray(length), order);
  return {
    ...scheme,
    isPublicKey,
    verify: (publicKey, message, signature) =>
      isPublicKey(publicKey) && isSignature(signature)
        ? scheme.verify(publicKey, message, signature)
        : Promise.resolve(false),
  };
}

/** Whether an integer is less than another one of the same length. */
function isBelow(a: Bytes, b: Bytes): boolean {
  for (let i = a.length - 1; i >= 0; i--) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
