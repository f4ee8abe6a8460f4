/** Listeners of an object's events. None can disturb the others, or whoever notifies them. */

interface Registration<T> {
  readonly listener: (value: T) => unknown;
  /** What ends the waiting for promises that it returned. */
  readonly waits: Set<() => void>;
}

type Sets<Events> = { [K in keyof Events]?: Set<Registration<Events[K]>> };

/** Shows an exception where the platform shows uncaught ones, without ending what goes on. */
export function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    if (typeof globalThis.reportError === "function") globalThis.reportError(error);
    else throw error;
  });
}

/**
 * Sets of listeners by event.
 *
 * @example
 * const listeners = new Listeners<{ change: number }>(["change"]);
 * const release = listeners.add("change", (value) => console.log(value));
 * listeners.notify("change", 1);
 * release();
 */
export class Listeners<Events> {
  readonly #events: ReadonlySet<keyof Events>;
  readonly #sets: Sets<Events> = {};
  readonly #onFailure: (error: unknown) => void;

  /** `events` are all that exist; `onFailure` is told of what a listener threw, or rejected with. */
  constructor(events: readonly (keyof Events)[], onFailure: (error: unknown) => void = reportUncaught) {
    this.#events = new Set(events);
    this.#onFailure = onFailure;
  }

  /** Adds a listener, also one that is there already; returns what removes it. `TypeError` for an event that does not exist. */
  add<K extends keyof Events>(event: K, listener: (value: Events[K]) => unknown): () => void {
    if (!this.#events.has(event)) {
      throw new TypeError(
        `There is no event "${String(event)}": use one of ${[...this.#events].map(String).join(", ")}`,
      );
    }
    if (typeof listener !== "function") throw new TypeError("A listener is a function");
    // Wrapped, so that the same function may listen twice and each release ends one of them.
    const own: Registration<Events[K]> = { listener, waits: new Set() };
    const set = (this.#sets[event] ??= new Set());
    set.add(own);
    return () => {
      set.delete(own);
      for (const stop of own.waits) stop();
    };
  }

  count(event: keyof Events): number {
    return this.#sets[event]?.size ?? 0;
  }

  /** Tells those who listen now; not who is removed meanwhile. */
  notify<K extends keyof Events>(event: K, value: Events[K]): void {
    void this.#tell(event, value);
  }

  /**
   * As `notify`. Resolves once all promises that listeners returned have settled, however, or their listeners were removed; undefined
   * if there were none.
   */
  notifyAndWait<K extends keyof Events>(event: K, value: Events[K]): Promise<void> | undefined {
    const waits = this.#tell(event, value);
    return waits.length === 0 ? undefined : Promise.all(waits).then(nothing);
  }

  /** Returns a promise for each that a listener returned; it never rejects. */
  #tell<K extends keyof Events>(event: K, value: Events[K]): readonly Promise<unknown>[] {
    const set = this.#sets[event];
    const waits: Promise<unknown>[] = [];
    for (const own of [...(set ?? [])]) {
      if (set?.has(own) !== true) continue;
      try {
        const result = own.listener(value);
        if (isThenable(result)) waits.push(this.#settled(own.waits, result));
      } catch (error) {
        this.#failed(error);
      }
    }
    return waits;
  }

  clear(): void {
    for (const event of this.#events) this.#sets[event]?.clear();
  }

  #settled(waits: Set<() => void>, result: unknown): Promise<void> {
    return new Promise((resolve) => {
      waits.add(resolve);
      void Promise.resolve(result)
        .catch(this.#failed)
        .then(() => {
          waits.delete(resolve);
          resolve();
        });
    });
  }

  readonly #failed = (error: unknown): void => {
    try {
      this.#onFailure(error);
    } catch (failure) {
      reportUncaught(failure);
    }
  };
}

/** Applications give functions that are `async`, too. */
const isThenable = (value: unknown): boolean => typeof value === "object" && value !== null && "then" in value;

const nothing = (): void => undefined;
