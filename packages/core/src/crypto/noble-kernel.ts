/** The kernel's interface on noble: for places where WebAssembly is not allowed (a strict CSP), with the same results. */
import type { Bytes, HashKernel, Kernel } from "@coppice/wasm";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import type { CHash } from "@noble/hashes/utils.js";
import { utf8 } from "../codec/bytes.ts";
import { Writer } from "../codec/writer.ts";

/** Hashes and key derivation on noble. It has no AEAD: AES on noble uses tables, whose timing leaks. */
export type NobleKernel = Kernel & { readonly kind: "noble" };

const owned = (bytes: Uint8Array): Bytes => (bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : bytes.slice());

function hashKernel(name: HashKernel["name"], hash: CHash): HashKernel {
  const expandBytes = (prk: Uint8Array, info: Uint8Array, length: number): Bytes => {
    if (!Number.isInteger(length) || length < 0 || length > 255 * hash.outputLen) {
      throw new RangeError(`HKDF-Expand gives 0 to ${String(255 * hash.outputLen)} bytes`);
    }
    return owned(expand(hash, prk, info, length));
  };
  return {
    name,
    Nh: hash.outputLen,
    digest: (data) => owned(hash(data)),
    hmac: (key, data) => owned(hmac(hash, key, data)),
    extract: (salt, ikm) => owned(extract(hash, ikm, salt)),
    expand: expandBytes,
    expandWithLabel: (secret, label, context, length) => {
      const info = new Writer();
      info.uint(length, 2);
      info.vector(() => {
        info.bytes(utf8(`MLS 1.0 ${label}`));
      });
      info.vector(() => {
        info.bytes(context);
      });
      return expandBytes(secret, info.finish(), length);
    },
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
