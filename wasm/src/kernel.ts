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
  /** Generations to derive keys of. The caller bounds it: each takes a microsecond or two. */
  readonly count: number;
  /** Lengths of a key and of a nonce in bytes, 1 to 32. */
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

/** A private message before it is encrypted (RFC 9420 §6.3). */
export interface MessageToSeal {
  /** Ratchet secret of `generation`, `Nh` bytes. */
  readonly ratchetSecret: Uint8Array;
  readonly generation: number;
  /** Of the epoch, `Nh` bytes. */
  readonly senderDataSecret: Uint8Array;
  readonly leafIndex: number;
  /** 4 random bytes. */
  readonly reuseGuard: Uint8Array;
  /** The encoded message up to and with `authenticated_data`. */
  readonly header: Uint8Array;
  /** Where `PrivateContentAAD` and `SenderDataAAD` begin in it; the former ends where the header ends. */
  readonly aadStart: number;
  /** Where `SenderDataAAD` ends. */
  readonly senderDataAadEnd: number;
  /** Encoded `PrivateMessageContent`. */
  readonly plaintext: Uint8Array;
}

/** What became of it. */
export interface SealedMessage {
  /** `header`, `encrypted_sender_data<V>` and `ciphertext<V>`. */
  readonly message: Bytes;
  /** Ratchet secret of the generation after. */
  readonly secret: Bytes;
}

/** A private message whose sender data are to be opened. */
export interface SealedSenderData {
  /** `SenderDataAAD` */
  readonly senderDataAad: Uint8Array;
  readonly encryptedSenderData: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** A private message whose content is to be opened. */
export interface SealedContent {
  /** Of its generation. */
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  /** 4 bytes, of its sender data. */
  readonly reuseGuard: Uint8Array;
  /** `PrivateContentAAD` */
  readonly contentAad: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Private messages under a hash function and an AEAD. */
export interface MessageKernel {
  /**
   * Seals a message with the key of a ratchet's next generation (RFC 9420 §6.3.1, §6.3.2, §9.1). Undefined when it does not fit
   * the kernel's memory of 128 kB: then it takes `ratchet`, `expandMany` and `seal`. `RangeError` for secrets of another length, and
   * for numbers that are not of 32 bits or not in the header.
   */
  seal(message: MessageToSeal): SealedMessage | undefined;
  /**
   * Encoded `SenderData` of messages of an epoch, in their order (RFC 9420 §6.3.2); undefined in place of those that do not
   * authenticate. Undefined when all together do not fit the kernel's memory: then they take `expandMany` and `openMany`.
   */
  openSenderData(
    senderDataSecret: Uint8Array,
    messages: readonly SealedSenderData[],
  ): (Bytes | undefined)[] | undefined;
  /**
   * What `read` makes of each encoded `PrivateMessageContent`, in the order of the messages (RFC 9420 §6.3.1); undefined in place
   * of those that do not authenticate. `read` sees the kernel's memory: it copies what it keeps, and calls nothing of the kernel.
   * Undefined when all together do not fit: then they take `openMany`.
   */
  openContents<T>(
    messages: readonly SealedContent[],
    read: (plaintext: Bytes, place: number) => T,
  ): (T | undefined)[] | undefined;
}

/** What cipher suites 1 and 2 need, in WebAssembly. */
export interface BasicWasmKernel extends BasicKernel {
  readonly kind: "wasm";
  readonly aes128gcm: AeadKernel;
  readonly aes256gcm: AeadKernel;
  /** Messages under a hash function and an AEAD that this kernel has, by their names. */
  messages(hash: HashKernel["name"], aead: Aead["name"]): MessageKernel;
}

/** What all cipher suites need, in WebAssembly. */
export interface WasmKernel extends BasicWasmKernel, Kernel {
  readonly kind: "wasm";
  readonly chacha20poly1305: AeadKernel;
}
