import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, type AddressInfo, type Socket } from "node:net";
import { createIdentity } from "@coppice/delivery/conformance";
import { clientKey, EventHub } from "@coppice/delivery/domain";
import {
  clientFrame,
  decode,
  encode,
  EVENTS_PATH,
  serverFrame,
  type ClientFrame,
  type ServerFrame,
} from "@coppice/delivery/wire";
import { systemTime } from "@coppice/kit";
import { VirtualTime } from "@coppice/kit/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { EventSockets } from "../src/events/sockets.ts";
import { resolveLimits, type ServerLimits } from "../src/limits.ts";
import { startServer } from "./harness.ts";
import { openRaw, upgradeText } from "./raw-client.ts";
import { tokenFor } from "./wire-client.ts";

/** A raw event connection. */
async function openSocket(url: string, origin?: string) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/${EVENTS_PATH}`, origin === undefined ? {} : { origin });
  const frames: ServerFrame[] = [];
  socket.on("message", (data: Buffer) => frames.push(decode(serverFrame, new Uint8Array(data))));
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  return { socket, frames, closed, send: (frame: ClientFrame) => socket.send(encode(clientFrame, frame)) };
}

describe("adversarial 43: event connections", () => {
  test("without authentication nothing is told, and the connection ends", async () => {
    const { url } = await startServer({ limits: { authenticateTimeout: 100 } });
    const { frames, closed } = await openSocket(url);
    expect(await closed).toBe(4401);
    expect(frames).toEqual([]);
  });

  test("a foreign token, a second authentication and junk end the connection", async () => {
    const { url } = await startServer();
    const token = await tokenFor(url, await createIdentity());
    const foreign = await openSocket(url);
    foreign.send({ type: "authenticate", token: randomBytes(32).toString("base64url") });
    expect(await foreign.closed).toBe(4401);
    const twice = await openSocket(url);
    twice.send({ type: "authenticate", token });
    twice.send({ type: "authenticate", token });
    expect(await twice.closed).toBe(4400);
    for (const junk of [new Uint8Array(), new Uint8Array([9]), new Uint8Array([2, 0]), "text", randomBytes(100)]) {
      const { socket, closed } = await openSocket(url);
      socket.send(junk);
      expect(await closed).toBe(4400);
    }
    const large = await openSocket(url);
    large.socket.send(new Uint8Array(2000));
    expect(await large.closed).toBe(1009);
  });

  test("the connection ends when the token expires", async () => {
    const { url } = await startServer({ limits: { tokenLifetime: 300 } });
    const { frames, closed, send } = await openSocket(url);
    send({ type: "authenticate", token: await tokenFor(url, await createIdentity()) });
    expect(await closed).toBe(4401);
    expect(frames).toEqual([{ type: "ready", heartbeat: 25_000 }]);
  });

  test("a client that does not answer pings is dropped, one that does is kept", async () => {
    const { url } = await startServer({ limits: { heartbeat: 30 } });
    const token = await tokenFor(url, await createIdentity());
    const [silent, lively] = [await openSocket(url), await openSocket(url)];
    lively.socket.on("message", () => lively.frames.at(-1)?.type === "ping" && lively.send({ type: "pong" }));
    for (const { send } of [silent, lively]) send({ type: "authenticate", token });
    expect(await silent.closed).toBe(1006);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(lively.socket.readyState).toBe(WebSocket.OPEN);
  });

  test("a client has a bounded number of connections: the oldest makes room", async () => {
    const { url } = await startServer({ limits: { socketsPerClient: 1 } });
    const token = await tokenFor(url, await createIdentity());
    const first = await openSocket(url);
    first.send({ type: "authenticate", token });
    await vi.waitFor(() => expect(first.frames).toHaveLength(1));
    const second = await openSocket(url);
    second.send({ type: "authenticate", token });
    expect(await first.closed).toBe(4429);
    await vi.waitFor(() => expect(second.frames).toHaveLength(1));
    expect(second.socket.readyState).toBe(WebSocket.OPEN);
  });

  test("issue 15 (10): few connections of one address wait for authentication, and none for long", async () => {
    const time = new VirtualTime();
    const { url } = await startServer({ time, limits: { pendingSocketsPerAddress: 2 } });
    const token = await tokenFor(url, await createIdentity());
    const [first, second] = [await openSocket(url), await openSocket(url)];
    expect(await (await openSocket(url)).closed).toBe(4429);
    first.send({ type: "authenticate", token });
    await vi.waitFor(() => expect(first.frames).toHaveLength(1));
    const fourth = await openSocket(url);
    await time.advance(5000);
    expect([await second.closed, await fourth.closed]).toEqual([4401, 4401]);
    expect(first.socket.readyState).toBe(WebSocket.OPEN);
  });

  test("issue 15 (10): a connection is gone soon after its end was announced, whatever the peer does", async () => {
    const time = new VirtualTime();
    const { url } = await startServer({ time });
    const { socket, text, ended } = await openRaw(url, upgradeText(`/${EVENTS_PATH}`));
    await vi.waitFor(() => expect(text()).toMatch(/^HTTP\/1\.1 101 /));
    await time.advance(5000);
    expect(socket.readableEnded).toBe(false);
    await time.advance(250);
    await ended;
  });

  test("pings of the client, and pongs that nobody asked for, end the connection", async () => {
    const { url } = await startServer();
    const token = await tokenFor(url, await createIdentity());
    const [pinging, ponging] = [await openSocket(url), await openSocket(url)];
    for (const { send } of [pinging, ponging]) send({ type: "authenticate", token });
    await vi.waitFor(() => expect([...pinging.frames, ...ponging.frames]).toHaveLength(2));
    pinging.socket.ping();
    expect(await pinging.closed).toBe(1006);
    ponging.send({ type: "pong" });
    expect(await ponging.closed).toBe(4400);
  });

  test("pages of other origins are refused, allowed ones are not", async () => {
    const { url } = await startServer({ allowedOrigins: ["https://app.example"] });
    await expect(openSocket(url, "https://evil.example")).rejects.toThrow("403");
    await openSocket(url, "https://app.example");
    await openSocket(url, url);
  });
});

describe("issue 15 (7): clients that do not read", () => {
  const client = { user: "someone", device: "0".repeat(32) };
  const groupId = new Uint8Array(16);

  /** Event connections on their own, where every token is good. */
  async function openEvents(given: Partial<ServerLimits>) {
    const limits = resolveLimits(given);
    const hub = new EventHub();
    const session = { client, expiresAt: Infinity, onEnd: () => () => undefined };
    const sessions = { authenticate: () => Promise.resolve(session) };
    const events = new EventSockets({ hub, sessions, limits, time: systemTime, now: Date.now });
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => server.close());
    server.on("connection", (socket) => {
      socket.binaryType = "arraybuffer";
      events.accept(socket, "somewhere");
    });
    await once(server, "listening");
    let seq = 0;
    const publish = (): void => {
      const entry = { seq: ++seq, kind: "message", epoch: 0n, message: new Uint8Array(60_000), receivedAt: 0 } as const;
      const poster = { ...client, user: "other" };
      const readers = new Set([clientKey(client)]);
      hub.publish({ type: "log", groupId, incarnation: client.device, readers, poster, entry });
    };
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    return { url, server, publish, newest: () => seq };
  }

  /** Publishes until `done`, with time for the connections in between. */
  async function publishUntil(publish: () => void, done: () => boolean): Promise<void> {
    // The kernel takes some megabytes for a reader that sleeps before anything waits in the server.
    for (let i = 0; i < 2000 && !done(); i++) {
      publish();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(done()).toBe(true);
  }

  test("one that falls behind is dropped, and the others do not notice", async () => {
    const { url, server, publish, newest } = await openEvents({ socketBufferBytes: 2_000_000 });
    const slow = await openRawSocket(url, "x");
    const lively = await openSocket(url);
    lively.send({ type: "authenticate", token: "x" });
    await vi.waitFor(() => expect(lively.frames).toHaveLength(1));
    slow.pause();
    await publishUntil(publish, () => server.clients.size === 1);
    await vi.waitFor(() => expect(lively.frames.at(-1)).toMatchObject({ type: "log", position: { seq: newest() } }));
  });

  test("what waits for all of them together is bounded", async () => {
    const { url, server, publish } = await openEvents({ socketBufferBytes: 2 ** 40, eventsInFlightBytes: 1_000_000 });
    const sleepers = await Promise.all(Array.from({ length: 5 }, () => openRawSocket(url, "x")));
    for (const socket of sleepers) socket.pause();
    await publishUntil(publish, () => server.clients.size === 0);
  });
});

/** A connection at which nobody reads what comes after `ready`. */
async function openRawSocket(url: string, token: string): Promise<Socket> {
  const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
  const key = randomBytes(16).toString("base64");
  socket.write(
    `GET /v2/events HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  await once(socket, "data");
  const payload = encode(clientFrame, { type: "authenticate", token });
  // A masked binary frame, with a mask of zeros.
  socket.write(new Uint8Array([0x82, 0x80 | payload.length, 0, 0, 0, 0, ...payload]));
  await once(socket, "data");
  return socket;
}
