/** Imported public keys of those who sign often: importing one costs about as much as verifying with it. */

import { type Bytes, equalBytes } from "../codec/bytes.ts";

/**
 * Keeps the imported key of a public key from its second use on, for as long as its bytes are referred to (a leaf of a
 * tree). The first use keeps nothing, so that verifying a whole tree when joining costs no memory.
 */
export class VerificationKeys<Key> {
  readonly #import: (publicKey: Bytes) => Key;
  readonly #seen = new WeakSet<Bytes>();
  readonly #kept = new WeakMap<Bytes, { readonly bytes: Bytes; readonly key: Key }>();

  constructor(importKey: (publicKey: Bytes) => Key) {
    this.#import = importKey;
  }

  get(publicKey: Bytes): Key {
    const kept = this.#kept.get(publicKey);
    // A caller may have put another key into the same buffer.
    if (kept !== undefined && equalBytes(kept.bytes, publicKey)) return kept.key;
    const bytes = new Uint8Array(publicKey);
    const key = this.#import(bytes);
    if (this.#seen.has(publicKey)) this.#kept.set(publicKey, { bytes, key });
    else this.#seen.add(publicKey);
    return key;
  }
}
