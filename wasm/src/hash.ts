/** `HashKernel` over the WASM kernel: one call for what fits its memory, pieces for what does not. */
import type { Arena } from "./arena.ts";
import { batches } from "./batches.ts";
import { checkBytes } from "./check.ts";
import type { KernelExports } from "./instantiate.ts";
import type { BatchHashKernel, Bytes, HashKernel } from "./kernel.ts";

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

/** Lengths from here on have no encoding as a vector (RFC 9420 §2.1.2). */
const VECTOR_LIMIT = 2 ** 30;
/** A length in the table of a batch. */
const ENTRY = 4;
const LABEL_PREFIX = "MLS 1.0 ";

/** Builds the object for one hash function; the three of a kernel share instance and arena. */
export function createHash(exports: KernelExports, arena: Arena, parameters: HashParameters): BatchHashKernel {
  return new WasmHash(exports, arena, parameters);
}

class WasmHash implements BatchHashKernel {
  readonly name: HashKernel["name"];
  readonly Nh: number;
  readonly #exports: KernelExports;
  readonly #arena: Arena;
  readonly #id: number;
  readonly #blockLength: number;

  constructor(exports: KernelExports, arena: Arena, { name, id, Nh, blockLength }: HashParameters) {
    this.name = name;
    this.Nh = Nh;
    this.#exports = exports;
    this.#arena = arena;
    this.#id = id;
    this.#blockLength = blockLength;
  }

  digest(data: Uint8Array): Bytes {
    checkBytes(data, "data");
    try {
      if (data.length <= this.#arena.capacity) {
        this.#arena.write(data);
        this.#exports.digest(this.#id, data.length);
      } else {
        this.#exports.digestStart(this.#id);
        this.#update(data);
        this.#exports.digestFinish(this.#id);
      }
      return this.#arena.take(this.Nh);
    } catch (error) {
      throw this.#abandon(error);
    }
  }

  digestMany(messages: readonly Uint8Array[]): Bytes[] {
    for (const message of messages) checkBytes(message, "message");
    const digests: Bytes[] = [];
    const most = Math.floor(this.#arena.outputCapacity / this.Nh);
    const fits = (count: number, total: number): boolean => count <= most && total <= this.#arena.capacity;
    for (const batch of batches(messages, (message) => ENTRY + message.length, fits)) {
      const [first] = batch;
      if (batch.length === 1 && first !== undefined) digests.push(this.digest(first));
      else this.#digestBatch(batch, digests);
    }
    return digests;
  }

  #digestBatch(messages: readonly Uint8Array[], digests: Bytes[]): void {
    const arena = this.#arena;
    const output = messages.length * this.Nh;
    try {
      for (const message of messages) arena.writeUint32(message.length);
      for (const message of messages) arena.write(message);
      this.#exports.digestMany(this.#id, messages.length);
      for (let at = -output; at < 0; at += this.Nh) digests.push(arena.read(at, this.Nh));
      arena.clear(output);
    } catch (error) {
      throw this.#abandon(error);
    }
  }

  hmac(key: Uint8Array, data: Uint8Array): Bytes {
    checkBytes(key, "key");
    checkBytes(data, "data");
    if (key.length > this.#blockLength) return this.#withShortKey(key, (short) => this.hmac(short, data));
    if (key.length + data.length > this.#arena.capacity) return this.#hmacOfPieces(key, [data]);
    try {
      this.#arena.write(key);
      this.#arena.write(data);
      this.#exports.hmac(this.#id, key.length, data.length);
      return this.#arena.take(this.Nh);
    } catch (error) {
      throw this.#abandon(error);
    }
  }

  extract(salt: Uint8Array, ikm: Uint8Array): Bytes {
    // An absent salt is Nh zeros (RFC 5869 §2.2), which HMAC pads to the same key as an empty one.
    return this.hmac(salt, ikm);
  }

  expand(prk: Uint8Array, info: Uint8Array, length: number): Bytes {
    checkBytes(prk, "prk");
    checkBytes(info, "info");
    this.#checkLength(length);
    if (prk.length > this.#blockLength) return this.#withShortKey(prk, (short) => this.expand(short, info, length));
    if (prk.length + info.length > this.#arena.capacity) return this.#expandInPieces(prk, info, length);
    try {
      this.#arena.write(prk);
      this.#arena.write(info);
      this.#exports.expand(this.#id, prk.length, info.length, length);
      return this.#arena.take(length);
    } catch (error) {
      throw this.#abandon(error);
    }
  }

  expandWithLabel(secret: Uint8Array, label: string, context: Uint8Array, length: number): Bytes {
    checkBytes(secret, "secret");
    checkBytes(context, "context");
    this.#checkLength(length);
    if (secret.length > this.#blockLength) {
      return this.#withShortKey(secret, (short) => this.expandWithLabel(short, label, context, length));
    }
    const arena = this.#arena;
    try {
      if (secret.length + label.length + context.length <= arena.capacity) {
        arena.write(secret);
        if (arena.writeAscii(label)) {
          arena.write(context);
          this.#exports.expandWithLabel(this.#id, secret.length, label.length, context.length, length);
          return arena.take(length);
        }
      }
    } catch (error) {
      throw this.#abandon(error);
    }
    arena.erase();
    return this.expand(secret, kdfLabel(label, context, length), length);
  }

  #checkLength(length: number): void {
    if (!Number.isInteger(length) || length < 0 || length > 255 * this.Nh) {
      throw new RangeError(`length must be an integer from 0 to ${255 * this.Nh}`);
    }
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
    try {
      this.#arena.write(key);
      this.#exports.hmacStart(this.#id, key.length);
      for (const piece of pieces) this.#update(piece);
      this.#exports.hmacFinish(this.#id);
      return this.#arena.take(this.Nh);
    } catch (error) {
      throw this.#abandon(error);
    }
  }

  #update(data: Uint8Array): void {
    const { capacity } = this.#arena;
    for (let at = 0; at < data.length; at += capacity) {
      const piece = data.subarray(at, at + capacity);
      this.#arena.rewind();
      this.#arena.write(piece);
      this.#exports.update(piece.length);
    }
  }

  #abandon(error: unknown): unknown {
    this.#exports.erase();
    this.#arena.erase();
    return error;
  }
}

/** KDFLabel (RFC 9420 §8) for labels and contexts that the kernel's memory does not hold, or that are not ASCII. */
function kdfLabel(label: string, context: Uint8Array, length: number): Bytes {
  const labelBytes = new TextEncoder().encode(LABEL_PREFIX + label);
  const parts = [
    Uint8Array.of(length >> 8, length & 0xff),
    varint(labelBytes.length),
    labelBytes,
    varint(context.length),
    context,
  ];
  const output = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    output.set(part, at);
    at += part.length;
  }
  return output;
}

function varint(value: number): Bytes {
  if (value < 0x40) return Uint8Array.of(value);
  if (value < 0x4000) return Uint8Array.of(0x40 | (value >> 8), value & 0xff);
  if (value >= VECTOR_LIMIT) throw new RangeError("label and context must be shorter than 2^30 bytes");
  return Uint8Array.of(0x80 | (value >> 24), (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff);
}
