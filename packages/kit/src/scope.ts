/** Waiting that ends with its object. */
import { anySignal, untilAborted } from "./abort.ts";
import { sleep } from "./sleep.ts";
import type { Time } from "./time.ts";

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
    return this.#wait([signal], (ended) => untilAborted(work, ended));
  }

  /** Resolves after `milliseconds`; rejects when the scope ends or a signal aborts. */
  sleep(time: Time, milliseconds: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> {
    return this.#wait(signals, (ended) => sleep(time, milliseconds, ended));
  }

  async #wait<T>(signals: readonly (AbortSignal | undefined)[], wait: (ended: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const stop = (reason: Error): void => {
      controller.abort(reason);
    };
    if (this.#reason === undefined) this.#waits.add(stop);
    else stop(this.#reason);
    const ended = anySignal(controller.signal, ...signals);
    try {
      return await wait(ended.signal);
    } finally {
      this.#waits.delete(stop);
      ended.release();
    }
  }
}
