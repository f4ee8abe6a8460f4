/**
 * ML-DSA (FIPS 204) with an empty context, keys and signatures in their raw form (draft-ietf-tls-mldsa, RFC 9881). Private keys are the
 * 32-byte seed ξ.
 */
import { randomBytes } from "@coppice/kit";
import type { Bytes } from "../codec/bytes.ts";
import { ML_DSA_SEED, ML_DSA_SIZES, type MlDsaName, type PlatformMlDsa } from "./ml-dsa-parameters.ts";
import { modernSubtle, publicBytesOf } from "./modern-subtle.ts";
import { works } from "./platform.ts";
import { type PlatformScheme, malformedPrivateKey } from "./signature.ts";
import { VerificationKeys } from "./verification-keys.ts";

function onSubtle(name: MlDsaName): PlatformMlDsa {
  const verifiers = new VerificationKeys((publicKey) =>
    modernSubtle().importKey("raw-public", publicKey, name, false, ["verify"]),
  );
  return {
    importSigner: async (seed) => {
      const key = await modernSubtle().importKey("raw-seed", seed, name, false, ["sign"]);
      return {
        publicKey: await publicBytesOf(key, "verify"),
        sign: async (message) => new Uint8Array(await modernSubtle().sign(name, key, message)),
      };
    },
    verify: async (publicKey, message, signature) =>
      modernSubtle().verify(name, await verifiers.get(publicKey), signature, message),
  };
}

/** Whether the algorithm works here, found by doing it: what is signed verifies, and another message does not. */
function usable({ importSigner, verify }: PlatformMlDsa): Promise<boolean> {
  return works(async () => {
    const { publicKey, sign } = await importSigner(new Uint8Array(ML_DSA_SEED));
    const signature = await sign(Uint8Array.of(1));
    const verdicts = [
      await verify(publicKey, Uint8Array.of(1), signature),
      await verify(publicKey, Uint8Array.of(2), signature),
    ];
    if (verdicts[0] !== true || verdicts[1] !== false) throw new Error("another verdict");
  });
}

/** On SubtleCrypto where it works, else on noble. Any bytes of the right length are a public key. */
export async function mlDsa(name: MlDsaName): Promise<PlatformScheme> {
  const { publicKey: publicKeyLength, signature: signatureLength } = ML_DSA_SIZES[name];
  const native = onSubtle(name);
  const { importSigner, verify } = (await usable(native))
    ? native
    : (await import("./ml-dsa-noble.ts")).mlDsaOnNoble(name);
  const isPublicKey = (publicKey: Bytes): boolean => publicKey.length === publicKeyLength;
  return {
    name,
    publicKeyLength,
    privateKeyLength: ML_DSA_SEED,
    generateKeyPair: async () => {
      const privateKey = randomBytes(ML_DSA_SEED);
      return { privateKey, publicKey: (await importSigner(privateKey)).publicKey };
    },
    importSigner: (privateKey) =>
      privateKey.length === ML_DSA_SEED ? importSigner(privateKey) : Promise.reject(malformedPrivateKey()),
    isPublicKey,
    verify: async (publicKey, message, signature) => {
      if (!isPublicKey(publicKey) || signature.length !== signatureLength) return false;
      try {
        return await verify(publicKey, message, signature);
      } catch {
        return false;
      }
    },
  };
}
