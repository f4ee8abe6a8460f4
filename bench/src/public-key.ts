/** The public-key operations of suite 1, bare, on SubtleCrypto: no implementation of MLS can be faster than its share of them. */
import type { Work } from "./scenario.ts";

const { subtle } = globalThis.crypto;

export type PublicKeyOperations = Readonly<Record<Exclude<keyof Work, "keys">, () => Promise<unknown>>>;

async function pair(name: "Ed25519" | "X25519", usages: KeyUsage[]): Promise<CryptoKeyPair> {
  const made = await subtle.generateKey(name, true, usages);
  if (!("privateKey" in made)) throw new Error(`no ${name} here`);
  return made;
}

/** Different keys at most. */
const MOST_KEYS = 256;

interface Signed {
  readonly key: ArrayBuffer;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly signature: ArrayBuffer;
}

const rawKey = async ({ publicKey }: CryptoKeyPair): Promise<ArrayBuffer> => subtle.exportKey("raw", publicKey);

async function signedBy(signer: CryptoKeyPair): Promise<Signed> {
  const data = crypto.getRandomValues(new Uint8Array(200));
  return { key: await rawKey(signer), data, signature: await subtle.sign("Ed25519", signer.privateKey, data) };
}

/** Gives `count` values in turn. */
async function inTurn<T>(count: number, make: () => Promise<T>): Promise<() => T> {
  const made: T[] = [];
  while (made.length < count) made.push(await make());
  let next = 0;
  return () => made[next++ % made.length] as T;
}

/** Received keys arrive as bytes, so that importing them is part of verifying and agreeing. */
export async function publicKeyOperations(keys = 1): Promise<PublicKeyOperations> {
  const newSigner = (): Promise<CryptoKeyPair> => pair("Ed25519", ["sign", "verify"]);
  const [signer, own] = [await newSigner(), await pair("X25519", ["deriveBits"])];
  const { data } = await signedBy(signer);
  const count = Math.min(Math.max(keys, 1), MOST_KEYS);
  const received = await inTurn(count, async () => signedBy(await newSigner()));
  const theirs = await inTurn(count, async () => rawKey(await pair("X25519", ["deriveBits"])));
  return {
    sign: () => subtle.sign("Ed25519", signer.privateKey, data),
    verify: async () => {
      const { key: bytes, data: message, signature } = received();
      const key = await subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
      return subtle.verify("Ed25519", key, signature, message);
    },
    generate: () => subtle.generateKey("X25519", true, ["deriveBits"]),
    agree: async () => {
      const key = await subtle.importKey("raw", theirs(), "X25519", false, []);
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
