/** ML-KEM-768 and ML-KEM-1024 as KEMs of HPKE (draft-ietf-hpke-pq §3). */
import { randomBytes } from "@coppice/kit";
import type { Bytes } from "../codec/bytes.ts";
import type { HpkeKeyPair, Kem } from "./hpke.ts";
import { unusableKey, unusableOutput } from "./kem-refusals.ts";
import { mlKem } from "./ml-kem.ts";
import { ML_KEM_SEED, type MlKemName } from "./ml-kem-parameters.ts";
import { deriveSeed } from "./shake-derive.ts";

const KEM_IDS: Readonly<Record<MlKemName, number>> = { "ML-KEM-768": 0x0041, "ML-KEM-1024": 0x0042 };

export async function kemMlKem(name: MlKemName): Promise<Kem> {
  const kem = await mlKem(name);
  const id = KEM_IDS[name];
  const pairOf = async (privateKey: Bytes): Promise<HpkeKeyPair> => ({
    privateKey,
    publicKey: await kem.publicKeyOf(privateKey),
  });
  return {
    id,
    Npk: kem.Nek,
    Nsk: ML_KEM_SEED,
    generateKeyPair: () => pairOf(randomBytes(ML_KEM_SEED)),
    deriveKeyPair: (secret) => pairOf(deriveSeed(id, secret, ML_KEM_SEED)),
    validatePublicKey: (publicKey) => (kem.isPublicKey(publicKey) ? Promise.resolve() : Promise.reject(unusableKey())),
    encap: async (recipient) => {
      if (!kem.isPublicKey(recipient)) throw unusableKey();
      const { ciphertext, sharedSecret } = await kem.encapsulate(recipient);
      return { kemOutput: ciphertext, sharedSecret };
    },
    decap: async ({ privateKey }, kemOutput) => {
      if (kemOutput.length !== kem.Nct) throw unusableOutput();
      return kem.decapsulate(privateKey, kemOutput);
    },
  };
}
