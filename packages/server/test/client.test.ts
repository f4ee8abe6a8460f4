/** The HTTP client against a server that comes, goes and forgets. */
import { once } from "node:events";
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { DeliveryEvent, DeliveryService } from "@coppice/delivery";
import { createIdentity } from "@coppice/delivery/conformance";
import { createServer } from "@coppice/server";
import { connect, newUser, startServer, temporaryFolder, TestGroup } from "./harness.ts";

const unreachable = { code: "ERR_DS_UNREACHABLE" };
const offline: DeliveryEvent = { type: "connection", online: false, transport: undefined };
const online: DeliveryEvent = { type: "connection", online: true, transport: "websocket" };

/** A port where nothing listens. */
async function freePort(): Promise<number> {
  const server = await startServer();
  await server.close();
  return Number(new URL(server.url).port);
}

/** A way to the server that can swallow everything, as a network does that loses a client without telling anyone. */
async function relay(url: string) {
  let open = true;
  const server = createTcpServer((near) => {
    const far = connectTcp(Number(new URL(url).port), "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from
        .on("data", (chunk) => open && to.write(chunk))
        .on("close", () => open && to.destroy())
        .on("error", () => undefined);
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    swallow: () => (open = false),
  };
}

function record(service: DeliveryService): DeliveryEvent[] {
  const events: DeliveryEvent[] = [];
  onTestFinished(service.subscribe((event) => events.push(event)));
  return events;
}

describe("adversarial 39: a server that goes away", () => {
  test("a client can be made while the server is down, and works once it is up", async () => {
    const port = await freePort();
    const service = await connect(`http://127.0.0.1:${String(port)}`, await createIdentity());
    onTestFinished(() => service.close());
    await expect(service.countKeyPackages()).rejects.toMatchObject(unreachable);
    const events = record(service);
    await vi.waitFor(() => expect(events).toEqual([offline]));
    await startServer({ port });
    expect(await service.countKeyPackages()).toBe(0);
    await vi.waitFor(() => expect(events.at(-1)).toEqual(online), 5000);
  });

  test("a name that turns out to be taken is reported by the calls", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${String(port)}`;
    const service = await connect(url, await createIdentity({ user: "zoe" }));
    onTestFinished(() => service.close());
    await startServer({ port });
    await newUser(url, "zoe");
    await expect(service.countKeyPackages()).rejects.toMatchObject({ code: "ERR_DS_NAME_TAKEN" });
    await expect(service.countKeyPackages()).rejects.toMatchObject({ code: "ERR_DS_NAME_TAKEN" });
  });

  test("after a restart the same client goes on: calls, events, and the token", async () => {
    const database = join(await temporaryFolder(), "ds.db");
    const first = await createServer({ port: 0, database });
    const { service, client } = await newUser(first.url);
    const events = record(service);
    await vi.waitFor(() => expect(events).toEqual([online]));
    await first.close();
    await vi.waitFor(() => expect(events.at(-1)).toEqual(offline));
    await expect(service.countKeyPackages()).rejects.toMatchObject(unreachable);

    await startServer({ port: Number(new URL(first.url).port), database });
    await vi.waitFor(() => expect(events.at(-1)).toEqual(online), 5000);
    const poster = await newUser(first.url);
    const group = await TestGroup.create(poster);
    await group.add(client);
    const message = new Uint8Array([1]);
    await group.send(message);
    const { groupId } = group;
    const entry = expect.objectContaining({ seq: 2, message }) as unknown;
    const event = { type: "log", groupId, position: group.after(2), entry };
    await vi.waitFor(() => expect(events.at(-1)).toEqual(event));
  });

  test("a server that forgot its users is signed in to again", async () => {
    const first = await startServer();
    const { service } = await newUser(first.url);
    await first.close();
    await startServer({ port: Number(new URL(first.url).port) });
    const calls = await Promise.all(Array.from({ length: 10 }, () => service.countKeyPackages()));
    expect(calls).toEqual(Array(10).fill(0));
  });

  test("when the token expires, calls and events sign in again", async () => {
    const { url } = await startServer({ limits: { tokenLifetime: 250 } });
    const { service } = await newUser(url);
    const events = record(service);
    await vi.waitFor(() => expect(events).toHaveLength(3), 5000);
    expect(events.map((event) => event.type === "connection" && event.online)).toEqual([true, false, true]);
    expect(await service.countKeyPackages()).toBe(0);
  });

  test("nothing hangs at a server that takes connections and stays silent", async () => {
    const silent = createTcpServer(() => undefined).listen(0, "127.0.0.1");
    onTestFinished(() => void silent.close());
    await vi.waitFor(() => expect(silent.listening).toBe(true));
    const url = `http://127.0.0.1:${String((silent.address() as AddressInfo).port)}`;
    const service = await connect(url, await createIdentity(), { timeout: 200 });
    await expect(service.countKeyPackages()).rejects.toMatchObject(unreachable);
    const reason = new Error("no longer wanted");
    const aborted = service.countKeyPackages({ signal: AbortSignal.timeout(20) }).catch((error: unknown) => error);
    expect(await aborted).toMatchObject({ name: "TimeoutError" });
    const controller = new AbortController();
    const call = service.countKeyPackages({ signal: controller.signal });
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    const closing = service.countKeyPackages();
    await service.close();
    await expect(closing).rejects.toMatchObject({ code: "ERR_DS_CLOSED" });
  });

  test("a connection that falls silent is noticed by the missing heartbeat, a quiet one is kept", async () => {
    const port = await freePort();
    const way = await relay(`http://127.0.0.1:${String(port)}`);
    await startServer({ port, limits: { heartbeat: 40 }, origins: [way.url] });
    const service = await connect(way.url, await createIdentity());
    onTestFinished(() => service.close());
    const events = record(service);
    await vi.waitFor(() => expect(events).toEqual([online]));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(events).toHaveLength(1);
    way.swallow();
    await vi.waitFor(() => expect(events.at(-1)).toEqual(offline));
  });

  test("events stop when the last listener releases, and close ends the connection", async () => {
    const { url } = await startServer({ limits: { socketsPerClient: 1 } });
    const { service, identity } = await newUser(url);
    const events: DeliveryEvent[] = [];
    const release = service.subscribe((event) => events.push(event));
    await vi.waitFor(() => expect(events).toHaveLength(1));
    release();
    release();
    const other = await connect(url, identity);
    const others = record(other);
    await vi.waitFor(() => expect(others).toContainEqual(online), 5000);
    await other.close();
    const again = record(service);
    await vi.waitFor(() => expect(again).toContainEqual(online), 5000);
    expect(events).toHaveLength(1);
  });
});
