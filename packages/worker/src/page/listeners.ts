/** Listeners of an object's events. */
import type { Unsubscribe } from "@coppice/client";

type Sets<Events> = { readonly [K in keyof Events]: Set<{ readonly listener: (value: Events[K]) => void }> };

/** Listeners that cannot disturb each other or whoever notifies them. */
export class Listeners<Events> {
  readonly #sets: Sets<Events>;

  /** `sets` has an empty set for each event. */
  constructor(sets: Sets<Events>) {
    this.#sets = sets;
  }

  /** Adds a listener, also one that is there already. `TypeError` for an event that does not exist. */
  add<K extends keyof Events>(event: K, listener: (value: Events[K]) => void): Unsubscribe {
    if (!Object.hasOwn(this.#sets, event)) throw new TypeError(`there is no event ${String(event)}`);
    if (typeof listener !== "function") throw new TypeError("a listener is a function");
    const entry = { listener };
    this.#sets[event].add(entry);
    return () => {
      this.#sets[event].delete(entry);
    };
  }

  count(event: keyof Events): number {
    return this.#sets[event].size;
  }

  /** A listener that throws is reported as an event listener's exception would be: uncaught, on its own. */
  notify<K extends keyof Events>(event: K, value: Events[K]): void {
    for (const { listener } of [...this.#sets[event]]) {
      try {
        listener(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
