/** Events over whatever gets through: WebSocket, long polling, nothing. */
import { describe, expect, onTestFinished, test } from "vitest";
import { VirtualTime } from "@coppice/kit/testing";
import { connectDelivery, type DeliveryEvent, type DeliveryService } from "@coppice/delivery";
import { createIdentity } from "@coppice/delivery/conformance";
import * as wire from "@coppice/delivery/wire";
import { openHost } from "./host.ts";

const url = "https://ds.example";
const groupId = new Uint8Array([1]);

/** A WebSocket of a kind that lets nothing through, and how often it was tried. */
function socketThat(behave: (socket: { readonly onerror: (() => void) | null }) => void) {
  const tries = { count: 0 };
  const socket = class {
    onopen = null;
    onmessage = null;
    onclose = null;
    onerror: (() => void) | null = null;
    constructor() {
      tries.count += 1;
      behave(this);
    }
    send(): void {
      throw new Error("not open");
    }
    close(): void {
      // Nothing was open.
    }
  } as unknown as new () => WebSocket;
  return { tries, socket };
}

async function listen(
  options: { readonly WebSocket?: (host: Host) => (new (url: string | URL) => WebSocket) | undefined } = {},
) {
  const time = new VirtualTime();
  const host = await openHost({ time });
  const connect = async (): Promise<DeliveryService> => {
    const identity = await createIdentity();
    const WebSocket = options.WebSocket === undefined ? host.WebSocket : options.WebSocket(host);
    const service = await connectDelivery({
      url,
      identity,
      fetch: host.fetch,
      time,
      ...(WebSocket === undefined ? {} : { WebSocket }),
    });
    onTestFinished(() => service.close());
    return service;
  };
  const service = await connect();
  const events: DeliveryEvent[] = [];
  service.subscribe((event) => events.push(event));
  const connections = () =>
    events.flatMap((event) => (event.type === "connection" ? [event.transport ?? "offline"] : []));
  return { time, host, service, events, connections };
}

type Host = Awaited<ReturnType<typeof openHost>>;

const throwing = class {
  constructor() {
    throw new DOMException("Refused by the Content Security Policy", "SecurityError");
  }
} as unknown as new () => WebSocket;

describe("events", () => {
  test("come over a WebSocket, which is opened again when it breaks", async () => {
    const { time, host, connections } = await listen();
    await time.until(() => connections().length === 1);
    host.goDown();
    await time.until(() => connections().length === 2);
    await time.advance(60_000);
    expect(connections()).toEqual(["websocket", "offline"]);
    host.comeUp();
    await time.until(() => connections().length === 3);
    expect(connections()).toEqual(["websocket", "offline", "websocket"]);
    expect(host.state.requests.filter((path) => path === "/v2/events/poll").length).toBeGreaterThan(0);
    expect(host.polls.size).toBe(0);
  });

  test.each([
    ["a policy that makes the constructor throw", () => throwing],
    ["a proxy that refuses", () => socketThat((socket) => queueMicrotask(() => socket.onerror?.())).socket],
    ["a proxy that never answers", () => socketThat(() => undefined).socket],
  ])("issue 11 (15): come by polling behind %s", async (_, WebSocket) => {
    const { time, service, events, connections } = await listen({ WebSocket });
    await time.until(() => connections().length === 1);
    expect(connections()).toEqual(["polling"]);
    const { incarnation } = await service.createGroup({ groupId, groupInfo: groupId });
    expect(incarnation).toMatch(/^[0-9a-f]{32}$/);
    expect(events).toHaveLength(1);
  });

  test("issue 11 (34): come by polling where there is no WebSocket, as in Node 20, without an option", async () => {
    const before = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");
    Reflect.deleteProperty(globalThis, "WebSocket");
    onTestFinished(() => {
      if (before !== undefined) Object.defineProperty(globalThis, "WebSocket", before);
    });
    const { time, connections } = await listen({ WebSocket: () => undefined });
    await time.until(() => connections().length === 1);
    expect(connections()).toEqual(["polling"]);
  });

  test("a poll brings an event at once, and waits no longer than it has to", async () => {
    const time = new VirtualTime();
    const host = await openHost({ time });
    const identity = await createIdentity();
    const service = await connectDelivery({ url, identity, fetch: host.fetch, time, WebSocket: throwing });
    onTestFinished(() => service.close());
    const events: DeliveryEvent[] = [];
    service.subscribe((event) => events.push(event));
    await time.until(() => events.length === 1);
    const polls = () => host.state.requests.filter((path) => path === "/v2/events/poll").length;
    const began = polls();
    await time.advance(100_000);
    expect(polls() - began).toBe(4);
    const sender = await connectDelivery({ url, identity: await createIdentity(), fetch: host.fetch, time });
    const { incarnation } = await sender.createGroup({ groupId, groupInfo: groupId });
    const added = [{ client: identity.client, welcome: groupId }];
    await sender.submitCommit({
      groupId,
      position: { incarnation, seq: 0 },
      epoch: 0n,
      commit: groupId,
      groupInfo: groupId,
      added,
      removed: [],
    });
    await time.advance(0);
    expect(events.slice(1)).toEqual([{ type: "inbox" }]);
    for (let i = 0; i < 3; i++) {
      const messages = [{ epoch: 1n, message: new Uint8Array([i, 9]) }];
      await sender.sendMessages({ groupId, position: { incarnation, seq: 1 }, messages });
    }
    await time.advance(0);
    expect(events.slice(2).map((event) => event.type === "log" && event.entry?.seq)).toEqual([2, 3, 4]);
  });

  test("go back to a WebSocket when one gets through again", async () => {
    const { time, host, connections } = await listen();
    await time.until(() => connections().length === 1);
    host.state.hasSockets = false;
    for (const socket of [...host.sockets]) socket.end(1006);
    await time.until(() => connections().at(-1) === "polling");
    expect(connections()).toEqual(["websocket", "offline", "polling"]);
    const openings = host.state.openings;
    await time.advance(3_600_000);
    const tried = host.state.openings - openings;
    expect(tried).toBeGreaterThan(3);
    expect(tried).toBeLessThan(20);
    expect(connections()).toEqual(["websocket", "offline", "polling"]);
    host.state.hasSockets = true;
    await time.until(() => connections().at(-1) === "websocket");
    await time.advance(1000);
    expect(connections()).toEqual(["websocket", "offline", "polling", "websocket"]);
    // Nothing polls any more, and the server forgets the mailbox.
    const polls = () => host.state.requests.filter((path) => path === "/v2/events/poll").length;
    const before = polls();
    await time.advance(600_000);
    expect(polls()).toBe(before);
    expect(host.polls.size).toBe(0);
  });

  test("polling says offline when the server goes away, and is fresh when it is back", async () => {
    const { time, host, connections } = await listen({ WebSocket: () => throwing });
    await time.until(() => connections().length === 1);
    host.goDown();
    await time.until(() => connections().length === 2);
    await time.advance(300_000);
    expect(connections()).toEqual(["polling", "offline"]);
    host.comeUp();
    await time.until(() => connections().length === 3);
    expect(connections()).toEqual(["polling", "offline", "polling"]);
  });

  test("a server that answers polls at once cannot make the client spin", async () => {
    const time = new VirtualTime();
    const host = await openHost({ time });
    let polls = 0;
    const fetch = ((input: URL, init: RequestInit) => {
      if (!String(input).endsWith(wire.pollEvents.path)) return host.fetch(input, init);
      polls += 1;
      const answer = { cursor: "x.1", isFresh: polls === 1, frames: [] };
      const headers = { "content-type": wire.MEDIA_TYPE };
      return Promise.resolve(new Response(wire.encode(wire.pollEvents.answer, answer), { headers }));
    }) as typeof globalThis.fetch;
    const service = await connectDelivery({ url, identity: await createIdentity(), fetch, time, WebSocket: throwing });
    onTestFinished(() => service.close());
    service.subscribe(() => undefined);
    await time.advance(60_000);
    expect(polls).toBeGreaterThan(10);
    expect(polls).toBeLessThan(65);
  });

  test("an expired token is replaced, over a WebSocket and by polling", async () => {
    for (const WebSocket of [undefined, () => throwing]) {
      const { time, host, connections } = await listen(WebSocket === undefined ? {} : { WebSocket });
      await time.until(() => connections().length === 1);
      host.tokens.clear();
      for (const socket of [...host.sockets]) socket.end(wire.CLOSE_UNAUTHENTICATED);
      await time.advance(60_000);
      expect(connections().at(-1)).not.toBe("offline");
    }
  });

  test("nothing goes on once nobody listens", async () => {
    const { time, host, service } = await listen({ WebSocket: () => throwing });
    await time.advance(10_000);
    await service.close();
    const before = host.state.requests.length;
    await time.advance(3_600_000);
    expect(host.state.requests.length).toBe(before);
    expect(host.polls.size).toBe(0);
  });
});
