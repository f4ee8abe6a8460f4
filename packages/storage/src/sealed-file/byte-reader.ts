/** Reads a stream in pieces of given lengths, however it is divided. */
import { isUint8Array } from "@coppice/kit";

export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  /** What was read and not taken. */
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next `length` bytes; undefined if the stream ends before them. */
  async take(length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const taken = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      while (this.#chunk.length === 0) {
        const next = await this.#source.next();
        if (next.done === true) return undefined;
        if (!isUint8Array(next.value)) throw new TypeError("A stream of bytes is expected");
        this.#chunk = next.value;
      }
      const part = this.#chunk.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#chunk = this.#chunk.subarray(part.length);
    }
    return taken;
  }

  /** Lets go of the stream. */
  async end(): Promise<void> {
    await this.#source.return?.();
  }
}
