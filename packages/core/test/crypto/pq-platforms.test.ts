/** ML-KEM and ML-DSA where the platform has them, or says so. Noble plays the platform: `npm run engines` asks real ones. */
import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Bytes, utf8 } from "../../src/codec/bytes.ts";
import { mlDsa } from "../../src/crypto/ml-dsa.ts";
import { mlKem } from "../../src/crypto/ml-kem.ts";

interface FakeKey {
  readonly seed: Bytes | undefined;
  readonly publicKey: Bytes;
}

/** As SubtleCrypto has them; `buffer` is what it returns. */
const buffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

const honest = {
  importKey: (format: string, bytes: Bytes, algorithm: string): Promise<FakeKey> => {
    if (format === "raw-public") return Promise.resolve({ seed: undefined, publicKey: bytes.slice() });
    if (format !== "raw-seed") return Promise.reject(new DOMException("unknown", "NotSupportedError"));
    const { publicKey } = (algorithm.startsWith("ML-KEM") ? ml_kem768 : ml_dsa44).keygen(bytes);
    return Promise.resolve({ seed: bytes.slice(), publicKey: new Uint8Array(publicKey) });
  },
  getPublicKey: (key: FakeKey) => Promise.resolve({ ...key, seed: undefined }),
  exportKey: (_format: string, { publicKey }: FakeKey) => Promise.resolve(buffer(publicKey)),
  encapsulateBits: (_algorithm: string, { publicKey }: FakeKey) => {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey);
    return Promise.resolve({ ciphertext: buffer(cipherText), sharedKey: buffer(sharedSecret) });
  },
  decapsulateBits: (_algorithm: string, { seed }: FakeKey, ciphertext: Bytes) =>
    Promise.resolve(buffer(ml_kem768.decapsulate(ciphertext, ml_kem768.keygen(seed).secretKey))),
  sign: (_algorithm: string, { seed }: FakeKey, message: Bytes) =>
    Promise.resolve(buffer(ml_dsa44.sign(message, ml_dsa44.keygen(seed).secretKey))),
  verify: (_algorithm: string, { publicKey }: FakeKey, signature: Bytes, message: Bytes) =>
    Promise.resolve(ml_dsa44.verify(signature, message, publicKey)),
};

const added = ["getPublicKey", "encapsulateBits", "decapsulateBits"] as const;
const calls: string[] = [];

/** Puts a platform's functions in place, with some of its own. */
function platform(changes: Partial<Record<keyof typeof honest, (...parameters: never[]) => unknown>>): void {
  for (const [name, made] of Object.entries({ ...honest, ...changes })) {
    const counted = (...parameters: never[]): unknown => {
      calls.push(name);
      return made(...parameters);
    };
    Object.defineProperty(crypto.subtle, name, { value: counted, configurable: true, writable: true });
  }
}

beforeEach(() => {
  calls.length = 0;
});

afterEach(() => {
  vi.restoreAllMocks();
  for (const name of [...added, "importKey", "exportKey", "sign", "verify"])
    Reflect.deleteProperty(crypto.subtle, name);
});

const SEED = new Uint8Array(64).fill(7);

/** A secret arrives, and a changed ciphertext yields another one, whoever does it. */
async function expectMlKem(): Promise<void> {
  const kem = await mlKem("ML-KEM-768");
  calls.length = 0;
  const publicKey = await kem.publicKeyOf(SEED);
  expect(publicKey).toEqual(ml_kem768.keygen(SEED).publicKey);
  const { ciphertext, sharedSecret } = await kem.encapsulate(publicKey);
  expect(await kem.decapsulate(SEED, ciphertext)).toEqual(sharedSecret);
  const other = ciphertext.map((byte, i) => (i === 5 ? byte ^ 1 : byte));
  expect(await kem.decapsulate(SEED, other)).not.toEqual(sharedSecret);
}

describe("ML-KEM", () => {
  test("is the platform's where it works", async () => {
    platform({});
    await expectMlKem();
    expect(calls).toContain("encapsulateBits");
    expect(calls).toContain("decapsulateBits");
  });

  test("is noble's where the platform lacks it", async () => {
    await expectMlKem();
    expect(calls).toEqual([]);
  });

  test.each<[string, Parameters<typeof platform>[0]]>([
    ["has no such function", { encapsulateBits: undefined as never }],
    ["does not know the algorithm", { importKey: () => Promise.reject(new DOMException("none", "NotSupportedError")) }],
    ["agrees on another secret", { decapsulateBits: () => Promise.resolve(new ArrayBuffer(32)) }],
    [
      "refuses a forged ciphertext instead of yielding another secret",
      {
        decapsulateBits: (algorithm: string, key: FakeKey, ciphertext: Bytes) =>
          ciphertext.every((byte) => byte === 0)
            ? Promise.reject(new DOMException("forged", "OperationError"))
            : honest.decapsulateBits(algorithm, key, ciphertext),
      },
    ],
  ])("is noble's where the platform %s", async (_, changes) => {
    platform(changes);
    await expectMlKem();
    expect(calls).toEqual([]);
  });
});

describe("ML-DSA", () => {
  async function expectMlDsa(): Promise<void> {
    const scheme = await mlDsa("ML-DSA-44");
    calls.length = 0;
    const { publicKey, sign } = await scheme.importSigner(SEED.slice(0, 32));
    expect(publicKey).toEqual(ml_dsa44.keygen(SEED.slice(0, 32)).publicKey);
    const signature = await sign(utf8("message"));
    expect(await scheme.verify(publicKey, utf8("message"), signature)).toBe(true);
    expect(await scheme.verify(publicKey, utf8("another"), signature)).toBe(false);
  }

  test("is the platform's where it works, and what that throws is no valid signature", async () => {
    platform({});
    await expectMlDsa();
    expect(calls).toEqual([
      "importKey",
      "getPublicKey",
      "exportKey",
      "sign",
      "importKey",
      "verify",
      "importKey",
      "verify",
    ]);
    const scheme = await mlDsa("ML-DSA-44");
    platform({ verify: () => Promise.reject(new DOMException("none", "OperationError")) });
    expect(await scheme.verify(new Uint8Array(1312), utf8("message"), new Uint8Array(2420))).toBe(false);
  });

  test.each<[string, Parameters<typeof platform>[0]]>([
    ["takes any signature", { verify: () => Promise.resolve(true) }],
    ["takes none", { verify: () => Promise.resolve(false) }],
    ["does not know the algorithm", { importKey: () => Promise.reject(new DOMException("none", "NotSupportedError")) }],
  ])("is noble's where the platform %s", async (_, changes) => {
    platform(changes);
    await expectMlDsa();
    expect(calls).toEqual([]);
  });
});
