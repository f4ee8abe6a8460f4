/** ML-DSA on noble, where the platform lacks it. */
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import type { MlDsaName, PlatformMlDsa } from "./ml-dsa-parameters.ts";

export function mlDsaOnNoble(name: MlDsaName): PlatformMlDsa {
  const scheme = { "ML-DSA-44": ml_dsa44, "ML-DSA-65": ml_dsa65, "ML-DSA-87": ml_dsa87 }[name];
  return {
    importSigner: async (seed) => {
      await Promise.resolve();
      const { publicKey, secretKey } = scheme.keygen(seed);
      return {
        publicKey: new Uint8Array(publicKey),
        sign: (message) => Promise.resolve(new Uint8Array(scheme.sign(message, secretKey))),
      };
    },
    verify: (publicKey, message, signature) => Promise.resolve(scheme.verify(signature, message, publicKey)),
  };
}
