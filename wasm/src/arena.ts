/** The kernel's input and output memory as seen from JavaScript. */
import type { KernelExports } from "./instantiate.ts";
import type { Bytes } from "./kernel.ts";

/**
 * Writes arguments one after the other, reads the result and erases both.
 *
 * The views cover input and output and nothing else of the kernel's memory: what does not fit is a `RangeError`. The
 * memory never grows, so they are made once.
 */
export class Arena {
  /** Bytes of input that fit. */
  readonly capacity: number;
  /** Bytes of output that fit. */
  readonly outputCapacity: number;
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  /** Where input starts and output ends. */
  readonly #base: number;
  /** Where the next argument goes. */
  #end: number;
  /** The furthest that arguments have reached since memory was last erased. */
  #high: number;

  constructor(exports: KernelExports) {
    this.capacity = Number(exports.capacity.value);
    this.outputCapacity = Number(exports.outputCapacity.value);
    const { buffer } = exports.memory;
    const start = Number(exports.arena.value) - this.outputCapacity;
    const length = this.outputCapacity + this.capacity;
    this.#memory = new Uint8Array(buffer, start, length);
    this.#view = new DataView(buffer, start, length);
    this.#base = this.outputCapacity;
    this.#end = this.#base;
    this.#high = this.#base;
  }

  /** Appends an argument. The caller has checked that all of them fit. */
  write(data: Uint8Array): void {
    this.#memory.set(data, this.#end);
    this.#end += data.length;
  }

  /** Appends an argument with `mask` added to its beginning. */
  writeMasked(data: Uint8Array, mask: Uint8Array): void {
    const start = this.#end;
    this.write(data);
    for (let i = 0; i < mask.length; i++) this.#memory[start + i] = (data[i] ?? 0) ^ (mask[i] ?? 0);
  }

  /** Appends ASCII text. Returns false, with the text not appended, when it is not ASCII. */
  writeAscii(text: string): boolean {
    const memory = this.#memory;
    const start = this.#end;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return false;
      memory[start + i] = unit;
    }
    this.#end = start + text.length;
    return true;
  }

  /** Appends a 32-bit integer. */
  writeUint32(value: number): void {
    this.#view.setUint32(this.#end, value, true);
    this.#end += 4;
  }

  /** Leaves room for `length` bytes that the kernel appends. */
  reserve(length: number): void {
    this.#end += length;
  }

  /** Copies `length` bytes `at` bytes from the beginning of the arguments; output of the kernel lies before it. */
  read(at: number, length: number): Bytes {
    return this.#memory.slice(this.#base + at, this.#base + at + length);
  }

  /** What `read` would copy, in place: valid until memory is erased. */
  view(at: number, length: number): Bytes {
    return this.#memory.subarray(this.#base + at, this.#base + at + length);
  }

  /** Reads a 32-bit integer among the arguments. */
  readUint32(at: number): number {
    return this.#view.getUint32(this.#base + at, true);
  }

  /** Discards the arguments, so that the next ones start at the beginning again. */
  rewind(): void {
    this.#high = Math.max(this.#high, this.#end);
    this.#end = this.#base;
  }

  /** Copies `length` bytes of output, erases them and all arguments. */
  take(length: number): Bytes {
    const start = this.#base - length;
    const output = this.#memory.slice(start, this.#base);
    this.#eraseFrom(start);
    return output;
  }

  /** Erases all arguments, what the kernel left among them, and `output` bytes of output. */
  clear(output: number = 0): void {
    this.#eraseFrom(this.#base - output);
  }

  /** Erases everything that an operation can have left. */
  erase(): void {
    this.#high = this.#base + this.capacity;
    this.#eraseFrom(this.#base - this.outputCapacity);
  }

  #eraseFrom(start: number): void {
    this.#memory.fill(0, start, Math.max(this.#high, this.#end));
    this.#end = this.#base;
    this.#high = this.#base;
  }
}
