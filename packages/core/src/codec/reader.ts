/** Reading the TLS presentation language (RFC 9420 §2.1). Every read is bounded by the bytes that are there. */
import { CoppiceError } from "../errors.ts";

const malformed = (message: string, requirement?: string): CoppiceError =>
  new CoppiceError("ERR_MLS_DECODE", message, requirement === undefined ? {} : { requirement });

/** A cursor over received bytes. What it returns are copies, so later changes to the input change nothing. */
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
    if (length > this.remaining) {
      throw malformed(`${String(length)} bytes expected, ${String(this.remaining)} left`);
    }
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

  /** The `uint` that comes next, without reading it. */
  peek(count: number): number {
    return new Reader(this.#bytes, this.#position, this.#end).uint(count);
  }

  uint64(): bigint {
    const high = this.uint(4);
    return (BigInt(high) << 32n) | BigInt(this.uint(4));
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const start = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(start, start + length));
  }

  /** Everything that is left. */
  rest(): Uint8Array<ArrayBuffer> {
    return this.bytes(this.remaining);
  }

  /** The length header of a `<V>` vector (RFC 9420 §2.1.2). */
  vectorLength(): number {
    const first = this.uint(1);
    const prefix = first >>> 6;
    if (prefix === 3) throw malformed("vector length header starts with 11", "R-2.1.2-4");
    let length = first & 0x3f;
    for (let i = 1; i < 1 << prefix; i++) length = length * 256 + this.uint(1);
    if ((prefix === 1 && length < 64) || (prefix === 2 && length < 16_384)) {
      throw malformed("vector length header is longer than needed", "R-2.1.2-3");
    }
    return length;
  }

  /** A reader over the body of a `<V>` vector, which this reader skips. */
  vector(): Reader {
    const start = this.#takeVector();
    return new Reader(this.#bytes, start, this.#position);
  }

  /** `opaque<V>` */
  opaque(): Uint8Array<ArrayBuffer> {
    const start = this.#takeVector();
    return new Uint8Array(this.#bytes.subarray(start, this.#position));
  }

  #takeVector(): number {
    const length = this.vectorLength();
    if (length > this.remaining) {
      throw malformed(`vector of ${String(length)} bytes, ${String(this.remaining)} left`, "R-2.1.2-7");
    }
    return this.#take(length);
  }

  /** Refuses bytes that nothing has read. */
  finish(): void {
    if (this.remaining > 0) throw malformed(`${String(this.remaining)} trailing bytes`, "R-2.1-4");
  }
}
