/** Work that is tried again until it succeeds, with waits that grow. */
import type { Scope } from "./scope.ts";
import { SingleFlight } from "./single-flight.ts";
import { jitter, type Time } from "./time.ts";

/** How long to wait between attempts, milliseconds. */
export interface Backoff {
  /** Before the second attempt; doubles from there. */
  readonly first: number;
  /** The wait grows no further. */
  readonly longest: number;
}

/** Milliseconds to wait after `failures` failures (from 0): half of it random, so that many clients do not act in step. */
export function backoff(time: Time, { first, longest }: Backoff, failures: number): number {
  const ceiling = Math.min(longest, first * 2 ** Math.min(failures, 30));
  return ceiling / 2 + jitter(time, ceiling / 2);
}

/** What `Retrying` does, and by which rules. */
export interface RetryingOptions {
  readonly work: () => Promise<void>;
  readonly time: Time;
  readonly scope: Scope;
  readonly backoff: Backoff;
  /**
   * Whether trying again may mend this failure: undefined if not, else the least number of milliseconds to wait (0 where
   * nobody asked for a wait).
   */
  readonly retryAfter: (error: unknown) => number | undefined;
  /** Told of failures that trying again does not mend. */
  readonly report: (error: unknown) => void;
}

/** Background work that goes on until it succeeds, one run at a time. */
export class Retrying {
  readonly #options: RetryingOptions;
  readonly #flight: SingleFlight<void>;
  #looping = false;
  #again = false;
  /** There while something waits to try again. */
  #wake: AbortController | undefined;

  constructor(options: RetryingOptions) {
    this.#options = options;
    this.#flight = new SingleFlight(options.work);
  }

  /** Does the work once, after what is running; rejects with its failure. */
  run(): Promise<void> {
    return this.#flight.run();
  }

  /** Does the work soon, and again until it succeeds; ends the waits of all who wait to try again. */
  kick(): void {
    this.wake();
    if (this.#looping) this.#again = true;
    else void this.#loop();
  }

  /** Ends the waits of all who wait to try again. */
  wake(): void {
    this.#wake?.abort();
    this.#wake = undefined;
  }

  /** Waits longer after each failure, and no longer once there was a `kick` or `wake`. Rejects when the scope ends or `signal` aborts. */
  async wait(failures: number, signal?: AbortSignal, atLeast = 0): Promise<void> {
    const { scope, time, backoff: pace } = this.#options;
    const milliseconds = Math.max(atLeast, backoff(time, pace, failures));
    this.#wake ??= new AbortController();
    await scope.sleep(time, milliseconds, this.#wake.signal, signal).catch((error: unknown) => {
      if (scope.ended || signal?.aborted === true) throw error;
    });
  }

  async #loop(): Promise<void> {
    this.#looping = true;
    try {
      do {
        await this.#untilDone();
      } while (this.#wanted());
    } finally {
      this.#looping = false;
    }
  }

  /** Whether there was a `kick` since the work began the last time. */
  #wanted(): boolean {
    return this.#again && !this.#options.scope.ended;
  }

  async #untilDone(): Promise<void> {
    const { scope, report, retryAfter } = this.#options;
    for (let failures = 0; ; failures++) {
      try {
        scope.throwIfEnded();
        this.#again = false;
        await this.run();
        return;
      } catch (error) {
        if (scope.ended) return;
        const atLeast = retryAfter(error);
        if (atLeast === undefined) {
          report(error);
          return;
        }
        await this.wait(failures, undefined, atLeast).catch(() => undefined);
      }
    }
  }
}
