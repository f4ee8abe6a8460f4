/** ML-KEM on noble, where the platform lacks it. */
import { ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { erase } from "../codec/bytes.ts";
import type { MlKemName, PlatformMlKem } from "./ml-kem-parameters.ts";

export function mlKemOnNoble(name: MlKemName): PlatformMlKem {
  const kem = { "ML-KEM-768": ml_kem768, "ML-KEM-1024": ml_kem1024 }[name];
  return {
    publicKeyOf: async (seed) => {
      await Promise.resolve();
      const { publicKey, secretKey } = kem.keygen(seed);
      erase(secretKey);
      return new Uint8Array(publicKey);
    },
    encapsulate: async (publicKey) => {
      await Promise.resolve();
      const { cipherText, sharedSecret } = kem.encapsulate(publicKey);
      return { ciphertext: new Uint8Array(cipherText), sharedSecret: new Uint8Array(sharedSecret) };
    },
    decapsulate: async (seed, ciphertext) => {
      await Promise.resolve();
      const { secretKey } = kem.keygen(seed);
      try {
        return new Uint8Array(kem.decapsulate(ciphertext, secretKey));
      } finally {
        erase(secretKey);
      }
    },
  };
}
