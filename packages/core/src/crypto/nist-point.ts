/** Points of the NIST curves (RFC 5480 §2.2), as keys for signatures and for key agreement. */
import type { ECDSA } from "@noble/curves/abstract/weierstrass.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import type { Bytes } from "../codec/bytes.ts";
import type { NistCurveName } from "./nist-private-key.ts";

export const NOBLE_CURVES: Readonly<Record<NistCurveName, ECDSA>> = { "P-256": p256, "P-384": p384, "P-521": p521 };

/**
 * Whether `bytes` are an uncompressed point on the curve, with coordinates below the prime. Not for the platform to say: WebKitGTK
 * imports what is off the curve and agrees on keys with it, others import compressed points.
 */
export function isNistPoint(name: NistCurveName, bytes: Bytes): boolean {
  if (bytes[0] !== 4) return false;
  try {
    NOBLE_CURVES[name].Point.fromBytes(bytes);
    return true;
  } catch {
    return false;
  }
}
