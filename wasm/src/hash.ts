/** `HashKernel` over the WASM kernel: one call for what fits its memory, pieces for what does not. */
import type { Arena } from "./arena.ts";
import { checkBytes, checkLength, checkText } from "./check.ts";
import { type HashContext, abandon } from "./hash-context.ts";
import { digestMany, expandMany } from "./hash-many.ts";
import type { KernelExports } from "./instantiate.ts";
import { kdfLabel } from "./kdf-label.ts";
import type { Bytes, Expansion, HashKernel, RatchetKeys, RatchetRun } from "./kernel.ts";
import { ratchet } from "./secret-tree.ts";

/** What distinguishes the three hash functions. `id` is their number in `assembly/hash.ts`. */
interface HashParameters {
  readonly name: HashKernel["name"];
  readonly id: number;
  readonly Nh: number;
  readonly blockLength: number;
}

export const hashes: {
  readonly sha256: HashParameters;
  readonly sha384: HashParameters;
  readonly sha512: HashParameters;
} = {
  sha256: { name: "SHA-256", id: 0, Nh: 32, blockLength: 64 },
  sha384: { name: "SHA-384", id: 1, Nh: 48, blockLength: 128 },
  sha512: { name: "SHA-512", id: 2, Nh: 64, blockLength: 128 },
};

/** Builds the object for one hash function; the three of a kernel share instance and arena. */
export function createHash(exports: KernelExports, arena: Arena, parameters: HashParameters): HashKernel {
  return new WasmHash(parameters.name, { ...parameters, exports, arena });
}

class WasmHash implements HashKernel {
  readonly name: HashKernel["name"];
  readonly Nh: number;
  readonly #context: HashContext;

  constructor(name: HashKernel["name"], context: HashContext) {
    this.name = name;
    this.Nh = context.Nh;
    this.#context = context;
  }

  digest(data: Uint8Array): Bytes {
    const { exports, arena, id } = this.#context;
    checkBytes(data, "data");
    try {
      if (data.length <= arena.capacity) {
        arena.write(data);
        exports.digest(id, data.length);
      } else {
        exports.digestStart(id);
        this.#update(data);
        exports.digestFinish(id);
      }
      return arena.take(this.Nh);
    } catch (error) {
      throw abandon(this.#context, error);
    }
  }

  digestMany(messages: readonly Uint8Array[]): Bytes[] {
    return digestMany(this.#context, this, messages);
  }

  hmac(key: Uint8Array, data: Uint8Array): Bytes {
    const { exports, arena, id, blockLength } = this.#context;
    checkBytes(key, "key");
    checkBytes(data, "data");
    if (key.length > blockLength) return this.#withShortKey(key, (short) => this.hmac(short, data));
    if (key.length + data.length > arena.capacity) return this.#hmacOfPieces(key, [data]);
    try {
      arena.write(key);
      arena.write(data);
      exports.hmac(id, key.length, data.length);
      return arena.take(this.Nh);
    } catch (error) {
      throw abandon(this.#context, error);
    }
  }

  extract(salt: Uint8Array, ikm: Uint8Array): Bytes {
    // An absent salt is Nh zeros (RFC 5869 §2.2), which HMAC pads to the same key as an empty one.
    return this.hmac(salt, ikm);
  }

  expand(prk: Uint8Array, info: Uint8Array, length: number): Bytes {
    const { exports, arena, id, blockLength } = this.#context;
    checkBytes(prk, "prk");
    checkBytes(info, "info");
    checkLength(length, this.Nh);
    if (prk.length > blockLength) return this.#withShortKey(prk, (short) => this.expand(short, info, length));
    if (prk.length + info.length > arena.capacity) return this.#expandInPieces(prk, info, length);
    try {
      arena.write(prk);
      arena.write(info);
      exports.expand(id, prk.length, info.length, length);
      return arena.take(length);
    } catch (error) {
      throw abandon(this.#context, error);
    }
  }

  expandWithLabel(secret: Uint8Array, label: string, context: Uint8Array, length: number): Bytes {
    const { exports, arena, id, blockLength } = this.#context;
    checkBytes(secret, "secret");
    checkText(label, "label");
    checkBytes(context, "context");
    checkLength(length, this.Nh);
    if (secret.length > blockLength) {
      return this.#withShortKey(secret, (short) => this.expandWithLabel(short, label, context, length));
    }
    try {
      if (secret.length + label.length + context.length <= arena.capacity) {
        arena.write(secret);
        if (arena.writeAscii(label)) {
          arena.write(context);
          exports.expandWithLabel(id, secret.length, label.length, context.length, length);
          return arena.take(length);
        }
      }
    } catch (error) {
      throw abandon(this.#context, error);
    }
    arena.erase();
    return this.expand(secret, kdfLabel(label, context, length), length);
  }

  expandMany(secret: Uint8Array, expansions: readonly Expansion[]): Bytes[] {
    return expandMany(this.#context, this, { secret, expansions });
  }

  ratchet(run: RatchetRun): RatchetKeys {
    return ratchet(this.#context, run);
  }

  /** HMAC replaces a key that is longer than a block by its hash. */
  #withShortKey(key: Uint8Array, use: (short: Bytes) => Bytes): Bytes {
    const short = this.digest(key);
    try {
      return use(short);
    } finally {
      short.fill(0);
    }
  }

  #expandInPieces(prk: Uint8Array, info: Uint8Array, length: number): Bytes {
    const output = new Uint8Array(length);
    let previous: Bytes = new Uint8Array(0);
    for (let counter = 1, at = 0; at < length; counter++, at += this.Nh) {
      const block = this.#hmacOfPieces(prk, [previous, info, Uint8Array.of(counter)]);
      output.set(block.subarray(0, length - at), at);
      previous.fill(0);
      previous = block;
    }
    previous.fill(0);
    return output;
  }

  #hmacOfPieces(key: Uint8Array, pieces: readonly Uint8Array[]): Bytes {
    const { exports, arena, id } = this.#context;
    try {
      arena.write(key);
      exports.hmacStart(id, key.length);
      for (const piece of pieces) this.#update(piece);
      exports.hmacFinish(id);
      return arena.take(this.Nh);
    } catch (error) {
      throw abandon(this.#context, error);
    }
  }

  #update(data: Uint8Array): void {
    const { exports, arena } = this.#context;
    const { capacity } = arena;
    for (let at = 0; at < data.length; at += capacity) {
      const piece = data.subarray(at, at + capacity);
      arena.rewind();
      arena.write(piece);
      exports.update(piece.length);
    }
  }
}
