/** Reading the TLS presentation language (RFC 9420 §2.1). Every read is bounded by the bytes that are there. */
import { CoppiceError } from "../errors.ts";
import { BYTES_PER_HEADER, DEFAULT_LIMITS, FREE_HEADERS } from "../limits.ts";

const malformed = (message: string, requirement?: string): CoppiceError =>
  new CoppiceError("ERR_MLS_DECODE", message, requirement === undefined ? {} : { requirement });

/** What a reader and those over parts of its bytes may still read. */
interface Budget {
  /** `<V>` headers. */
  headers: number;
  /** Of one Commit. */
  readonly proposals: number;
}

const UNLIMITED: Budget = { headers: Number.POSITIVE_INFINITY, proposals: Number.POSITIVE_INFINITY };

/** Of a uint64: arithmetic on bigints makes one for every step. */
const halves = new DataView(new ArrayBuffer(8));

/** A reader of bytes that anybody may have made: what it returns takes no more than a multiple of their length. */
export const untrusted = (bytes: Uint8Array, proposals: number = DEFAULT_LIMITS.proposalsPerCommit): Reader =>
  new Reader(bytes, 0, bytes.length, { headers: headersWithin(bytes.length), proposals });

/** How many `<V>` headers are read within so many bytes that anybody may have made. */
export const headersWithin = (length: number): number => FREE_HEADERS + length / BYTES_PER_HEADER;

export const tooManyVectors = (): CoppiceError =>
  new CoppiceError("ERR_MLS_LIMIT", "Too many vectors for so few bytes", { requirement: "R-2.1.2-8" });

/** A cursor over received bytes. What it returns are copies, so later changes to the input change nothing. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #budget: Budget;
  #position: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length, budget: Budget = UNLIMITED) {
    // Not of a class derived from it: of Node's Buffer, `slice` is no copy.
    this.#bytes =
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#position = start;
    this.#end = end;
    this.#budget = budget;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  /** Proposals that a Commit may have which is read. */
  get mostProposals(): number {
    return this.#budget.proposals;
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
    const value = this.uint(count);
    this.#position -= count;
    return value;
  }

  uint64(): bigint {
    halves.setUint32(0, this.uint(4));
    halves.setUint32(4, this.uint(4));
    return halves.getBigUint64(0);
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const start = this.#take(length);
    return this.#bytes.slice(start, start + length);
  }

  /** Whether everything that is left is zero. Looks at all of it. */
  restIsZero(): boolean {
    let bits = 0;
    for (let at = this.#position; at < this.#end; at++) bits |= this.#bytes[at] ?? 0;
    this.#position = this.#end;
    return bits === 0;
  }

  /** The length header of a `<V>` vector (RFC 9420 §2.1.2). */
  vectorLength(): number {
    const first = this.uint(1);
    const prefix = first >>> 6;
    if (prefix === 3) throw malformed("Vector length header starts with 11", "R-2.1.2-4");
    let length = first & 0x3f;
    for (let i = 1; i < 1 << prefix; i++) length = length * 256 + this.uint(1);
    if ((prefix === 1 && length < 64) || (prefix === 2 && length < 16_384)) {
      throw malformed("Vector length header is longer than needed", "R-2.1.2-3");
    }
    return length;
  }

  /** A reader over the body of a `<V>` vector, which this reader skips. */
  vector(): Reader {
    const start = this.#takeVector();
    return new Reader(this.#bytes, start, this.#position, this.#budget);
  }

  /** `opaque<V>` */
  opaque(): Uint8Array<ArrayBuffer> {
    const start = this.#takeVector();
    return this.#bytes.slice(start, this.#position);
  }

  #takeVector(): number {
    if (--this.#budget.headers < 0) {
      throw tooManyVectors();
    }
    const length = this.vectorLength();
    if (length > this.remaining) {
      throw malformed(`Vector of ${String(length)} bytes, ${String(this.remaining)} left`, "R-2.1.2-7");
    }
    return this.#take(length);
  }

  /** Refuses bytes that nothing has read. */
  finish(): void {
    if (this.remaining > 0) throw malformed(`${String(this.remaining)} trailing bytes`, "R-2.1-4");
  }
}
