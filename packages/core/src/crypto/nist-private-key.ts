/** `DeriveKeyPair` of the NIST curves (RFC 9180 §7.1.3), its private half. */
import type { HashKernel } from "@coppice/wasm";
import { type Bytes, concat, EMPTY, erase, fromHex, utf8 } from "../codec/bytes.ts";
import { CoppiceError } from "../errors.ts";
import { labeledKdf, uint16Bytes } from "./hpke-labels.ts";

export type NistCurveName = "P-256" | "P-384" | "P-521";

/** What distinguishes the curves. */
export interface NistCurve {
  readonly kemId: number;
  /** Order of the group, big-endian; its length is that of a private key. */
  readonly order: Bytes;
  /** Of the first byte of a candidate. */
  readonly bitmask: number;
}

export const NIST_CURVES: Readonly<Record<NistCurveName, NistCurve>> = {
  "P-256": {
    kemId: 0x0010,
    order: fromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    bitmask: 0xff,
  },
  "P-384": {
    kemId: 0x0011,
    order: fromHex(`${"ff".repeat(24)}c7634d81f4372ddf581a0db248b0a77aecec196accc52973`),
    bitmask: 0xff,
  },
  "P-521": {
    kemId: 0x0012,
    order: fromHex(`01${"ff".repeat(32)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
    bitmask: 0x01,
  },
};

/** `hash` is the KEM's. Almost always the first candidate is below the order. */
export function deriveNistPrivateKey(hash: HashKernel, { kemId, order, bitmask }: NistCurve, secret: Bytes): Bytes {
  const kdf = labeledKdf(hash, concat(utf8("KEM"), uint16Bytes(kemId)));
  const prk = kdf.extract(EMPTY, "dkp_prk", secret);
  try {
    for (let counter = 0; counter < 256; counter++) {
      const candidate = kdf.expand(prk, "candidate", Uint8Array.of(counter), order.length);
      candidate[0] = (candidate[0] ?? 0) & bitmask;
      if (isScalar(candidate, order)) return candidate;
      erase(candidate);
    }
  } finally {
    erase(prk);
  }
  throw new CoppiceError("ERR_MLS_CRYPTO", "No private key can be derived from this secret");
}

/** 0 < candidate < order, in the same time for all candidates of the order's length. */
export function isScalar(candidate: Bytes, order: Bytes): boolean {
  let borrow = 0;
  let bits = 0;
  for (let i = order.length - 1; i >= 0; i--) {
    const byte = candidate[i] ?? 0;
    borrow = ((byte - (order[i] ?? 0) - borrow) >>> 8) & 1;
    bits |= byte;
  }
  return borrow === 1 && bits !== 0;
}
