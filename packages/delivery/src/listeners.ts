/** A set of event listeners, none of which can harm the others or the engine that calls them. */
import type { DeliveryEvent } from "./contract.ts";

type Listener = (event: DeliveryEvent) => void;

/** Listeners that all learn the state of the connection first. */
export class Listeners {
  readonly #listeners = new Map<symbol, Listener>();
  #online: boolean | undefined;

  get size(): number {
    return this.#listeners.size;
  }

  /** Adds a listener; the same function may be added twice. A known connection state reaches it asynchronously. */
  add(listener: Listener): () => void {
    const key = Symbol("listener");
    this.#listeners.set(key, listener);
    if (this.#online !== undefined) {
      queueMicrotask(() => {
        if (this.#listeners.has(key) && this.#online !== undefined) {
          deliver(listener, { type: "connection", online: this.#online });
        }
      });
    }
    return () => {
      this.#listeners.delete(key);
    };
  }

  /** Tells a change of the connection, and only a change. */
  setOnline(online: boolean): void {
    if (this.#online === online) return;
    this.#online = online;
    this.emit({ type: "connection", online });
  }

  /** Forgets the connection's state, so that the next one is told again. */
  reset(): void {
    this.#online = undefined;
  }

  emit(event: DeliveryEvent): void {
    for (const listener of [...this.#listeners.values()]) deliver(listener, event);
  }

  clear(): void {
    this.#listeners.clear();
  }
}

function deliver(listener: Listener, event: DeliveryEvent): void {
  try {
    listener(event);
  } catch (error) {
    // The application's mistake: shown where the platform shows uncaught errors, without ending the connection.
    if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  }
}
