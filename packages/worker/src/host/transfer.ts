/** A backup on its way out of, or into, the worker: one piece at a time, so that neither side holds more than that. */
import type { BackupProgress } from "@coppice/client/backup";
import type { FilePiece } from "../protocol.ts";

/** Makes of an outgoing file what the page asks for. */
export class Outgoing {
  readonly #pieces: AsyncIterator<Uint8Array<ArrayBuffer>>;
  #progress: BackupProgress = { items: 0, total: 0 };

  constructor(make: (onProgress: (progress: BackupProgress) => void) => AsyncIterable<Uint8Array<ArrayBuffer>>) {
    const onProgress = (progress: BackupProgress): void => {
      this.#progress = progress;
    };
    this.#pieces = make(onProgress)[Symbol.asyncIterator]();
  }

  /** The next piece; without bytes after the last one. */
  async next(): Promise<FilePiece> {
    const next = await this.#pieces.next();
    return { bytes: next.done === true ? undefined : next.value, ...this.#progress };
  }

  async end(): Promise<void> {
    await this.#pieces.return?.();
  }
}

/** Feeds what the page hands in to whoever reads it as a stream. */
export class Incoming {
  readonly #done: Promise<void>;
  #progress: BackupProgress = { items: 0, total: 0 };
  /** The piece that was handed in and not taken. */
  #piece: Uint8Array<ArrayBuffer> | undefined;
  #ended: { readonly error: Error | undefined } | undefined;
  /** Those who wait for a change. */
  readonly #waiting: (() => void)[] = [];

  constructor(
    read: (file: AsyncIterable<Uint8Array>, onProgress: (progress: BackupProgress) => void) => Promise<void>,
  ) {
    this.#done = read(this.#stream(), (progress) => {
      this.#progress = progress;
    });
    // Told to whoever hands in the next piece.
    this.#done.catch(nothing);
  }

  /** Resolves when the piece was taken, with how far the work is; rejects if that failed. */
  async push(bytes: Uint8Array<ArrayBuffer>): Promise<BackupProgress> {
    if (this.#piece !== undefined || this.#ended !== undefined) throw new TypeError("One piece is handed in at a time");
    this.#piece = bytes;
    this.#wake();
    await Promise.race([this.#done, this.#until(() => this.#piece === undefined)]);
    return this.#progress;
  }

  /** There are no more pieces. Resolves when all is done. */
  async end(): Promise<void> {
    this.#ended ??= { error: undefined };
    this.#wake();
    await this.#done;
  }

  /** The pieces that are missing will not come. */
  async abort(error: Error): Promise<void> {
    this.#ended ??= { error };
    this.#wake();
    await this.#done.catch(nothing);
  }

  async *#stream(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      await this.#until(() => this.#piece !== undefined || this.#ended !== undefined);
      const piece = this.#piece;
      if (piece === undefined) {
        if (this.#ended?.error !== undefined) throw this.#ended.error;
        return;
      }
      this.#piece = undefined;
      this.#wake();
      yield piece;
    }
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

const nothing = (): void => undefined;
