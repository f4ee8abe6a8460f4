/** From open to closed or lost: which calls may start, and what `close` waits for. */
import type { CoppiceError } from "@coppice/kit";
import { storeError } from "./errors.ts";

/** State that a store's calls share. */
export class Lifetime {
  readonly #ended = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #failure: (() => CoppiceError) | undefined;

  /** Aborted, with the error to reject with, once the store can no longer be used. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Why no call may start, as a new error; undefined while the store is usable. */
  get failure(): CoppiceError | undefined {
    return this.#failure?.();
  }

  /** Runs a call, at once, that `end` waits for. A store that ends meanwhile does not interrupt it. */
  async run<T>(call: () => T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    this.assertUsable();
    signal?.throwIfAborted();
    const running = Promise.resolve(call());
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** `ERR_STORE_CLOSED`, `ERR_STORE_LOST`. */
  assertUsable(): void {
    if (this.#failure !== undefined) throw this.#failure();
  }

  /** The data vanished below the store: calls reject with `ERR_STORE_LOST` from now on. */
  lose(message: string): void {
    if (this.#failure === undefined) this.#fail(() => storeError("ERR_STORE_LOST", message));
  }

  /** Closes the store; resolves when all running calls have settled. */
  async end(): Promise<void> {
    this.#fail(() => storeError("ERR_STORE_CLOSED", "The store was closed"));
    await Promise.allSettled(this.#running);
  }

  #fail(failure: () => CoppiceError): void {
    this.#failure = failure;
    this.#ended.abort(failure());
  }
}
