/** `AeadKernel` over the WASM kernel: batches of what fits its memory, pieces of what does not. */
import type { Arena } from "./arena.ts";
import { batches } from "./batches.ts";
import { checkBytes } from "./check.ts";
import { abandon } from "./hash-context.ts";
import type { KernelExports } from "./instantiate.ts";
import type { AeadKernel, AeadMessage, Bytes } from "./kernel.ts";
import { ENTRY, NONCE, TAG, extentOf, openBatch } from "./open-batch.ts";

/** What distinguishes the three AEADs. `id` is their number in `assembly/aead.ts`. */
interface AeadParameters {
  readonly name: AeadKernel["name"];
  readonly id: number;
  readonly Nk: number;
}

export const aeads: {
  readonly aes128gcm: AeadParameters;
  readonly aes256gcm: AeadParameters;
  readonly chacha20poly1305: AeadParameters;
} = {
  aes128gcm: { name: "AES-128-GCM", id: 0, Nk: 16 },
  aes256gcm: { name: "AES-256-GCM", id: 1, Nk: 32 },
  chacha20poly1305: { name: "ChaCha20-Poly1305", id: 2, Nk: 32 },
};

const SEAL = 0;
const OPEN = 1;
type Direction = typeof SEAL | typeof OPEN;

/** Builds the object for one AEAD; all of a kernel share instance and arena. */
export function createAead(exports: KernelExports, arena: Arena, parameters: AeadParameters): AeadKernel {
  return new WasmAead(exports, arena, parameters);
}

class WasmAead implements AeadKernel {
  readonly name: AeadKernel["name"];
  readonly Nk: number;
  readonly Nn: number = NONCE;
  readonly #exports: KernelExports;
  readonly #arena: Arena;
  readonly #id: number;

  constructor(exports: KernelExports, arena: Arena, { name, id, Nk }: AeadParameters) {
    this.name = name;
    this.Nk = Nk;
    this.#exports = exports;
    this.#arena = arena;
    this.#id = id;
  }

  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Bytes {
    const message = { key, nonce, aad, data: plaintext };
    this.#check(message);
    return this.#isLarge(message, SEAL) ? this.#sealInPieces(message) : this.#sealAlone(message);
  }

  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Bytes | undefined {
    const message = { key, nonce, aad, data: ciphertext };
    this.#check(message);
    if (ciphertext.length < TAG) return undefined;
    return this.#isLarge(message, OPEN) ? this.#openInPieces(message) : this.#openBatch([message])[0];
  }

  sealMany(messages: readonly AeadMessage[]): Bytes[] {
    for (const message of messages) this.#check(message);
    const sealed: Bytes[] = [];
    for (const batch of this.#batches(messages, SEAL)) {
      const [first] = batch;
      if (first !== undefined && this.#isLarge(first, SEAL)) sealed.push(this.#sealInPieces(first));
      else sealed.push(...this.#sealBatch(batch));
    }
    return sealed;
  }

  openMany(messages: readonly AeadMessage[]): (Bytes | undefined)[] {
    const [alone] = messages;
    if (alone !== undefined && messages.length === 1) return [this.open(alone.key, alone.nonce, alone.aad, alone.data)];
    for (const message of messages) this.#check(message);
    const opened: (Bytes | undefined)[] = [];
    for (const batch of this.#batches(messages, OPEN)) {
      const [first] = batch;
      if (first !== undefined && this.#isLarge(first, OPEN)) opened.push(this.#openInPieces(first));
      else opened.push(...this.#openBatch(batch));
    }
    return opened;
  }

  #check({ key, nonce, aad, data }: AeadMessage): void {
    checkBytes(key, "key", this.Nk);
    checkBytes(nonce, "nonce", NONCE);
    checkBytes(aad, "aad");
    checkBytes(data, "data");
  }

  /** Bytes of arena that a message takes. */
  #extent(message: AeadMessage, direction: Direction): number {
    return extentOf(message, this.Nk) + (direction === SEAL ? TAG : 0);
  }

  #isLarge(message: AeadMessage, direction: Direction): boolean {
    return this.#extent(message, direction) > this.#arena.capacity;
  }

  #batches(messages: readonly AeadMessage[], direction: Direction): Generator<readonly AeadMessage[]> {
    const fits = (_count: number, total: number): boolean => total <= this.#arena.capacity;
    return batches(messages, (message) => this.#extent(message, direction), fits);
  }

  #sealAlone(message: AeadMessage): Bytes {
    const [sealed] = this.#sealBatch([message]);
    if (sealed === undefined) throw new RangeError("a message is missing");
    return sealed;
  }

  /** The layout is that of `assembly/aead-batch.ts`. */
  #sealBatch(messages: readonly AeadMessage[]): Bytes[] {
    const arena = this.#arena;
    try {
      for (const { aad, data } of messages) {
        arena.writeUint32(aad.length);
        arena.writeUint32(data.length);
      }
      for (const { key, nonce, aad, data } of messages) {
        arena.write(key);
        arena.write(nonce);
        arena.write(aad);
        arena.write(data);
        arena.reserve(TAG);
      }
      this.#exports.aeadBatch(this.#id, SEAL, messages.length);
      let at = messages.length * ENTRY;
      const sealed = messages.map(({ aad, data }) => {
        at += this.Nk + NONCE + aad.length + data.length + TAG;
        return arena.read(at - data.length - TAG, data.length + TAG);
      });
      arena.clear();
      return sealed;
    } catch (error) {
      throw abandon({ exports: this.#exports, arena: this.#arena }, error);
    }
  }

  #openBatch(messages: readonly AeadMessage[]): (Bytes | undefined)[] {
    const arena = this.#arena;
    return openBatch(messages, {
      exports: this.#exports,
      arena,
      Nk: this.Nk,
      writeKey: (place) => {
        const { key, nonce } = messages[place] as AeadMessage;
        arena.write(key);
        arena.write(nonce);
      },
      open: (count) => {
        this.#exports.aeadBatch(this.#id, OPEN, count);
      },
      read: (at, length) => arena.read(at, length),
    });
  }

  #sealInPieces({ key, nonce, aad, data }: AeadMessage): Bytes {
    try {
      const output = new Uint8Array(data.length + TAG);
      this.#start(key, nonce, aad);
      for (const [at, piece] of this.#pieces(data)) {
        this.#exports.aeadCrypt(piece.length);
        this.#exports.aeadData(piece.length);
        output.set(this.#arena.read(0, piece.length), at);
      }
      this.#exports.aeadTag();
      output.set(this.#arena.take(TAG), data.length);
      this.#exports.erase();
      return output;
    } catch (error) {
      throw abandon({ exports: this.#exports, arena: this.#arena }, error);
    }
  }

  /** Authenticates everything before it decrypts anything, over a copy: shared memory may change in between. */
  #openInPieces({ key, nonce, aad, data }: AeadMessage): Bytes | undefined {
    try {
      const output = new Uint8Array(data.subarray(0, data.length - TAG));
      const tag = new Uint8Array(data.subarray(output.length));
      this.#start(key, nonce, aad);
      for (const [, piece] of this.#pieces(output)) this.#exports.aeadData(piece.length);
      this.#arena.rewind();
      this.#arena.write(tag);
      const authentic = this.#exports.aeadVerify() === 1;
      if (authentic) {
        for (const [at, piece] of this.#pieces(output)) {
          this.#exports.aeadCrypt(piece.length);
          output.set(this.#arena.read(0, piece.length), at);
        }
      }
      this.#arena.clear();
      this.#exports.erase();
      return authentic ? output : undefined;
    } catch (error) {
      throw abandon({ exports: this.#exports, arena: this.#arena }, error);
    }
  }

  #start(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array): void {
    this.#arena.write(key);
    this.#arena.write(nonce);
    this.#exports.aeadStart(this.#id);
    for (const [, piece] of this.#pieces(aad)) this.#exports.aeadAad(piece.length);
  }

  /** Writes `data` to the beginning of the arena, a piece at a time: offset and piece. */
  *#pieces(data: Uint8Array): Generator<readonly [number, Uint8Array]> {
    const { capacity } = this.#arena;
    for (let at = 0; at < data.length; at += capacity) {
      const piece = data.subarray(at, at + capacity);
      this.#arena.rewind();
      this.#arena.write(piece);
      yield [at, piece];
    }
  }
}
