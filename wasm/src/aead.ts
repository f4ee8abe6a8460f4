/** `AeadKernel` over the WASM kernel: batches of what fits its memory, pieces of what does not. */
import type { Arena } from "./arena.ts";
import { batches } from "./batches.ts";
import { checkBytes } from "./check.ts";
import { abandon } from "./hash-context.ts";
import type { KernelExports } from "./instantiate.ts";
import type { AeadKernel, AeadMessage, Bytes } from "./kernel.ts";

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

const NONCE = 12;
const TAG = 16;
/** Lengths of associated data and data, 32 bits each. */
const ENTRY = 8;
/** In place of the length of data that do not authenticate. */
const REFUSED = 0xffffffff;

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
    return this.#isLarge(message, OPEN) ? this.#openInPieces(message) : this.#openAlone(message);
  }

  sealMany(messages: readonly AeadMessage[]): Bytes[] {
    for (const message of messages) this.#check(message);
    const sealed: Bytes[] = [];
    for (const batch of this.#batches(messages, SEAL)) {
      const [first] = batch;
      if (first !== undefined && this.#isLarge(first, SEAL)) sealed.push(this.#sealInPieces(first));
      else this.#sealBatch(batch, sealed);
    }
    return sealed;
  }

  openMany(messages: readonly AeadMessage[]): (Bytes | undefined)[] {
    const [alone] = messages;
    if (alone !== undefined && messages.length === 1) return [this.open(alone.key, alone.nonce, alone.aad, alone.data)];
    for (const message of messages) this.#check(message);
    const opened: (Bytes | undefined)[] = [];
    const withTag = messages.filter(({ data }) => data.length >= TAG);
    for (const batch of this.#batches(withTag, OPEN)) {
      const [first] = batch;
      if (first !== undefined && this.#isLarge(first, OPEN)) opened.push(this.#openInPieces(first));
      else this.#openBatch(batch, opened);
    }
    let next = 0;
    return messages.map(({ data }) => (data.length >= TAG ? opened[next++] : undefined));
  }

  #check({ key, nonce, aad, data }: AeadMessage): void {
    checkBytes(key, "key");
    checkBytes(nonce, "nonce");
    checkBytes(aad, "aad");
    checkBytes(data, "data");
    if (key.length !== this.Nk) throw new RangeError(`the key must have ${this.Nk.toString()} bytes`);
    if (nonce.length !== NONCE) throw new RangeError(`the nonce must have ${NONCE.toString()} bytes`);
  }

  /** Bytes of arena that a message takes, its table entry included. */
  #extent({ aad, data }: AeadMessage, direction: Direction): number {
    return ENTRY + this.Nk + NONCE + aad.length + data.length + (direction === SEAL ? TAG : 0);
  }

  #isLarge(message: AeadMessage, direction: Direction): boolean {
    return this.#extent(message, direction) > this.#arena.capacity;
  }

  #batches(messages: readonly AeadMessage[], direction: Direction): Generator<readonly AeadMessage[]> {
    const fits = (_count: number, total: number): boolean => total <= this.#arena.capacity;
    return batches(messages, (message) => this.#extent(message, direction), fits);
  }

  /** Writes table and messages in the layout of `assembly/aead-batch.ts` and has them processed in place. */
  #process(messages: readonly AeadMessage[], direction: Direction): void {
    const arena = this.#arena;
    for (const { aad, data } of messages) {
      arena.writeUint32(aad.length);
      arena.writeUint32(direction === SEAL ? data.length : data.length - TAG);
    }
    for (const { key, nonce, aad, data } of messages) {
      arena.write(key);
      arena.write(nonce);
      arena.write(aad);
      arena.write(data);
      if (direction === SEAL) arena.reserve(TAG);
    }
    this.#exports.aeadBatch(this.#id, direction, messages.length);
  }

  #sealAlone(message: AeadMessage): Bytes {
    try {
      this.#process([message], SEAL);
      const sealed = this.#arena.read(ENTRY + this.Nk + NONCE + message.aad.length, message.data.length + TAG);
      this.#arena.clear();
      return sealed;
    } catch (error) {
      throw abandon({ exports: this.#exports, arena: this.#arena }, error);
    }
  }

  #openAlone(message: AeadMessage): Bytes | undefined {
    const opened: (Bytes | undefined)[] = [];
    this.#openBatch([message], opened);
    return opened[0];
  }

  #sealBatch(messages: readonly AeadMessage[], sealed: Bytes[]): void {
    const arena = this.#arena;
    try {
      this.#process(messages, SEAL);
      let at = messages.length * ENTRY;
      for (const { aad, data } of messages) {
        at += this.Nk + NONCE + aad.length;
        sealed.push(arena.read(at, data.length + TAG));
        at += data.length + TAG;
      }
      arena.clear();
    } catch (error) {
      throw abandon({ exports: this.#exports, arena: this.#arena }, error);
    }
  }

  #openBatch(messages: readonly AeadMessage[], opened: (Bytes | undefined)[]): void {
    const arena = this.#arena;
    try {
      this.#process(messages, OPEN);
      let at = messages.length * ENTRY;
      for (const [i, { aad, data }] of messages.entries()) {
        at += this.Nk + NONCE + aad.length;
        const refused = arena.readUint32(i * ENTRY + 4) === REFUSED;
        opened.push(refused ? undefined : arena.read(at, data.length - TAG));
        at += data.length;
      }
      arena.clear();
    } catch (error) {
      throw abandon({ exports: this.#exports, arena: this.#arena }, error);
    }
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
