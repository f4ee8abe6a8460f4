/** Raw connections: whatever a peer does with one, the server lives on, holds no more than it may, and can end. */
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { createServer } from "@coppice/server";
import { EVENTS_PATH } from "@coppice/delivery/wire";
import { startServer } from "../harness.ts";
import { openRaw, requestText, upgradeText } from "../raw-client.ts";

const EVENTS = `/${EVENTS_PATH}`;
const answers = async (url: string): Promise<number> => (await fetch(`${url}/nothing`)).status;

describe("raw connections", () => {
  test("issue 15 (1): a reset right after an upgrade request, at any moment, does not end the process", async () => {
    const { url } = await startServer();
    const reset = (socket: Socket) => socket.resetAndDestroy();
    for (const text of [
      upgradeText("/x"),
      upgradeText(EVENTS),
      "GET / HTTP/1.1\r\n",
      requestText("CONNECT x:1"),
      "\0",
    ]) {
      for (let i = 0; i < 5; i++) {
        const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
        socket.on("error", () => undefined);
        await once(socket, "connect");
        socket.write(text, () => reset(socket));
      }
      const late = await openRaw(url, text);
      await new Promise((resolve) => setTimeout(resolve, 10));
      reset(late.socket);
    }
    await vi.waitFor(async () => expect(await answers(url)).toBe(404));
  });

  test("issue 15 (2): a refused upgrade is answered and closed, whatever the peer does", async () => {
    const { url } = await startServer();
    const refused = await openRaw(url, upgradeText("/x"));
    await refused.ended;
    expect(refused.text()).toMatch(/^HTTP\/1\.1 404 /);
    const foreign = await openRaw(url, upgradeText(EVENTS, { origin: "https://evil.example" }));
    await foreign.ended;
    expect(foreign.text()).toMatch(/^HTTP\/1\.1 403 /);
    // That nothing is left of the connection shows when the peer, which never closes its half, sends something.
    for (const { socket } of [refused, foreign]) {
      await vi.waitFor(() => expect(socket.write("x") && !socket.destroyed).toBe(false));
    }
  });

  test("issue 15 (2): close ends all connections, half-open and upgraded ones too", async () => {
    const server = await createServer({ port: 0, database: ":memory:" });
    const unfinished = requestText("POST /v2/challenge", { "content-length": 9 }, "abc");
    for (const text of ["", "GET ", upgradeText("/x"), upgradeText(EVENTS), unfinished]) {
      for (let i = 0; i < 6; i++) await openRaw(server.url, text);
    }
    const started = performance.now();
    await server.close();
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test("issue 15 (10): one address has a bounded number of connections", async () => {
    const { url } = await startServer({ limits: { connectionsPerAddress: 2 } });
    const [first, second] = [await openRaw(url), await openRaw(url)];
    const third = await openRaw(url);
    await third.ended;
    const request = requestText("GET /");
    second.socket.write(request);
    await vi.waitFor(() => expect(second.text()).toMatch(/404/));
    first.socket.destroy();
    await vi.waitFor(async () => {
      const next = await openRaw(url, request);
      await vi.waitFor(() => expect(next.text()).toMatch(/404/), 100);
    });
  });

  test("issue 15 (10): a connection that sends no request is ended", async () => {
    const { url } = await startServer({ limits: { headersTimeout: 50 } });
    const [silent, slow] = [await openRaw(url), await openRaw(url, "GET / HTTP/1.1\r\nx: ")];
    await Promise.all([silent.ended, slow.ended]);
    expect(slow.text()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("issue 15 (7): a peer that asks on and on without waiting for answers is ended", async () => {
    const { url } = await startServer();
    const { ended, text } = await openRaw(url, requestText("GET /v2/x", { origin: "null" }).repeat(500));
    await ended;
    expect(text().match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThan(500);
  });
});
