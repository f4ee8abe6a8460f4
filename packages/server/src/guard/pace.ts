/** How slow a peer may be: some time at first, then a rate that a bad mobile connection reaches. */
import type { Time } from "@coppice/kit";

/** Time that a peer has whatever it transfers, milliseconds. */
const PATIENCE_MS = 10_000;

export class Pace {
  readonly #time: Time;
  readonly #bytesPerSecond: number;

  constructor(time: Time, bytesPerSecond: number) {
    this.#time = time;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Calls `tooSlow` once the transfer of `bytes()` has taken longer than it may. Returns what ends the watch. */
  watch(bytes: () => number, tooSlow: () => void): () => void {
    const start = this.#time.elapsed();
    const left = (): number => start + PATIENCE_MS + (bytes() / this.#bytesPerSecond) * 1000 - this.#time.elapsed();
    const check = (): void => {
      const milliseconds = left();
      if (milliseconds <= 0) tooSlow();
      else cancel = this.#time.after(milliseconds, check);
    };
    let cancel = this.#time.after(left(), check);
    return () => {
      cancel();
    };
  }
}
