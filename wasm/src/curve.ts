/** Curve 25519 in WebAssembly: Ed25519 (RFC 8032) and X25519 (RFC 7748). */
import { checkBytes } from "./check.ts";
import { curveKernelText } from "./generated/curve-kernel.ts";
import { instanceOf } from "./instantiate.ts";
import type { Bytes } from "./kernel.ts";

/** What the curve module exports; `assembly/curve/index.ts` documents the functions. */
export interface CurveExports {
  readonly memory: WebAssembly.Memory;
  readonly arena: WebAssembly.Global;
  readonly capacity: WebAssembly.Global;
  readonly records: WebAssembly.Global;
  readonly batch: WebAssembly.Global;
  readonly table: WebAssembly.Global;
  readonly tableLength: WebAssembly.Global;
  initialise(): void;
  hashStart(): void;
  hashUpdate(length: number): void;
  challenge(record: number): void;
  decode(count: number, keys: number): void;
  makeTable(record: number): number;
  verifyKnown(record: number): number;
  verifyNew(record: number): number;
  keyTake(): void;
  keyPublic(): void;
  signStart(): void;
  signCommit(): void;
  signFinish(): void;
  x25519Public(): void;
  x25519Agree(): number;
  erase(): void;
}

/** A signature by a public key over a message. */
export interface Ed25519Signature {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  /** R and S, 64 bytes. */
  readonly signature: Uint8Array;
  /** Of this public key: verifying takes a third of the time with it. `RangeError` if it is another key's, `TypeError` if it was not made here. */
  readonly table?: Ed25519Table;
}

/**
 * Ed25519 and X25519, synchronously. What has a secret argument takes the same time whatever it is, as far as the module's instructions
 * go, and leaves nothing of it in the module's memory.
 */
export interface CurveKernel {
  /** Bytes that each table takes. */
  readonly tableLength: number;
  /**
   * Whether each signature verifies, by itself: S below the order, public key and R points in their one encoding, and
   * `S·B = R + k·A` without the cofactor, k reduced by the order (RFC 8032 §5.1.7, §8.8). False for keys and signatures of another
   * length. Points of small order are the caller's to refuse. Faster for each if there are more.
   */
  verifyMany(signatures: readonly Ed25519Signature[]): boolean[];
  /**
   * The table of a public key, 32 bytes; takes about as long as verifying a signature. Undefined if the bytes are no point in its one encoding.
   */
  makeTable(publicKey: Uint8Array): Ed25519Table | undefined;
  /** The public key, 32 bytes, of a seed of 32 bytes (RFC 8032 §5.1.5). */
  signingKey(seed: Uint8Array): Bytes;
  /** Signs with a seed of 32 bytes and its public key: R and S, 64 bytes (RFC 8032 §5.1.6). */
  sign(seed: Uint8Array, publicKey: Uint8Array, message: Uint8Array): Bytes;
  /** The public key, 32 bytes, of a private key, any 32 bytes (RFC 7748 §6.1). */
  agreementKey(privateKey: Uint8Array): Bytes;
  /** What a private key and a public key agree on, 32 bytes each; undefined if it is zero (RFC 7748 §6.1). */
  agree(privateKey: Uint8Array, publicKey: Uint8Array): Bytes | undefined;
}

/**
 * Multiples of a public key, which hold no secret. `makeTable` alone makes them, and they live in memory only: one that was
 * stored could have been exchanged for another key's.
 */
export interface Ed25519Table {
  /** The public key, 32 bytes. */
  readonly publicKey: Uint8Array;
}

class Table implements Ed25519Table {
  readonly #publicKey: Uint8Array;
  readonly #points: Uint8Array;

  constructor(publicKey: Uint8Array, points: Uint8Array) {
    this.#publicKey = publicKey;
    this.#points = points;
  }

  get publicKey(): Uint8Array {
    return this.#publicKey.slice();
  }

  /** The multiples in a table of this key. */
  static points(table: Ed25519Table, publicKey: Uint8Array): Uint8Array {
    if (!(table instanceof Table)) throw new TypeError("only `makeTable` makes tables");
    if (table.#publicKey.some((byte, i) => byte !== publicKey[i])) throw new RangeError("the table is another key's");
    return table.#points;
  }
}

const KEY = 32;
const SIGNATURE = 64;
const RECORD = 128;

/**
 * Creates a kernel for curve 25519: one WebAssembly instance with a fixed memory of 384 kB, and tables of the base point in it, which takes a
 * millisecond.
 *
 * @throws Error when WebAssembly or its SIMD instructions are missing, a content security policy forbids them, or there is
 * no memory for another instance.
 *
 * @example
 * const kernel = createCurveKernel();
 * const [valid] = kernel.verifyMany([{ publicKey, message, signature }]);
 */
export function createCurveKernel(): CurveKernel {
  return curveKernelOver(instantiateCurve());
}

/** The module and `CurveExports` are built from the same commit. */
export const instantiateCurve = (): CurveExports => instanceOf(curveKernelText) as unknown as CurveExports;

/** The kernel over an instance whose memory the tests can look into. Not exported by the package. */
export function curveKernelOver(exports: CurveExports): CurveKernel {
  exports.initialise();
  return new WasmCurve(exports);
}

class WasmCurve implements CurveKernel {
  readonly tableLength: number;
  readonly #exports: CurveExports;
  readonly #arena: Uint8Array;
  readonly #records: Uint8Array;
  readonly #table: Uint8Array;
  readonly #batch: number;
  /** Whose points are in the module's memory. */
  #loaded: Uint8Array | undefined;

  constructor(exports: CurveExports) {
    const { buffer } = exports.memory;
    const view = (start: WebAssembly.Global, length: number): Uint8Array =>
      new Uint8Array(buffer, Number(start.value), length);
    this.#exports = exports;
    this.#batch = Number(exports.batch.value);
    this.#arena = view(exports.arena, Number(exports.capacity.value));
    this.#records = view(exports.records, this.#batch * RECORD);
    this.tableLength = Number(exports.tableLength.value);
    this.#table = view(exports.table, this.tableLength);
  }

  verifyMany(signatures: readonly Ed25519Signature[]): boolean[] {
    for (const { publicKey, message, signature } of signatures) {
      checkBytes(publicKey, "public key");
      checkBytes(message, "message");
      checkBytes(signature, "signature");
    }
    const verdicts: boolean[] = [];
    for (let at = 0; at < signatures.length; at += this.#batch) {
      verdicts.push(...this.#verify(signatures.slice(at, at + this.#batch)));
    }
    return verdicts;
  }

  makeTable(publicKey: Uint8Array): Ed25519Table | undefined {
    checkBytes(publicKey, "public key", KEY);
    this.#records.set(publicKey, 0);
    this.#exports.decode(1, 1);
    this.#loaded = undefined;
    const found = this.#exports.makeTable(0) !== 0;
    const made = found ? new Table(new Uint8Array(publicKey), this.#table.slice()) : undefined;
    this.#exports.erase();
    return made;
  }

  signingKey(seed: Uint8Array): Bytes {
    checkBytes(seed, "seed", KEY);
    return this.#secretly(() => {
      this.#take(seed);
      this.#exports.keyPublic();
      return this.#read(0, KEY);
    });
  }

  sign(seed: Uint8Array, publicKey: Uint8Array, message: Uint8Array): Bytes {
    checkBytes(seed, "seed", KEY);
    checkBytes(publicKey, "public key", KEY);
    checkBytes(message, "message");
    const exports = this.#exports;
    return this.#secretly(() => {
      this.#take(seed);
      exports.signStart();
      this.#hash(message);
      exports.signCommit();
      const signature = new Uint8Array(SIGNATURE);
      signature.set(this.#read(0, KEY));
      exports.hashStart();
      this.#hash(signature.subarray(0, KEY), publicKey, message);
      exports.signFinish();
      signature.set(this.#read(0, KEY), KEY);
      return signature;
    });
  }

  agreementKey(privateKey: Uint8Array): Bytes {
    checkBytes(privateKey, "private key", KEY);
    return this.#secretly(() => {
      this.#arena.set(privateKey);
      this.#exports.x25519Public();
      return this.#read(KEY, KEY);
    });
  }

  agree(privateKey: Uint8Array, publicKey: Uint8Array): Bytes | undefined {
    checkBytes(privateKey, "private key", KEY);
    checkBytes(publicKey, "public key", KEY);
    return this.#secretly(() => {
      this.#arena.set(privateKey);
      this.#arena.set(publicKey, KEY);
      return this.#exports.x25519Agree() === 0 ? undefined : this.#read(2 * KEY, KEY);
    });
  }

  /** Erases what an operation has left, also when it throws. */
  #secretly<T>(operation: () => T): T {
    try {
      return operation();
    } finally {
      this.#exports.erase();
    }
  }

  #take(seed: Uint8Array): void {
    this.#exports.hashStart();
    this.#hash(seed);
    this.#exports.keyTake();
  }

  #read(at: number, length: number): Bytes {
    return new Uint8Array(this.#arena.subarray(at, at + length));
  }

  #hash(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      for (let at = 0; at < part.length; at += this.#arena.length) {
        const piece = part.subarray(at, at + this.#arena.length);
        this.#arena.set(piece);
        this.#exports.hashUpdate(piece.length);
      }
    }
  }

  /** At most as many as are a batch. */
  #verify(signatures: readonly Ed25519Signature[]): boolean[] {
    const exports = this.#exports;
    const wellFormed = ({ publicKey, signature }: Ed25519Signature): boolean =>
      publicKey.length === KEY && signature.length === SIGNATURE;
    let newKeys = 0;
    try {
      for (const [i, given] of signatures.entries()) {
        if (!wellFormed(given)) continue;
        this.#write(i, given);
        if (given.table === undefined) newKeys |= 1 << i;
      }
      exports.decode(signatures.length, newKeys);
      return signatures.map((given, i) => {
        if (!wellFormed(given)) return false;
        const { table, publicKey } = given;
        if (table === undefined) return exports.verifyNew(i) !== 0;
        this.#load(Table.points(table, publicKey));
        return exports.verifyKnown(i) !== 0;
      });
    } finally {
      exports.erase();
    }
  }

  #load(points: Uint8Array): void {
    if (this.#loaded === points) return;
    this.#table.set(points);
    this.#loaded = points;
  }

  /** Writes a record, and has its challenge computed: SHA-512 of R, A and the message (RFC 8032 §5.1.7). */
  #write(record: number, { publicKey, message, signature }: Ed25519Signature): void {
    const exports = this.#exports;
    this.#records.set(publicKey, record * RECORD);
    this.#records.set(signature, record * RECORD + KEY);
    exports.hashStart();
    this.#hash(signature.subarray(0, KEY), publicKey, message);
    exports.challenge(record);
  }
}
