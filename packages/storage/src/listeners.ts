/** Listeners of changes. */
import type { StoreChange } from "./contract.ts";

/** A set of listeners that cannot disturb each other or the writer. */
export class Listeners {
  readonly #entries = new Set<{ readonly listener: (change: StoreChange) => void }>();

  get size(): number {
    return this.#entries.size;
  }

  /** Adds a listener, also one that is there already; returns the release function. */
  add(listener: (change: StoreChange) => void): () => void {
    const entry = { listener };
    this.#entries.add(entry);
    return () => {
      this.#entries.delete(entry);
    };
  }

  clear(): void {
    this.#entries.clear();
  }

  /** A listener that throws is reported as an event listener's exception would be: uncaught, on its own. */
  notify(change: StoreChange): void {
    for (const { listener } of [...this.#entries]) {
      try {
        listener(change);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
