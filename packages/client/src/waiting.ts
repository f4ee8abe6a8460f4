/** Waiting that ends: by abort, by time, and never twice at once. */

/** Milliseconds of each kind of wait. */
export interface Pace {
  /** First wait after a failure; doubles up to `retryMax`. Default 500. */
  readonly retryFirst: number;
  /** Default 30,000. */
  readonly retryMax: number;
  /** Longest wait before a commit that lost its epoch is made again. Default 250. */
  readonly conflict: number;
  /** What each member waits longer than the one before it to commit another member's proposal. Default 1,500. */
  readonly autoCommit: number;
}

export const DEFAULT_PACE: Pace = { retryFirst: 500, retryMax: 30_000, conflict: 250, autoCommit: 1500 };

/** A number from 0 (included) to `limit` (excluded), to keep clients from acting in step. */
export function jitter(limit: number): number {
  const [random = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1));
  return (random / 2 ** 32) * limit;
}

/** Resolves after `milliseconds`; rejects with the signal's reason. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/** Settles like `work`, or rejects with the reason of the first signal that aborts. `work` goes on. */
export function untilAborted<T>(work: Promise<T>, ...signals: readonly (AbortSignal | undefined)[]): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const given = signals.filter((signal) => signal !== undefined);
    const stop = (event: Event): void => {
      settle(() => {
        reject(reasonOf(event.target as AbortSignal));
      });
    };
    const settle = (finish: () => void): void => {
      for (const signal of given) signal.removeEventListener("abort", stop);
      finish();
    };
    for (const signal of given) {
      if (signal.aborted) {
        reject(reasonOf(signal));
      } else {
        signal.addEventListener("abort", stop);
      }
    }
    work.then(
      (value) => {
        settle(() => {
          resolve(value);
        });
      },
      (error: unknown) => {
        settle(() => {
          reject(asError(error));
        });
      },
    );
  });
}

/** What the signal's owner gave as the reason: an `Error`, unless they chose another value. */
export function reasonOf(signal: AbortSignal): Error {
  return signal.reason as Error;
}

const asError = (error: unknown): Error => error as Error;

/** Runs a task one at a time. A call while it runs asks for one more run, which starts after all that came before the call. */
export class SingleFlight<T> {
  readonly #task: () => Promise<T>;
  #running: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(task: () => Promise<T>) {
    this.#task = task;
  }

  run(): Promise<T> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(
      () => this.#startNext(),
      () => this.#startNext(),
    );
    return this.#next;
  }

  #startNext(): Promise<T> {
    this.#next = undefined;
    return this.#start();
  }

  #start(): Promise<T> {
    const running = this.#task().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
