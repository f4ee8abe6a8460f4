/** The kernel's interface on noble: for places where WebAssembly is not allowed (a strict CSP), with the same results. */

import { type Bytes, type HashKernel, type Kernel, type RatchetKeys, kdfLabel } from "@coppice/wasm";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import type { CHash } from "@noble/hashes/utils.js";

/** Hashes and key derivation on noble. It has no AEAD: AES on noble uses tables, whose timing leaks. */
export type NobleKernel = Kernel & { readonly kind: "noble" };

/** Generations are 32-bit integers (RFC 9420 §9.1). */
const GENERATIONS = 2 ** 32;

const owned = (bytes: Uint8Array): Bytes => (bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : bytes.slice());

function hashKernel(name: HashKernel["name"], hash: CHash): HashKernel {
  const Nh = hash.outputLen;
  const expandBytes: HashKernel["expand"] = (prk, info, length) => {
    if (!Number.isInteger(length) || length < 0 || length > 255 * Nh) {
      throw new RangeError(`HKDF-Expand gives 0 to ${String(255 * Nh)} bytes`);
    }
    return owned(expand(hash, prk, info, length));
  };
  const expandWithLabel: HashKernel["expandWithLabel"] = (secret, label, context, length) =>
    expandBytes(secret, kdfLabel(label, context, length), length);
  const ratchet: HashKernel["ratchet"] = ({ secret, generation, count, Nk, Nn }) => {
    if (secret.length !== Nh) throw new RangeError(`The ratchet secret must have ${String(Nh)} bytes`);
    if (generation + count > GENERATIONS) throw new RangeError("A ratchet has 2^32 generations");
    const keys: RatchetKeys["keys"] = [];
    let current: Bytes = new Uint8Array(secret);
    for (let at = generation; at < generation + count; at++) {
      const context = Uint8Array.of(at >>> 24, at >>> 16, at >>> 8, at);
      keys.push({
        key: expandWithLabel(current, "key", context, Nk),
        nonce: expandWithLabel(current, "nonce", context, Nn),
      });
      const next = expandWithLabel(current, "secret", context, Nh);
      current.fill(0);
      current = next;
    }
    return { keys, secret: current };
  };
  return {
    name,
    Nh,
    digest: (data) => owned(hash(data)),
    digestMany: (messages) => messages.map((message) => owned(hash(message))),
    hmac: (key, data) => owned(hmac(hash, key, data)),
    extract: (salt, ikm) => owned(extract(hash, ikm, salt)),
    expand: expandBytes,
    expandWithLabel,
    expandMany: (secret, expansions) =>
      expansions.map(({ label, context, length }) => expandWithLabel(secret, label, context, length)),
    ratchet,
  };
}

export function createNobleKernel(): NobleKernel {
  return {
    kind: "noble",
    sha256: hashKernel("SHA-256", sha256),
    sha384: hashKernel("SHA-384", sha384),
    sha512: hashKernel("SHA-512", sha512),
  };
}
