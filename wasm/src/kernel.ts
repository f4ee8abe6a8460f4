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

/** An AEAD (RFC 5116) with nonces of 12 bytes and tags of 16, which stand at the end of the ciphertext. */
export interface Aead {
  readonly name: "AES-128-GCM" | "AES-256-GCM" | "ChaCha20-Poly1305";
  /** Key length in bytes: 16 or 32. */
  readonly Nk: number;
  /** Nonce length in bytes: 12. */
  readonly Nn: number;
  /** Ciphertext and tag, 16 bytes longer than `plaintext`. `RangeError` when key or nonce has another length. */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Bytes;
  /** The plaintext, or `undefined` when the ciphertext does not authenticate or is shorter than a tag. */
  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Bytes | undefined;
}

/** Arguments of one message of a batch. */
export interface AeadMessage {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
  /** Plaintext to seal, ciphertext to open. */
  readonly data: Uint8Array;
}

/** An AEAD that takes many messages at once, each with a key of its own. */
export interface AeadKernel extends Aead {
  /** What `seal` gives for every message, in their order. */
  sealMany(messages: readonly AeadMessage[]): Bytes[];
  /** What `open` gives for every message, in their order. One that does not authenticate does not affect the others. */
  openMany(messages: readonly AeadMessage[]): (Bytes | undefined)[];
}

/** A hash function that takes many messages at once. */
export interface BatchHashKernel extends HashKernel {
  /** What `digest` gives for every message, in their order. Fastest for SHA-256 and neighbours of like length. */
  digestMany(messages: readonly Uint8Array[]): Bytes[];
}

/** What WebAssembly adds to the shared interface. */
export interface WasmKernel extends Kernel {
  readonly kind: "wasm";
  readonly sha256: BatchHashKernel;
  readonly sha384: BatchHashKernel;
  readonly sha512: BatchHashKernel;
  readonly aes128gcm: AeadKernel;
  readonly aes256gcm: AeadKernel;
  readonly chacha20poly1305: AeadKernel;
}
