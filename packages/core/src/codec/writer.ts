/** Writing the TLS presentation language (RFC 9420 §2.1). */
import { assertBytes } from "@coppice/kit";

/** Longest `<V>` vector: the header has 30 bits for it. Whatever is encoded stays below that too. */
export const MAX_VECTOR_LENGTH: number = 2 ** 30 - 1;

/** Bytes in the shortest length header for a vector of `length` bytes. */
function headerLength(length: number): 1 | 2 | 4 {
  if (length < 64) return 1;
  if (length < 16_384) return 2;
  return 4;
}

/** The top two bits of a header of this length. */
const HEADER_PREFIX = { 1: 0, 2: 0x40_00, 4: 0x80_00_00_00 } as const;

/** One past the largest uint64. */
const UINT64_END = 1n << 64n;
/** Of a uint64: arithmetic on bigints makes one for every step. */
const halves = new DataView(new ArrayBuffer(8));

/** Wiped buffers of finished writers, for the next ones: making one costs more than most of what is written. */
const spare: Uint8Array<ArrayBuffer>[] = [];
const BUFFER_LENGTH = 4096;
const NOTHING = new Uint8Array(0);

/** A growing buffer. */
export class Writer {
  #buffer = spare.pop() ?? new Uint8Array(BUFFER_LENGTH);
  #length = 0;
  #headers = 0;

  /** `<V>` headers written so far. */
  get headers(): number {
    return this.#headers;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    // No vector gets longer than what holds it, so that this refuses one before its bytes are copied (R-2.1.2-9).
    if (needed > MAX_VECTOR_LENGTH) throw new RangeError(`${String(needed)} bytes to encode: at most 2^30-1`);
    const grown = new Uint8Array(Math.max(needed + BUFFER_LENGTH, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer.fill(0);
    this.#buffer = grown;
  }

  /** `count` is 1 to 4; `value` an integer that fits. */
  uint(value: number, count: number): void {
    if (value >>> 0 !== value || (count < 4 && value >>> (8 * count) !== 0)) {
      throw new RangeError(`${String(value)} is not a uint${String(count * 8)}`);
    }
    this.#reserve(count);
    for (let shift = 8 * (count - 1); shift >= 0; shift -= 8) this.#buffer[this.#length++] = value >>> shift;
  }

  uint64(value: bigint): void {
    if (value < 0n || value >= UINT64_END) throw new RangeError(`${String(value)} is not a uint64`);
    halves.setBigUint64(0, value);
    this.uint(halves.getUint32(0), 4);
    this.uint(halves.getUint32(4), 4);
  }

  /** `TypeError` for what are no bytes: it would be written as zeros. */
  bytes(value: Uint8Array): void {
    assertBytes(value, "a byte string");
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  zeros(count: number): void {
    this.#reserve(count);
    this.#length += count;
  }

  /** `opaque<V>` */
  opaque(value: Uint8Array): void {
    assertBytes(value, "a byte string");
    this.vectorLength(value.length);
    this.bytes(value);
  }

  /** The length header of a `<V>` vector of `length` bytes: the shortest one (R-2.1.2-2). */
  vectorLength(length: number): void {
    if (length > MAX_VECTOR_LENGTH) throw new RangeError(`${String(length)} bytes to encode: at most 2^30-1`);
    const header = headerLength(length);
    this.#headers++;
    this.uint(length + HEADER_PREFIX[header], header);
  }

  /** A `<V>` vector whose body is what `body` writes. */
  vector(body: () => void): void {
    const start = this.#length;
    body();
    const length = this.#length - start;
    const header = headerLength(length);
    this.#reserve(header);
    this.#buffer.copyWithin(start + header, start, this.#length);
    this.#length = start;
    this.vectorLength(length);
    this.#length += length;
  }

  /** A copy of what was written. Ends the writer. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.lend((bytes) => bytes.slice());
  }

  /** Ends the writer. What was written is overwritten when `use` returns, since it may hold secrets. */
  lend<T>(use: (written: Uint8Array<ArrayBuffer>) => T): T {
    try {
      return use(this.written());
    } finally {
      this.release();
    }
  }

  /** What was written, in the writer's own buffer: until `release`. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Ends the writer: wipes the buffer and gives it back. */
  release(): void {
    const buffer = this.#buffer.fill(0, 0, this.#length);
    this.#buffer = NOTHING;
    this.#length = 0;
    if (buffer.length === BUFFER_LENGTH) spare.push(buffer);
  }
}
