/** The engine without a worker, on a real Delivery Service. */
import { createServer } from "@coppice/server";
import { beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { createMemoryStore, openHere, wipeHere } from "../src/direct.ts";
import type { Client } from "../src/index.ts";

/** Node has none before version 22. */
beforeAll(() => void vi.stubGlobal("WebSocket", WebSocket));

async function open(server: string, name: string): Promise<Client> {
  const client = await openHere({ name, server, store: createMemoryStore() });
  onTestFinished(() => client.close());
  return client;
}

it("runs the same engine in Node", async () => {
  const server = await createServer({ port: 0, database: ":memory:" });
  onTestFinished(() => server.close());
  const [alice, bob] = [await open(server.url, "alice"), await open(server.url, "bob")];
  const group = await alice.createGroup({ title: "Lunch" });
  const read = new Promise((resolve) => {
    bob.on("conversation", ({ id }) => {
      bob.conversation(id)?.on("message", ({ sender, data }) => {
        resolve([sender, new TextDecoder().decode(data)]);
      });
    });
  });
  await group.add(["bob"]);
  await group.send("Noodles?");
  expect(await read).toEqual(["alice", "Noodles?"]);
});

it("works without a WebSocket, by long polling", async () => {
  vi.stubGlobal("WebSocket", undefined);
  const server = await createServer({ port: 0, database: ":memory:" });
  onTestFinished(() => server.close());
  const alice = await open(server.url, "alice");
  const online = new Promise((resolve) => alice.on("connection", resolve));
  if (!alice.online) expect(await online).toEqual({ online: true, transport: "polling" });
  await alice.sync();
  vi.stubGlobal("WebSocket", WebSocket);
});

it("shows the error of a listener with its cause", async () => {
  const reported = vi.fn();
  vi.stubGlobal("reportError", reported);
  const server = await createServer({ port: 0, database: ":memory:" });
  onTestFinished(() => server.close());
  const alice = await open(server.url, "alice");
  const failure = new Error("of the application", { cause: "its cause" });
  alice.on("conversation", () => {
    throw failure;
  });
  await alice.createGroup();
  expect(reported.mock.calls).toEqual([[failure]]);
});

it("has no database where there is no IndexedDB and no store is given", async () => {
  const opening = openHere({ name: "alice", server: "http://127.0.0.1:9" });
  await expect(opening).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
});

it("closes the store of an account that cannot be opened", async () => {
  const store = createMemoryStore();
  const opening = openHere({ name: "alice", server: "http://127.0.0.1:9", store });
  await expect(opening).rejects.toMatchObject({ code: "ERR_DS_UNREACHABLE" });
  await expect(store.partitions()).rejects.toMatchObject({ code: "ERR_STORE_CLOSED" });
});

it("says what is missing", async () => {
  const opening = (options: unknown) => openHere(options as never);
  await expect(opening(undefined)).rejects.toThrow("Options are expected, { name, server }");
  await expect(opening({ server: "https://chat.example" })).rejects.toThrow("The option name");
  await expect(opening({ name: "alice" })).rejects.toThrow("The option server");
});

it("cannot wipe where there is no IndexedDB", async () => {
  const wiping = wipeHere({ name: "alice", server: "http://127.0.0.1:9" });
  await expect(wiping).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
});

it("stops opening when the signal aborts", async () => {
  const reason = new Error("changed my mind");
  const opening = openHere({ name: "alice", server: "http://127.0.0.1:9", signal: AbortSignal.abort(reason) });
  await expect(opening).rejects.toBe(reason);
});
