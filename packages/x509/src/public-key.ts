/** Public keys in certificates (RFC 5480, RFC 8410) as MLS writes them (RFC 9420 §5.1.1). */

import { type Bytes, fromHex, toHex } from "@coppice/core";
import type { PublicKey } from "./certificate.ts";

export const ED25519 = "1.3.101.112";
export const ED448 = "1.3.101.113";
export const EC = "1.2.840.10045.2.1";
export const RSA = "1.2.840.113549.1.1.1";

const EDWARDS_KEY_LENGTHS: ReadonlyMap<string, number> = new Map([
  [ED25519, 32],
  [ED448, 57],
]);

export interface Curve {
  readonly name: "P-256" | "P-384" | "P-521";
  /** Length of a field element, in bytes. */
  readonly length: number;
  /** Of the base point, big-endian. */
  readonly order: Bytes;
  /** A cipher suite with this curve. */
  readonly suite: number;
}

const P256: Curve = {
  ...({ name: "P-256", length: 32, suite: 0x0002 } as const),
  order: fromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
};
const P384: Curve = {
  ...({ name: "P-384", length: 48, suite: 0x0007 } as const),
  order: fromHex(`${"ff".repeat(24)}c7634d81f4372ddf581a0db248b0a77aecec196accc52973`),
};
const P521: Curve = {
  ...({ name: "P-521", length: 66, suite: 0x0005 } as const),
  order: fromHex(`01${"ff".repeat(32)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
};

/** By the DER, in hex, of the curve's object identifier. */
const CURVES: ReadonlyMap<string, Curve> = new Map([
  ["06082a8648ce3d030107", P256],
  ["06052b81040022", P384],
  ["06052b81040023", P521],
]);

/** The curve of an EC key; undefined for other keys and curves. */
export function curveOf({ algorithm: { id, parameters } }: PublicKey): Curve | undefined {
  return id === EC && parameters !== undefined ? CURVES.get(toHex(parameters)) : undefined;
}

/** The key as a leaf's `signature_key` has it; undefined if no cipher suite of RFC 9420 has such keys. */
export function signatureKeyOf(publicKey: PublicKey): Bytes | undefined {
  const { algorithm, key } = publicKey;
  const curve = curveOf(publicKey);
  if (curve !== undefined) return key.length === 1 + 2 * curve.length && key[0] === 0x04 ? key : undefined;
  const isEdwards = algorithm.parameters === undefined && key.length === EDWARDS_KEY_LENGTHS.get(algorithm.id);
  return isEdwards ? key : undefined;
}
