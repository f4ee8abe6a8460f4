/** Listeners of a client's events, which all learn the state of the connection first. */
import { Listeners } from "@coppice/kit";
import type { DeliveryEvent } from "./contract.ts";

export class EventListeners {
  readonly #listeners = new Listeners<{ event: DeliveryEvent }>(["event"]);
  /** Undefined until it is known. */
  #connection: Extract<DeliveryEvent, { type: "connection" }> | undefined;

  get size(): number {
    return this.#listeners.count("event");
  }

  /** Adds a listener; the same function may be added twice. A known connection state reaches it asynchronously. */
  add(listener: (event: DeliveryEvent) => unknown): () => void {
    let isAdded = true;
    let knowsConnection = false;
    const release = this.#listeners.add("event", (event) => {
      if (event.type === "connection") knowsConnection = true;
      return knowsConnection ? listener(event) : undefined;
    });
    if (this.#connection !== undefined) {
      // Through a set of its own: what this listener throws harms nobody, and the others know the state already.
      const alone = new Listeners<{ event: DeliveryEvent }>(["event"]);
      alone.add("event", listener);
      queueMicrotask(() => {
        if (!isAdded || knowsConnection || this.#connection === undefined) return;
        knowsConnection = true;
        alone.notify("event", this.#connection);
      });
    }
    return () => {
      isAdded = false;
      release();
    };
  }

  /** The connection came up, over this transport: told each time, since everything has to be fetched once. */
  online(transport: "websocket" | "polling"): void {
    this.#set({ type: "connection", online: true, transport });
  }

  /** The connection went down: told once. */
  offline(): void {
    if (this.#connection?.online !== false) this.#set({ type: "connection", online: false, transport: undefined });
  }

  /** Forgets the connection's state: listeners that come now wait for the next one. */
  reset(): void {
    this.#connection = undefined;
  }

  emit(event: DeliveryEvent): void {
    this.#listeners.notify("event", event);
  }

  clear(): void {
    this.#listeners.clear();
    this.reset();
  }

  #set(connection: Extract<DeliveryEvent, { type: "connection" }>): void {
    this.#connection = connection;
    this.emit(connection);
  }
}
