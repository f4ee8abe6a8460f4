/** Raw connections: whatever a peer does with one, the server lives on, holds no more than it may, and can end. */
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createServer } from "@coppice/server";
import { startServer } from "../harness.ts";

const UPGRADE = "GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const EVENTS =
  "GET /v1/events HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/** A connection that sends `text` and never closes by itself; `text()` is what came back. */
async function open(url: string, text = "") {
  const socket = connectTcp({ port: Number(new URL(url).port), host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  let received = "";
  socket.on("data", (chunk) => (received += chunk.toString("latin1"))).on("error", () => undefined);
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  const ended = new Promise<void>((resolve) => {
    socket.on("end", () => resolve()).on("close", () => resolve());
  });
  await once(socket, "connect");
  if (text !== "") socket.write(text);
  return { socket, text: () => received, closed, ended };
}

const answers = async (url: string): Promise<number> => (await fetch(`${url}/v1/nothing`)).status;

describe("raw connections", () => {
  test("issue 15 (1): a reset right after an upgrade request, at any moment, does not end the process", async () => {
    const { url } = await startServer();
    const reset = (socket: Socket) => socket.resetAndDestroy();
    for (const text of [UPGRADE, EVENTS, "GET / HTTP/1.1\r\n", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "\0"]) {
      for (let i = 0; i < 5; i++) {
        const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
        socket.on("error", () => undefined);
        await once(socket, "connect");
        socket.write(text, () => reset(socket));
      }
      const late = await open(url, text);
      await new Promise((resolve) => setTimeout(resolve, 10));
      reset(late.socket);
    }
    await vi.waitFor(async () => expect(await answers(url)).toBe(400));
  });

  test("issue 15 (2): a refused upgrade is answered and closed, whatever the peer does", async () => {
    const { url } = await startServer();
    const refused = await open(url, UPGRADE);
    await refused.ended;
    expect(refused.text()).toMatch(/^HTTP\/1\.1 404 /);
    const foreign = await open(url, EVENTS.replace("Host: x", "Host: x\r\nOrigin: https://evil.example"));
    await foreign.ended;
    expect(foreign.text()).toMatch(/^HTTP\/1\.1 403 /);
    // That nothing is left of the connection shows when the peer, which never closes its half, sends something.
    for (const { socket } of [refused, foreign]) {
      await vi.waitFor(() => expect(socket.write("x") && !socket.destroyed).toBe(false));
    }
  });

  test("issue 15 (2): close ends all connections, half-open and upgraded ones too", async () => {
    const server = await createServer({ port: 0, database: ":memory:" });
    const kinds = [
      "",
      "GET ",
      UPGRADE,
      EVENTS,
      "POST /v1/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
    ];
    for (const text of kinds) for (let i = 0; i < 20; i++) await open(server.url, text);
    const started = performance.now();
    await server.close();
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
