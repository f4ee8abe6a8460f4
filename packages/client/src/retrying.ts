/** Work with the Delivery Service that is tried again until it succeeds. */
import { isCoppiceError } from "@coppice/core";
import { jitter, SingleFlight, sleep, type Pace } from "./waiting.ts";

export interface RetryingOptions {
  readonly work: () => Promise<void>;
  /** Told of failures that trying again does not mend. */
  readonly report: (error: unknown) => void;
  readonly pace: Pace;
  readonly closing: AbortSignal;
}

/** Background work that goes on until it succeeds. */
export class Retrying {
  readonly #options: RetryingOptions;
  readonly #flight: SingleFlight<void>;
  #looping = false;
  #again = false;
  #wake = new AbortController();

  constructor(options: RetryingOptions) {
    this.#options = options;
    this.#flight = new SingleFlight(options.work);
  }

  /** Does the work once, after what is running. */
  run(): Promise<void> {
    return this.#flight.run();
  }

  /** Does the work soon, and again until it succeeds; ends the waits of all who wait to try again. */
  kick(): void {
    this.#wake.abort();
    this.#wake = new AbortController();
    if (this.#looping) this.#again = true;
    else void this.#loop();
  }

  /** Waits longer after each failure, and no longer once there was a `kick`. */
  async wait(failures: number, signal: AbortSignal, atLeast = 0): Promise<void> {
    const { retryFirst, retryMax } = this.#options.pace;
    const longest = Math.max(atLeast, Math.min(retryMax, retryFirst * 2 ** Math.min(failures, 20)));
    const either = AbortSignal.any([this.#wake.signal, signal]);
    await sleep(longest / 2 + jitter(longest / 2), either).catch((error: unknown) => {
      if (signal.aborted) throw error;
    });
  }

  async #loop(): Promise<void> {
    const { closing, report } = this.#options;
    this.#looping = true;
    for (let failures = 0; !closing.aborted;) {
      this.#again = false;
      try {
        await this.run();
        failures = 0;
      } catch (error) {
        if (closing.aborted) break;
        if (isTransient(error)) {
          await this.wait(failures++, closing, retryAfter(error)).catch(() => undefined);
          continue;
        }
        report(error);
      }
      if (!this.#again) break;
    }
    this.#looping = false;
  }
}

const TRANSIENT = ["ERR_DS_UNREACHABLE", "ERR_DS_INTERNAL", "ERR_DS_RATE_LIMITED", "ERR_DS_UNAUTHENTICATED"] as const;

/** Whether trying again later may succeed; whether the request was carried out is then not known. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT.some((code) => isCoppiceError(error, code));
}

/** Seconds that the Delivery Service asked to wait, as milliseconds. */
function retryAfter(error: unknown): number {
  const seconds = isCoppiceError(error, "ERR_DS_RATE_LIMITED") ? error.detail["retryAfter"] : undefined;
  return typeof seconds === "number" && seconds > 0 ? Math.min(seconds, 300) * 1000 : 0;
}
