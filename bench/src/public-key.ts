/** The public-key operations of suite 1, bare, on SubtleCrypto: no implementation of MLS can be faster than its share of them. */
import type { Work } from "./scenario.ts";

const { subtle } = globalThis.crypto;

export type PublicKeyOperations = Readonly<Record<keyof Work, () => Promise<unknown>>>;

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

const NAMES = ["sign", "verify", "generate", "agree"] as const;
const RUNS = 60;

/** Measures bare operations again and again, beside what needs them, so that the same disturbances meet both. */
export class PublicKeyClock {
  readonly #operations: PublicKeyOperations;
  readonly #work: Work;

  constructor(operations: PublicKeyOperations, work: Work) {
    this.#operations = operations;
    this.#work = work;
  }

  /** Microseconds that the work takes now. Measuring takes some milliseconds. */
  async sample(): Promise<number> {
    let sum = 0;
    for (const name of NAMES) {
      const times = this.#work[name] ?? 0;
      if (times === 0) continue;
      const operation = this.#operations[name];
      const start = performance.now();
      for (let run = 0; run < RUNS; run++) await operation();
      sum += (times * (performance.now() - start) * 1_000) / RUNS;
    }
    return sum;
  }
}
