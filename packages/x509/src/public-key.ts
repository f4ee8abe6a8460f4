/** Public keys in certificates (RFC 5480, RFC 8410) as MLS writes them (RFC 9420 §5.1.1). */
import type { Bytes } from "@coppice/core";
import { toHex } from "@coppice/core";
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
}

/** By the DER, in hex, of the curve's object identifier. */
const CURVES: ReadonlyMap<string, Curve> = new Map<string, Curve>([
  ["06082a8648ce3d030107", { name: "P-256", length: 32 }],
  ["06052b81040022", { name: "P-384", length: 48 }],
  ["06052b81040023", { name: "P-521", length: 66 }],
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
