/**
 * The hybrid KEMs MLKEM768-X25519 (X-Wing), MLKEM768-P256 and MLKEM1024-P384 (draft-ietf-hpke-pq §4,
 * draft-irtf-cfrg-concrete-hybrid-kems): the secret holds as long as one of the two halves does.
 */
import { randomBytes } from "@coppice/kit";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { type Bytes, concat, erase, utf8 } from "../codec/bytes.ts";
import type { HpkeKeyPair, Kem } from "./hpke.ts";
import { type HybridGroup, hybridNist, hybridX25519 } from "./hybrid-group.ts";
import { unusableKey, unusableOutput } from "./kem-refusals.ts";
import { mlKem } from "./ml-kem.ts";
import { ML_KEM_SEED, type MlKemName } from "./ml-kem-parameters.ts";
import { deriveSeed } from "./shake-derive.ts";

export type HybridKemName = "MLKEM768-X25519" | "MLKEM768-P256" | "MLKEM1024-P384";

interface Hybrid {
  readonly id: number;
  readonly mlKem: MlKemName;
  readonly group: () => Promise<HybridGroup>;
  readonly label: string;
}

const HYBRIDS: Readonly<Record<HybridKemName, Hybrid>> = {
  "MLKEM768-X25519": { id: 0x647a, mlKem: "ML-KEM-768", group: hybridX25519, label: "\\.//^\\" },
  "MLKEM768-P256": {
    ...({ id: 0x0050, mlKem: "ML-KEM-768", label: "MLKEM768-P256" } as const),
    group: () => Promise.resolve(hybridNist("P-256")),
  },
  "MLKEM1024-P384": {
    ...({ id: 0x0051, mlKem: "ML-KEM-1024", label: "MLKEM1024-P384" } as const),
    group: () => Promise.resolve(hybridNist("P-384")),
  },
};

/** A private key is a seed, from which both halves are expanded when they are used. */
const SEED = 32;

export async function kemHybrid(name: HybridKemName): Promise<Kem> {
  const { id, mlKem: mlKemName, group: groupOf, label } = HYBRIDS[name];
  const [lattice, group] = await Promise.all([mlKem(mlKemName), groupOf()]);
  const { Nek, Nct } = lattice;

  /** `expandDecapsulationKey`, its private halves, which are overwritten after use. */
  const withHalves = async <T>(seed: Bytes, use: (latticeSeed: Bytes, scalar: Bytes) => Promise<T>): Promise<T> => {
    const expanded = new Uint8Array(shake256(seed, { dkLen: ML_KEM_SEED + group.Nseed }));
    const latticeSeed = expanded.subarray(0, ML_KEM_SEED);
    const scalar = group.scalarOf(expanded.subarray(ML_KEM_SEED));
    try {
      return await use(latticeSeed, scalar);
    } finally {
      erase(expanded, scalar);
    }
  };
  const pairOf = (privateKey: Bytes): Promise<HpkeKeyPair> =>
    withHalves(privateKey, async (latticeSeed, scalar) => {
      const [ofLattice, ofGroup] = await Promise.all([lattice.publicKeyOf(latticeSeed), group.publicKeyOf(scalar)]);
      return { privateKey, publicKey: concat(ofLattice, ofGroup) };
    });
  /** `C2PRICombiner`: uses the two secrets up. */
  const combine = (ofLattice: Bytes, ofGroup: Bytes, element: Bytes, recipient: Bytes): Bytes => {
    const input = concat(ofLattice, ofGroup, element, recipient, utf8(label));
    const secret = new Uint8Array(sha3_256(input));
    erase(input, ofLattice, ofGroup);
    return secret;
  };
  const isPublicKey = (publicKey: Bytes): boolean =>
    publicKey.length === Nek + group.Nelem &&
    lattice.isPublicKey(publicKey.subarray(0, Nek)) &&
    group.isElement(publicKey.subarray(Nek));

  return {
    id,
    Npk: Nek + group.Nelem,
    Nsk: SEED,
    generateKeyPair: () => pairOf(randomBytes(SEED)),
    deriveKeyPair: (secret) => pairOf(deriveSeed(id, secret, SEED)),
    validatePublicKey: (publicKey) => (isPublicKey(publicKey) ? Promise.resolve() : Promise.reject(unusableKey())),
    encap: async (recipient) => {
      if (!isPublicKey(recipient)) throw unusableKey();
      const point = recipient.slice(Nek);
      const [{ ciphertext, sharedSecret }, { publicKey: element, dh }] = await Promise.all([
        lattice.encapsulate(recipient.slice(0, Nek)),
        group.agreeOnce(point),
      ]);
      return { kemOutput: concat(ciphertext, element), sharedSecret: combine(sharedSecret, dh, element, point) };
    },
    decap: ({ privateKey, publicKey }, kemOutput) =>
      withHalves(privateKey, async (latticeSeed, scalar) => {
        const [ciphertext, element] = [kemOutput.slice(0, Nct), kemOutput.slice(Nct)];
        if (ciphertext.length !== Nct || !group.isElement(element)) throw unusableOutput();
        const point = publicKey.slice(Nek);
        const [ofLattice, ofGroup] = await Promise.all([
          lattice.decapsulate(latticeSeed, ciphertext),
          group.agree({ privateKey: scalar, publicKey: point }, element),
        ]);
        return combine(ofLattice, ofGroup, element, point);
      }),
  };
}
