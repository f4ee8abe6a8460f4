/** Hashing and key derivation: the kernel, noble and SubtleCrypto. */
import { createWasmKernel } from "@coppice/wasm";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Scenario } from "../src/scenario.ts";
import { assertSame, bytes } from "./inputs.ts";

const kernel = createWasmKernel();
const { subtle } = globalThis.crypto;
const SALT = bytes(32, 4);
const HMAC = { name: "HMAC", hash: "SHA-256" };

async function subtleHmac(key: Uint8Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const imported = await subtle.importKey("raw", key, HMAC, false, ["sign"]);
  return new Uint8Array(await subtle.sign(HMAC, imported, data));
}

async function subtleHkdf(ikm: Uint8Array<ArrayBuffer>, info: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const imported = await subtle.importKey("raw", ikm, "HKDF", false, ["deriveBits"]);
  const parameters = { name: "HKDF", hash: "SHA-256", salt: SALT, info };
  return new Uint8Array(await subtle.deriveBits(parameters, imported, 256));
}

const digest: Omit<Scenario, "sizes" | "name"> = {
  sizeUnit: "bytes",
  setup: async (size) => {
    const data = bytes(size);
    const coppice = (): Uint8Array => kernel.sha256.digest(data);
    const noble = (): Uint8Array => sha256(data);
    const platform = (): Promise<ArrayBuffer> => subtle.digest("SHA-256", data);
    assertSame([coppice(), noble(), new Uint8Array(await platform())]);
    return { coppice, peers: { "@noble/hashes": noble, SubtleCrypto: platform } };
  },
};

export const hashScenarios: readonly Scenario[] = [
  // What MLS hashes is small. On large inputs the platform wins with the processor's own instructions: no promise there.
  { ...digest, name: "hash: SHA-256", sizes: [32, 200], limit: 1 },
  { ...digest, name: "hash: SHA-256, large", sizes: [1_000, 65_536] },
  {
    name: "hash: HMAC-SHA-256, key used once",
    sizes: [32, 200],
    sizeUnit: "bytes",
    limit: 1,
    setup: async (size) => {
      const [key, data] = [bytes(32, 2), bytes(size)];
      const coppice = (): Uint8Array => kernel.sha256.hmac(key, data);
      const noble = (): Uint8Array => hmac(sha256, key, data);
      assertSame([coppice(), noble(), await subtleHmac(key, data)]);
      return { coppice, peers: { "@noble/hashes": noble, SubtleCrypto: () => subtleHmac(key, data) } };
    },
  },
  {
    name: "hash: HKDF, Extract and Expand",
    sizes: [32],
    sizeUnit: "bytes",
    limit: 1,
    setup: async (size) => {
      const [ikm, info] = [bytes(size, 3), bytes(20)];
      const coppice = (): Uint8Array => kernel.sha256.expand(kernel.sha256.extract(SALT, ikm), info, 32);
      const noble = (): Uint8Array => hkdf(sha256, ikm, SALT, info, 32);
      assertSame([coppice(), noble(), await subtleHkdf(ikm, info)]);
      return { coppice, peers: { "@noble/hashes": noble, SubtleCrypto: () => subtleHkdf(ikm, info) } };
    },
  },
];
