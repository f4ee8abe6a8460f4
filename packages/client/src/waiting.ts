/** Waiting that ends: by abort, by time, with its object, and never twice at once. */

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

/** Settles like `work`, or rejects with the signal's reason if that comes first. `work` goes on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Scope().run(work, signal);
}

/**
 * The life of an object: what waits in it ends with it. Unlike an `AbortSignal`, it may have any number of waits at once
 * and keeps nothing of those that are over.
 */
export class Scope {
  readonly #waits = new Set<(reason: Error) => void>();
  #reason: Error | undefined;

  get ended(): boolean {
    return this.#reason !== undefined;
  }

  throwIfEnded(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }

  /** Rejects everything that waits, and from now on everything that begins to. */
  end(reason: Error): void {
    this.#reason ??= reason;
    for (const stop of [...this.#waits]) stop(reason);
  }

  /** Settles like `work`, or rejects when the scope ends or `signal` aborts. `work` goes on. */
  run<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#wait<T>([signal], (resolve, reject) => {
      work.then(resolve, reject);
      return () => undefined;
    });
  }

  /** Resolves after `milliseconds`; rejects when the scope ends or a signal aborts. */
  sleep(milliseconds: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> {
    return this.#wait(signals, (resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      return () => {
        clearTimeout(timer);
      };
    });
  }

  #wait<T>(
    signals: readonly (AbortSignal | undefined)[],
    begin: (resolve: (value: T) => void, reject: (error: Error) => void) => () => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const given = signals.filter((signal) => signal !== undefined);
      const stop = (reason: Error): void => {
        finish();
        reject(reason);
      };
      const onAbort = (event: Event): void => {
        stop(reasonOf(event.target as AbortSignal));
      };
      const cancel = begin((value) => {
        finish();
        resolve(value);
      }, stop);
      const finish = (): void => {
        this.#waits.delete(stop);
        for (const signal of given) signal.removeEventListener("abort", onAbort);
        cancel();
      };
      this.#waits.add(stop);
      for (const signal of given) signal.addEventListener("abort", onAbort);
      const aborted = given.find((signal) => signal.aborted);
      const reason = this.#reason ?? (aborted && reasonOf(aborted));
      if (reason !== undefined) stop(reason);
    });
  }
}

/** What the signal's owner gave as the reason: an `Error`, unless they chose another value. */
const reasonOf = (signal: AbortSignal): Error => signal.reason as Error;

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
