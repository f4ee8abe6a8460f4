/** Exclusive sections by name within one process: what Web Locks do, where there are none. */

/** First come, first served; a name takes no memory while nobody holds or awaits it. */
export class NamedLocks {
  /** Held names, each with those who wait. */
  readonly #held = new Map<string, Set<() => void>>();

  /** Runs `task` alone under `name`. `signal` ends the wait, not the task. */
  async run<T>(name: string, task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#acquire(name, signal);
    try {
      return await task();
    } finally {
      this.#release(name);
    }
  }

  #acquire(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const waiting = this.#held.get(name);
    if (waiting === undefined) {
      this.#held.set(name, new Set());
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const granted = (): void => {
        signal.removeEventListener("abort", aborted);
        resolve();
      };
      const aborted = (): void => {
        waiting.delete(granted);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a reason is what its owner made it
        reject(signal.reason);
      };
      signal.addEventListener("abort", aborted, { once: true });
      waiting.add(granted);
    });
  }

  #release(name: string): void {
    const waiting = this.#held.get(name);
    const [next] = waiting ?? [];
    if (next === undefined) {
      this.#held.delete(name);
    } else {
      waiting?.delete(next);
      next();
    }
  }
}
