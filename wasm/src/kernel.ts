/** What the kernel offers. `@coppice/core` implements the same interface on noble for places without WebAssembly. */

/** Output of every function is a fresh array that the caller owns. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Arguments of one output of `expandMany`. */
export interface Expansion {
  readonly label: string;
  readonly context: Uint8Array;
  readonly length: number;
}

/** Where a ratchet of the secret tree stands, and how far it is to run. */
export interface RatchetRun {
  /** Ratchet secret of `generation`, `Nh` bytes. */
  readonly secret: Uint8Array;
  readonly generation: number;
  /** Generations to derive keys of. The caller bounds it: each takes about two microseconds. */
  readonly count: number;
  readonly Nk: number;
  readonly Nn: number;
}

/** What a run of a ratchet gives. */
export interface RatchetKeys {
  /** Of `generation`, `generation + 1` and so on, `count` in all. */
  readonly keys: { readonly key: Bytes; readonly nonce: Bytes }[];
  /** Ratchet secret of the generation after them. */
  readonly secret: Bytes;
}

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
  /** What `digest` gives for every message, in their order. Fastest for SHA-256 and neighbours of like length. */
  digestMany(messages: readonly Uint8Array[]): Bytes[];
  /** What `expandWithLabel` gives for every label and context, in their order. The key is set up once for all of them. */
  expandMany(secret: Uint8Array, expansions: readonly Expansion[]): Bytes[];
  /**
   * Runs a ratchet of the secret tree forward (RFC 9420 §9.1). `RangeError` when `secret` does not have `Nh` bytes or a
   * generation exceeds 2^32 - 1.
   */
  ratchet(run: RatchetRun): RatchetKeys;
}

/** An implementation of the hot path. */
export interface BasicKernel {
  readonly kind: "wasm" | "noble";
  readonly sha256: HashKernel;
}

/** All hash functions of the cipher suites. */
export interface Kernel extends BasicKernel {
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

/** What cipher suites 1 and 2 need, in WebAssembly. */
export interface BasicWasmKernel extends BasicKernel {
  readonly kind: "wasm";
  readonly aes128gcm: AeadKernel;
  readonly aes256gcm: AeadKernel;
}

/** What all cipher suites need, in WebAssembly. */
export interface WasmKernel extends BasicWasmKernel, Kernel {
  readonly kind: "wasm";
  readonly chacha20poly1305: AeadKernel;
}
