/** Hashing and key derivation: the kernel, noble and SubtleCrypto. */
import { createWasmKernel } from "@coppice/wasm/full";
import { expand, hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
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

/** Expand by itself is one HMAC when it gives no more than a hash; SubtleCrypto offers no other way. */
const subtleExpand = (prk: Uint8Array<ArrayBuffer>, info: Uint8Array): Promise<Uint8Array> =>
  subtleHmac(prk, Uint8Array.of(...info, 1));

/** KDFLabel (RFC 9420 §8) for 32 bytes; label and context are short. */
function kdfLabel(label: string, context: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(`MLS 1.0 ${label}`);
  return Uint8Array.of(0, 32, text.length, ...text, context.length, ...context);
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

const long = (
  name: "SHA-384" | "SHA-512",
  own: (data: Uint8Array) => Uint8Array,
  peer: (data: Uint8Array) => Uint8Array,
): Scenario => ({
  name: `kernel: ${name}`,
  sizes: [200],
  sizeUnit: "bytes",
  promise: 1,
  setup: async (size) => {
    const data = bytes(size);
    const platform = (): Promise<ArrayBuffer> => subtle.digest(name, data);
    assertSame([own(data), peer(data), new Uint8Array(await platform())]);
    return { coppice: () => own(data), peers: { "@noble/hashes": () => peer(data), SubtleCrypto: platform } };
  },
});

export const hashScenarios: readonly Scenario[] = [
  // What MLS hashes is small. On large inputs the platform wins with the processor's own instructions: no promise there.
  { ...digest, name: "kernel: SHA-256", sizes: [200], promise: 0.33 },
  { ...digest, name: "kernel: SHA-256, other sizes", sizes: [32, 1_000, 65_536] },
  long("SHA-384", (data) => kernel.sha384.digest(data), sha384),
  long("SHA-512", (data) => kernel.sha512.digest(data), sha512),
  {
    name: "kernel: HMAC-SHA-256, key used once",
    sizes: [32, 200],
    sizeUnit: "bytes",
    promise: 0.5,
    setup: async (size) => {
      const [key, data] = [bytes(32, 2), bytes(size)];
      const coppice = (): Uint8Array => kernel.sha256.hmac(key, data);
      const noble = (): Uint8Array => hmac(sha256, key, data);
      assertSame([coppice(), noble(), await subtleHmac(key, data)]);
      return { coppice, peers: { "@noble/hashes": noble, SubtleCrypto: () => subtleHmac(key, data) } };
    },
  },
  {
    name: "kernel: HKDF, Extract and Expand",
    sizes: [32],
    sizeUnit: "bytes",
    promise: 0.5,
    setup: async (size) => {
      const [ikm, info] = [bytes(size, 3), bytes(20)];
      const coppice = (): Uint8Array => kernel.sha256.expand(kernel.sha256.extract(SALT, ikm), info, 32);
      const noble = (): Uint8Array => hkdf(sha256, ikm, SALT, info, 32);
      assertSame([coppice(), noble(), await subtleHkdf(ikm, info)]);
      return { coppice, peers: { "@noble/hashes": noble, SubtleCrypto: () => subtleHkdf(ikm, info) } };
    },
  },
  {
    // ExpandWithLabel(secret, label, "", Nh). The peers are given the encoded label.
    name: "kernel: DeriveSecret",
    sizes: [32],
    sizeUnit: "bytes",
    promise: 0.2,
    reference: "@noble/hashes",
    setup: async (size) => {
      const [secret, none] = [bytes(size, 5), new Uint8Array(0)];
      const info = kdfLabel("epoch", none);
      const coppice = (): Uint8Array => kernel.sha256.expandWithLabel(secret, "epoch", none, 32);
      const noble = (): Uint8Array => expand(sha256, secret, info, 32);
      assertSame([coppice(), noble(), await subtleExpand(secret, info)]);
      return { coppice, peers: { "@noble/hashes": noble, SubtleCrypto: () => subtleExpand(secret, info) } };
    },
  },
];
