/** The three implementations of every function, behind one interface. */
import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand, extract, hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import type { AeadMessage, HashKernel, WasmKernel } from "../../src/index.ts";
import { ascii, concat } from "./case.ts";

export type HashName = "sha256" | "sha384" | "sha512";
export type AeadName = "aes128gcm" | "aes256gcm" | "chacha20poly1305";

export const HASHES: readonly HashName[] = ["sha256", "sha384", "sha512"];
export const AEADS: readonly AeadName[] = ["aes128gcm", "aes256gcm", "chacha20poly1305"];

/** Bytes, or a refusal to decrypt. */
export type Answer = Uint8Array | undefined;

/** Every function that more than one implementation has. */
export interface Implementation {
  readonly name: string;
  digest(hash: HashName, data: Uint8Array): Answer | Promise<Answer>;
  hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Answer | Promise<Answer>;
  extract(hash: HashName, salt: Uint8Array, ikm: Uint8Array): Answer | Promise<Answer>;
  expand(hash: HashName, prk: Uint8Array, info: Uint8Array, length: number): Answer | Promise<Answer>;
  /** Extract and Expand together. */
  hkdf(hash: HashName, derivation: Derivation): Answer | Promise<Answer>;
  expandWithLabel(hash: HashName, labelled: Labelled): Answer | Promise<Answer>;
  /** `undefined` where the engine lacks the algorithm. */
  aead(aead: AeadName): AeadImplementation | undefined;
}

export interface AeadImplementation {
  seal(message: AeadMessage): Answer | Promise<Answer>;
  open(message: AeadMessage): Answer | Promise<Answer>;
}

/** Arguments of HKDF (RFC 5869). */
export interface Derivation {
  readonly ikm: Uint8Array;
  readonly salt: Uint8Array;
  readonly info: Uint8Array;
  readonly length: number;
}

/** Arguments of ExpandWithLabel (RFC 9420 §8). */
export interface Labelled {
  readonly secret: Uint8Array;
  readonly label: string;
  readonly context: Uint8Array;
  readonly length: number;
}

export function kernelImplementation(kernel: WasmKernel): Implementation {
  return {
    name: "kernel",
    digest: (hash, data) => kernel[hash].digest(data),
    hmac: (hash, key, data) => kernel[hash].hmac(key, data),
    extract: (hash, salt, ikm) => kernel[hash].extract(salt, ikm),
    expand: (hash, prk, info, length) => kernel[hash].expand(prk, info, length),
    hkdf: (hash, { ikm, salt, info, length }) => kernel[hash].expand(kernel[hash].extract(salt, ikm), info, length),
    expandWithLabel: (hash, { secret, label, context, length }) =>
      kernel[hash].expandWithLabel(secret, label, context, length),
    aead: (name) => ({
      seal: ({ key, nonce, aad, data }) => kernel[name].seal(key, nonce, aad, data),
      open: ({ key, nonce, aad, data }) => kernel[name].open(key, nonce, aad, data),
    }),
  };
}

const nobleHashes = { sha256, sha384, sha512 };
const nobleAeads = { aes128gcm: gcm, aes256gcm: gcm, chacha20poly1305 };

export const noble: Implementation = {
  name: "noble",
  digest: (hash, data) => nobleHashes[hash](data),
  hmac: (hash, key, data) => hmac(nobleHashes[hash], key, data),
  extract: (hash, salt, ikm) => extract(nobleHashes[hash], ikm, salt),
  expand: (hash, prk, info, length) => expand(nobleHashes[hash], prk, info, length),
  hkdf: (hash, { ikm, salt, info, length }) => hkdf(nobleHashes[hash], ikm, salt, info, length),
  expandWithLabel: (hash, labelled) => expand(nobleHashes[hash], labelled.secret, kdfLabel(labelled), labelled.length),
  aead: (name) => ({
    seal: ({ key, nonce, aad, data }) => nobleAeads[name](key, nonce, aad).encrypt(data),
    open: ({ key, nonce, aad, data }) => {
      try {
        return nobleAeads[name](key, nonce, aad).decrypt(data);
      } catch {
        return undefined;
      }
    },
  }),
};

const subtleHashes = {
  sha256: { name: "SHA-256", Nh: 32 },
  sha384: { name: "SHA-384", Nh: 48 },
  sha512: { name: "SHA-512", Nh: 64 },
} as const satisfies Record<HashName, { name: HashKernel["name"]; Nh: number }>;

/** SubtleCrypto; it has ChaCha20-Poly1305 in some engines only, which is found out by sealing. */
export async function subtleImplementation(): Promise<Implementation> {
  const { subtle } = globalThis.crypto;
  const owned = (data: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(data);

  const mac = async (hash: HashName, key: Uint8Array, data: Uint8Array): Promise<Uint8Array> => {
    const algorithm = { name: "HMAC", hash: subtleHashes[hash].name };
    // An empty key cannot be imported; HMAC pads it to the same block as one zero.
    const imported = await subtle.importKey("raw", key.length === 0 ? Uint8Array.of(0) : owned(key), algorithm, false, [
      "sign",
    ]);
    return new Uint8Array(await subtle.sign("HMAC", imported, owned(data)));
  };

  // RFC 5869 §2.3. SubtleCrypto has Extract and Expand together only.
  const hkdfExpand = async (hash: HashName, prk: Uint8Array, info: Uint8Array, length: number): Promise<Uint8Array> => {
    const blocks: Uint8Array[] = [];
    let block = new Uint8Array(0);
    for (let counter = 1; (counter - 1) * subtleHashes[hash].Nh < length; counter++) {
      block = owned(await mac(hash, prk, concat(block, info, Uint8Array.of(counter))));
      blocks.push(block);
    }
    return concat(...blocks).subarray(0, length);
  };

  const cipher = (name: string): AeadImplementation => {
    const parameters = ({ nonce, aad }: AeadMessage): AesGcmParams => ({
      name,
      iv: owned(nonce),
      additionalData: owned(aad),
    });
    const imported = ({ key }: AeadMessage, usage: "encrypt" | "decrypt"): Promise<CryptoKey> =>
      subtle.importKey(name === "AES-GCM" ? "raw" : ("raw-secret" as "raw"), owned(key), { name }, false, [usage]);
    return {
      seal: async (message) => {
        const key = await imported(message, "encrypt");
        return new Uint8Array(await subtle.encrypt(parameters(message), key, owned(message.data)));
      },
      open: async (message) => {
        const key = await imported(message, "decrypt");
        try {
          return new Uint8Array(await subtle.decrypt(parameters(message), key, owned(message.data)));
        } catch {
          return undefined;
        }
      },
    };
  };

  const chacha = cipher("ChaCha20-Poly1305");
  const none = new Uint8Array(0);
  const probe = { key: new Uint8Array(32), nonce: new Uint8Array(12), aad: none, data: none };
  const hasChacha = await Promise.resolve(chacha.seal(probe)).then(
    () => true,
    () => false,
  );
  return {
    name: "SubtleCrypto",
    digest: async (hash, data) => new Uint8Array(await subtle.digest(subtleHashes[hash].name, owned(data))),
    hmac: mac,
    extract: mac,
    expand: hkdfExpand,
    hkdf: async (hash, { ikm, salt, info, length }) => {
      const key = await subtle.importKey("raw", owned(ikm), "HKDF", false, ["deriveBits"]);
      const algorithm = { name: "HKDF", hash: subtleHashes[hash].name, salt: owned(salt), info: owned(info) };
      return new Uint8Array(await subtle.deriveBits(algorithm, key, 8 * length));
    },
    expandWithLabel: (hash, labelled) => hkdfExpand(hash, labelled.secret, kdfLabel(labelled), labelled.length),
    aead: (name) => (name === "chacha20poly1305" ? (hasChacha ? chacha : undefined) : cipher("AES-GCM")),
  };
}

/** KDFLabel (RFC 9420 §8), written apart from the package's own. */
export function kdfLabel({ label, context, length }: Labelled): Uint8Array {
  const text = ascii(`MLS 1.0 ${label}`);
  return concat(Uint8Array.of(length >> 8, length), varint(text.length), text, varint(context.length), context);
}

/** RFC 9420 §2.1.2. */
function varint(value: number): Uint8Array {
  if (value < 64) return Uint8Array.of(value);
  if (value < 16_384) return Uint8Array.of(0x40 + (value >> 8), value);
  return Uint8Array.of(0x80 + (value >> 24), value >> 16, value >> 8, value);
}
