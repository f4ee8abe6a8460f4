/** Work with the Delivery Service that is tried again until it succeeds. */
import { isCoppiceError } from "@coppice/core";
import { jitter, SingleFlight, type Pace, type Scope } from "./waiting.ts";

export interface RetryingOptions {
  readonly work: () => Promise<void>;
  /** Told of failures that trying again does not mend. */
  readonly report: (error: unknown) => void;
  readonly pace: Pace;
  readonly scope: Scope;
}

/** Background work that goes on until it succeeds. */
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

  /** Does the work once, after what is running. */
  run(): Promise<void> {
    return this.#flight.run();
  }

  /** Does the work soon, and again until it succeeds; ends the waits of all who wait to try again. */
  kick(): void {
    this.#wake?.abort();
    this.#wake = undefined;
    if (this.#looping) this.#again = true;
    else void this.#loop();
  }

  /** Waits longer after each failure, and no longer once there was a `kick`. Rejects when the scope ends or `signal` aborts. */
  async wait(failures: number, signal?: AbortSignal, atLeast = 0): Promise<void> {
    const { scope, pace } = this.#options;
    const longest = Math.max(atLeast, Math.min(pace.retryMax, pace.retryFirst * 2 ** Math.min(failures, 20)));
    this.#wake ??= new AbortController();
    await scope.sleep(longest / 2 + jitter(longest / 2), this.#wake.signal, signal).catch((error: unknown) => {
      if (scope.ended || signal?.aborted === true) throw error;
    });
  }

  async #loop(): Promise<void> {
    this.#looping = true;
    do {
      this.#again = false;
      await this.#untilDone();
    } while (this.wanted);
    this.#looping = false;
  }

  /** Whether there was a `kick` since the work began. */
  private get wanted(): boolean {
    return this.#again && !this.#options.scope.ended;
  }

  async #untilDone(): Promise<void> {
    const { scope, report } = this.#options;
    for (let failures = 0; ; failures++) {
      try {
        scope.throwIfEnded();
        await this.run();
        return;
      } catch (error) {
        if (scope.ended) return;
        if (!isTransient(error)) {
          report(error);
          return;
        }
        await this.wait(failures, undefined, retryAfter(error)).catch(() => undefined);
      }
    }
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
