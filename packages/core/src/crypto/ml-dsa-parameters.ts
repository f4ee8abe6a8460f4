/** Parameter sets of ML-DSA (FIPS 204 §4), and what is needed of a platform. */
import type { PlatformScheme } from "./signature.ts";

export type MlDsaName = "ML-DSA-44" | "ML-DSA-65" | "ML-DSA-87";

/** Lengths in bytes (FIPS 204, table 2). */
export const ML_DSA_SIZES: Readonly<Record<MlDsaName, { readonly publicKey: number; readonly signature: number }>> = {
  "ML-DSA-44": { publicKey: 1312, signature: 2420 },
  "ML-DSA-65": { publicKey: 1952, signature: 3309 },
  "ML-DSA-87": { publicKey: 2592, signature: 4627 },
};

/** Bytes of a private key. */
export const ML_DSA_SEED = 32;

/** The algorithm as a platform has it, for keys and signatures of the right length. */
export type PlatformMlDsa = Pick<PlatformScheme, "importSigner" | "verify">;
