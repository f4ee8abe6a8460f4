/** The public-key operations of suite 1, bare, on SubtleCrypto: no implementation of MLS can be faster than its share of them. */
import { median } from "./median.ts";
import type { Work } from "./scenario.ts";

const { subtle } = globalThis.crypto;

/** Microseconds for one operation, one after the other. */
export type PublicKeyTimes = Required<Work>;

export interface PublicKeyOperations {
  readonly sign: () => Promise<unknown>;
  readonly verify: () => Promise<unknown>;
  readonly generate: () => Promise<unknown>;
  readonly agree: () => Promise<unknown>;
}

async function pair(name: "Ed25519" | "X25519", usages: KeyUsage[]): Promise<CryptoKeyPair> {
  const made = await subtle.generateKey(name, true, usages);
  if (!("privateKey" in made)) throw new Error(`no ${name} here`);
  return made;
}

/** Received keys arrive as bytes, so that importing them is part of verifying and agreeing. */
export async function publicKeyOperations(): Promise<PublicKeyOperations> {
  const [signer, own] = [await pair("Ed25519", ["sign", "verify"]), await pair("X25519", ["deriveBits"])];
  const [signerKey, theirKey] = [
    await subtle.exportKey("raw", signer.publicKey),
    await subtle.exportKey("raw", (await pair("X25519", ["deriveBits"])).publicKey),
  ];
  const data = crypto.getRandomValues(new Uint8Array(200));
  const signature = await subtle.sign("Ed25519", signer.privateKey, data);
  return {
    sign: () => subtle.sign("Ed25519", signer.privateKey, data),
    verify: async () => {
      const key = await subtle.importKey("raw", signerKey, "Ed25519", false, ["verify"]);
      return subtle.verify("Ed25519", key, signature, data);
    },
    generate: () => subtle.generateKey("X25519", true, ["deriveBits"]),
    agree: async () => {
      const key = await subtle.importKey("raw", theirKey, "X25519", false, []);
      return subtle.deriveBits({ name: "X25519", public: key }, own.privateKey, 256);
    },
  };
}

const SAMPLES = 7;
const RUNS = 40;

/** Medians, measured now; it takes some 100 ms. */
export async function timePublicKeys(operations: PublicKeyOperations): Promise<PublicKeyTimes> {
  const time = async (operation: () => Promise<unknown>): Promise<number> => {
    const samples: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample++) {
      const start = performance.now();
      for (let run = 0; run < RUNS; run++) await operation();
      samples.push(((performance.now() - start) / RUNS) * 1_000);
    }
    return median(samples);
  };
  return {
    sign: await time(operations.sign),
    verify: await time(operations.verify),
    generate: await time(operations.generate),
    agree: await time(operations.agree),
  };
}

/** Microseconds that `work` takes. */
export function timeOf(work: Work, { sign, verify, generate, agree }: PublicKeyTimes): number {
  const { sign: s = 0, verify: v = 0, generate: g = 0, agree: d = 0 } = work;
  return s * sign + v * verify + g * generate + d * agree;
}
