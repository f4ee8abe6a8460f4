/** What waits for a client that polls: a bounded queue of frames, of which only acknowledged ones are deleted. */
import type { Bytes } from "../wire/codec.ts";

/** Bytes and frames that wait at most. What is beyond costs the client one look at everything. */
const MOST_BYTES = 512 * 1024;
const MOST_FRAMES = 512;

/** What a poll gets. */
export interface Mail {
  /** Frames before these may be missing. */
  readonly isFresh: boolean;
  readonly frames: readonly Bytes[];
  /** After the last frame: handing it in acknowledges them all. */
  readonly position: number;
}

export class Mailbox {
  readonly #frames: Bytes[] = [];
  #bytes = 0;
  /** Position of the first frame that waits. */
  #start = 0;
  #wake: (() => void) | undefined;

  get #end(): number {
    return this.#start + this.#frames.length;
  }

  put(frame: Bytes): void {
    this.#frames.push(frame);
    this.#bytes += frame.length;
    if (this.#bytes > MOST_BYTES || this.#frames.length > MOST_FRAMES) this.#drop(this.#frames.length);
    this.wake();
  }

  /** Whether a poll from `position` has something to say at once. */
  isReady(position: number | undefined): boolean {
    return position !== this.#end;
  }

  /** Calls back once, at the next frame or `wake`; who waited before is woken. */
  whenReady(callback: () => void): void {
    this.wake();
    this.#wake = callback;
  }

  /** Ends the wait of whoever waits. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Acknowledges what came before `position` (undefined: nothing is known) and returns the rest. */
  read(position: number | undefined): Mail {
    const isKnown = position !== undefined && position >= this.#start && position <= this.#end;
    if (isKnown) this.#drop(position - this.#start);
    return { isFresh: !isKnown, frames: [...this.#frames], position: this.#end };
  }

  #drop(count: number): void {
    for (const frame of this.#frames.splice(0, count)) this.#bytes -= frame.length;
    this.#start += count;
  }
}
