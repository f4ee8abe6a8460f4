/** ML-KEM (FIPS 203) over raw bytes. Private keys are the 64-byte seed d ‖ z, from which the expanded key is made when it is used. */
import { shake256 } from "@noble/hashes/sha3.js";
import { type Bytes, concat, equalBytes } from "../codec/bytes.ts";
import { modernSubtle, publicBytesOf } from "./modern-subtle.ts";
import { ML_KEM_SEED, ML_KEM_SIZES, type MlKemName, type PlatformMlKem } from "./ml-kem-parameters.ts";
import { works } from "./platform.ts";

/**
 * ML-KEM and what a caller checks first (FIPS 203 §7.2, §7.3), which is not left to platforms: `isPublicKey` of what it encapsulates to,
 * and the length of what it decapsulates.
 */
export interface MlKem extends PlatformMlKem {
  /** Length of an encapsulation key, in bytes. */
  readonly Nek: number;
  /** Length of a ciphertext, in bytes. */
  readonly Nct: number;
  /** The type check and the modulus check of an encapsulation key. */
  readonly isPublicKey: (publicKey: Bytes) => boolean;
}

const MODULUS = 3329;

/**
 * Whether all coefficients of an encapsulation key, of 12 bits each, are below the modulus (§7.2); the last 32 bytes are ρ. One verdict
 * on every platform.
 */
function isEncapsulationKey(name: MlKemName, publicKey: Bytes): boolean {
  const { k, Nek } = ML_KEM_SIZES[name];
  if (publicKey.length !== Nek) return false;
  for (let i = 0; i < 384 * k; i += 3) {
    const [a = 0, b = 0, c = 0] = publicKey.subarray(i, i + 3);
    if ((a | ((b & 0x0f) << 8)) >= MODULUS || ((b >>> 4) | (c << 4)) >= MODULUS) return false;
  }
  return true;
}

function onSubtle(name: MlKemName): PlatformMlKem {
  const importSeed = (seed: Bytes): Promise<CryptoKey> =>
    modernSubtle().importKey("raw-seed", seed, name, false, ["decapsulateBits"]);
  return {
    publicKeyOf: async (seed) => publicBytesOf(await importSeed(seed), "encapsulateBits"),
    encapsulate: async (publicKey) => {
      const key = await modernSubtle().importKey("raw-public", publicKey, name, false, ["encapsulateBits"]);
      const { ciphertext, sharedKey } = await modernSubtle().encapsulateBits(name, key);
      return { ciphertext: new Uint8Array(ciphertext), sharedSecret: new Uint8Array(sharedKey) };
    },
    decapsulate: async (seed, ciphertext) =>
      new Uint8Array(await modernSubtle().decapsulateBits(name, await importSeed(seed), ciphertext)),
  };
}

/**
 * Whether the algorithm works here, found by doing it: a secret arrives, and a ciphertext of zeros yields `J(z ‖ c)`, which proves
 * that seeds are read as d ‖ z and that ciphertexts are rejected implicitly.
 */
function usable(name: MlKemName, { publicKeyOf, encapsulate, decapsulate }: PlatformMlKem): Promise<boolean> {
  return works(async () => {
    const seed = Uint8Array.from({ length: ML_KEM_SEED }, (_, i) => i);
    const { ciphertext, sharedSecret } = await encapsulate(await publicKeyOf(seed));
    const zeros = new Uint8Array(ML_KEM_SIZES[name].Nct);
    const rejected = new Uint8Array(shake256(concat(seed.subarray(32), zeros), { dkLen: 32 }));
    if (!equalBytes(await decapsulate(seed, ciphertext), sharedSecret)) throw new Error("another secret");
    if (!equalBytes(await decapsulate(seed, zeros), rejected)) throw new Error("another rejection");
  });
}

/** On SubtleCrypto where it works, else on noble. */
export async function mlKem(name: MlKemName): Promise<MlKem> {
  const { Nek, Nct } = ML_KEM_SIZES[name];
  const native = onSubtle(name);
  const platform = (await usable(name, native)) ? native : (await import("./ml-kem-noble.ts")).mlKemOnNoble(name);
  return { ...platform, Nek, Nct, isPublicKey: (publicKey) => isEncapsulationKey(name, publicKey) };
}
