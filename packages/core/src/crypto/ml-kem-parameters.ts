/** Parameter sets of ML-KEM (FIPS 203 §8), and what is needed of a platform. */
import type { Bytes } from "../codec/bytes.ts";

export type MlKemName = "ML-KEM-768" | "ML-KEM-1024";

/** Bytes of a private key: d ‖ z. */
export const ML_KEM_SEED = 64;

/** Lengths in bytes (FIPS 203, table 3); k is the rank of the module. */
export const ML_KEM_SIZES: Readonly<
  Record<MlKemName, { readonly k: number; readonly Nek: number; readonly Nct: number }>
> = {
  "ML-KEM-768": { k: 3, Nek: 1184, Nct: 1088 },
  "ML-KEM-1024": { k: 4, Nek: 1568, Nct: 1568 },
};

/** The mechanism as a platform has it. */
export interface PlatformMlKem {
  /** `ML-KEM.KeyGen_internal`, its encapsulation key. */
  readonly publicKeyOf: (seed: Bytes) => Promise<Bytes>;
  readonly encapsulate: (publicKey: Bytes) => Promise<{ readonly ciphertext: Bytes; readonly sharedSecret: Bytes }>;
  /** Resolves with another secret for a ciphertext that was not made for this key (implicit rejection, §6.3). */
  readonly decapsulate: (seed: Bytes, ciphertext: Bytes) => Promise<Bytes>;
}
