/** What the kernel offers. `@coppice/core` implements the same interface on noble for places without WebAssembly. */

/** Output of every function is a fresh array that the caller owns. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A hash function with the constructions over it (FIPS 180-4, RFC 2104, RFC 5869, RFC 9420 §8). */
export interface HashKernel {
  readonly name: "SHA-256" | "SHA-384" | "SHA-512";
  /** Output length in bytes: 32, 48 or 64. */
  readonly Nh: number;
  digest(data: Uint8Array): Bytes;
  /** `HMAC(key, data)`, any key length including zero. */
  hmac(key: Uint8Array, data: Uint8Array): Bytes;
  /** HKDF-Extract(salt, ikm), `Nh` bytes. */
  extract(salt: Uint8Array, ikm: Uint8Array): Bytes;
  /** HKDF-Expand(prk, info, length); `length` is 0 to 255 · Nh, else `RangeError`. */
  expand(prk: Uint8Array, info: Uint8Array, length: number): Bytes;
  /** `ExpandWithLabel` (RFC 9420 §8): the label is given without "MLS 1.0 ". */
  expandWithLabel(secret: Uint8Array, label: string, context: Uint8Array, length: number): Bytes;
}

/** An implementation of the hot path. */
export interface Kernel {
  readonly kind: "wasm" | "noble";
  readonly sha256: HashKernel;
  readonly sha384: HashKernel;
  readonly sha512: HashKernel;
}
