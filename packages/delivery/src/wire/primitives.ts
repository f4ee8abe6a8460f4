/** Bytes and length-prefixed vectors as in RFC 9420 §2.1. Every read is bounded by the bytes that are there. */
import { deliveryError } from "../errors.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

const MAX_VECTOR_LENGTH = 2 ** 30 - 1;

/** A cursor over received bytes; what it returns are copies. `ERR_DS_BAD_REQUEST` for anything malformed. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  #take(length: number): number {
    if (length > this.remaining) throw malformed("a field crosses the end");
    const start = this.#position;
    this.#position += length;
    return start;
  }

  /** `count` is 1 to 4: the result stays an exact non-negative number. */
  uint(count: number): number {
    const start = this.#take(count);
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 256 + (this.#bytes[start + i] ?? 0);
    return value;
  }

  uint64(): bigint {
    const high = this.uint(4);
    return (BigInt(high) << 32n) | BigInt(this.uint(4));
  }

  /** A reader over the body of a `<V>` vector, which this reader skips. */
  vector(): Reader {
    const first = this.uint(1);
    const prefix = first >>> 6;
    if (prefix === 3) throw malformed("a vector length starts with 11");
    let length = first & 0x3f;
    for (let i = 1; i < 1 << prefix; i++) length = length * 256 + this.uint(1);
    if ((prefix === 1 && length < 64) || (prefix === 2 && length < 16_384)) {
      throw malformed("a vector length is longer than needed");
    }
    const start = this.#take(length);
    return new Reader(this.#bytes, start, start + length);
  }

  /** Everything that is left. */
  rest(): Bytes {
    const start = this.#take(this.remaining);
    return new Uint8Array(this.#bytes.subarray(start, this.#position));
  }

  /** Refuses bytes that nothing has read. */
  finish(): void {
    if (this.remaining > 0) throw malformed("trailing bytes");
  }
}

/** A growing buffer. `RangeError` for values that do not fit. */
export class Writer {
  #buffer: Bytes = new Uint8Array(256);
  #length = 0;

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }

  /** `count` is 1 to 4; `value` an integer that fits. */
  uint(value: number, count: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= 256 ** count)
      throw new RangeError("an integer is out of range");
    this.#reserve(count);
    for (let i = count - 1; i >= 0; i--) this.#buffer[this.#length++] = Math.floor(value / 256 ** i) % 256;
  }

  uint64(value: bigint): void {
    if (value < 0n || value >= 1n << 64n) throw new RangeError("an integer is out of range");
    this.uint(Number(value >> 32n), 4);
    this.uint(Number(value & 0xffff_ffffn), 4);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** A `<V>` vector whose body is what `body` writes. */
  vector(body: () => void): void {
    const start = this.#length;
    body();
    const length = this.#length - start;
    if (length > MAX_VECTOR_LENGTH) throw new RangeError("a vector is too long");
    const header = length < 64 ? 1 : length < 16_384 ? 2 : 4;
    this.#reserve(header);
    this.#buffer.copyWithin(start + header, start, start + length);
    this.#length = start;
    const prefix = { 1: 0, 2: 0x40_00, 4: 0x80_00_00_00 }[header];
    this.uint(prefix + length, header);
    this.#length += length;
  }

  finish(): Bytes {
    return this.#buffer.slice(0, this.#length);
  }
}

/** The error for bytes that are not what the format says. The message describes the format, never the content. */
export function malformed(message: string): Error {
  return deliveryError("ERR_DS_BAD_REQUEST", `malformed: ${message}`);
}
