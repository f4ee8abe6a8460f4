/** Listeners of an object. One that throws stops neither the engine nor the other listeners. */
import type { Unsubscribe } from "./api.ts";

type Sets<Events> = { [K in keyof Events]?: Set<(value: Events[K]) => void> };

export class Emitter<Events> {
  readonly #listeners: Sets<Events> = {};
  readonly #onFailure: (error: unknown) => void;

  /** `onFailure` is told of what a listener threw. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  on<K extends keyof Events>(event: K, listener: (value: Events[K]) => void): Unsubscribe {
    if (typeof listener !== "function") throw new TypeError("a listener is a function");
    // Wrapped, so that the same function may listen twice and each release ends one of them.
    const own = (value: Events[K]): void => {
      listener(value);
    };
    const listeners = (this.#listeners[event] ??= new Set());
    listeners.add(own);
    return () => {
      listeners.delete(own);
    };
  }

  has(event: keyof Events): boolean {
    return (this.#listeners[event]?.size ?? 0) > 0;
  }

  emit<K extends keyof Events>(event: K, value: Events[K]): void {
    for (const listener of [...(this.#listeners[event] ?? [])]) {
      try {
        listener(value);
      } catch (error) {
        this.#onFailure(error);
      }
    }
  }

  clear(): void {
    for (const event of Object.keys(this.#listeners) as (keyof Events)[]) this.#listeners[event]?.clear();
  }
}
