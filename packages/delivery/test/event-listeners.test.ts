/** Every listener learns the state of the connection before anything else. */
import { describe, expect, test } from "vitest";
import type { DeliveryEvent } from "@coppice/delivery/contract";
import { EventListeners } from "../src/event-listeners.ts";

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));
const names = (events: readonly DeliveryEvent[]) =>
  events.map((event) => (event.type === "connection" ? String(event.transport) : event.type));

function open() {
  const listeners = new EventListeners();
  const listen = () => {
    const events: DeliveryEvent[] = [];
    return { events, release: listeners.add((event) => events.push(event)) };
  };
  return { listeners, listen };
}

describe("listeners of a client's events", () => {
  test("hear nothing before the connection is known, then all", async () => {
    const { listeners, listen } = open();
    const { events } = listen();
    listeners.emit({ type: "inbox" });
    listeners.online("websocket");
    listeners.emit({ type: "inbox" });
    await tick();
    expect(names(events)).toEqual(["websocket", "inbox"]);
  });

  test("that come late hear of the connection first, also if something happens at the same moment", async () => {
    const { listeners, listen } = open();
    listeners.online("polling");
    const { events } = listen();
    listeners.emit({ type: "inbox" });
    expect(events).toEqual([]);
    await tick();
    listeners.emit({ type: "devices", user: "alice" });
    expect(names(events)).toEqual(["polling", "devices"]);
  });

  test("that come late hear only the newest state, and nothing once they are released", async () => {
    const { listeners, listen } = open();
    listeners.online("websocket");
    const [late, released] = [listen(), listen()];
    listeners.offline();
    released.release();
    await tick();
    expect(names(late.events)).toEqual(["undefined"]);
    expect(names(released.events)).toEqual(["undefined"]);
    const gone = listen();
    gone.release();
    await tick();
    expect(gone.events).toEqual([]);
  });

  test("hear each time that it came up, and once that it went down", () => {
    const { listeners, listen } = open();
    const { events } = listen();
    for (let i = 0; i < 2; i++) listeners.online("polling");
    for (let i = 0; i < 2; i++) listeners.offline();
    expect(names(events)).toEqual(["polling", "polling", "undefined"]);
  });

  test("a late listener that throws harms nobody", async () => {
    const { listeners, listen } = open();
    listeners.online("websocket");
    const uncaught: unknown[] = [];
    const before = Object.getOwnPropertyDescriptor(globalThis, "reportError");
    Object.defineProperty(globalThis, "reportError", {
      value: (error: unknown) => uncaught.push(error),
      configurable: true,
    });
    listeners.add(() => {
      throw new Error("an application's mistake");
    });
    const { events } = listen();
    await tick();
    expect(names(events)).toEqual(["websocket"]);
    expect(uncaught).toHaveLength(1);
    if (before === undefined) Reflect.deleteProperty(globalThis, "reportError");
    else Object.defineProperty(globalThis, "reportError", before);
  });
});
