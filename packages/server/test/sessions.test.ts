/** What ends a session: a token that was replaced, a device that was removed or got another key, a restored database. */
import { once } from "node:events";
import { join } from "node:path";
import type { DeviceLogChange } from "@coppice/delivery";
import { createIdentity, newDevice } from "@coppice/delivery/conformance";
import {
  clientFrame,
  countKeyPackages,
  encode,
  EVENTS_PATH,
  pollEvents,
  readGroups,
  signIn,
} from "@coppice/delivery/wire";
import { createServer } from "@coppice/server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { newUser, startServer, temporaryFolder, TestGroup, type TestClient } from "./harness.ts";
import { call, prepareSignIn, tokenFor } from "./wire-client.ts";

const unauthenticated = { code: "ERR_DS_UNAUTHENTICATED" };

/** An event connection with this token, once it is up; resolves with the code it was closed with. */
async function openEvents(url: string, token: string): Promise<{ readonly closed: Promise<number> }> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/${EVENTS_PATH}`);
  onTestFinished(() => socket.terminate());
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  await once(socket, "open");
  const ready = once(socket, "message");
  socket.send(encode(clientFrame, { type: "authenticate", token }));
  await ready;
  return { closed };
}

/** A second device of a user, with a token. */
async function addDevice(url: string, first: TestClient) {
  const identity = await createIdentity({ user: first.name });
  const { device } = identity.client;
  const change = { action: "add", device, key: identity.key } as const;
  const entry = await first.identity.extend(first.identity.register, change);
  await first.service.appendDeviceLog(entry);
  const extend = async (next: DeviceLogChange) =>
    first.service.appendDeviceLog(await first.identity.extend(entry, next));
  return { identity, extend, token: await tokenFor(url, identity) };
}

describe("sessions end", () => {
  test("issue 15 (14): with a removed device its tokens, sockets and polls end, at once and for good", async () => {
    const database = join(await temporaryFolder(), "ds.db");
    const server = await createServer({ port: 0, database });
    const alice = await newUser(server.url);
    const { identity, token, extend } = await addDevice(server.url, alice);
    const own = await tokenFor(server.url, alice.identity);
    const [gone, kept] = [await openEvents(server.url, token), await openEvents(server.url, own)];
    const { cursor } = await call(server.url, pollEvents, { cursor: "", wait: 0 }, token);
    const poll = call(server.url, pollEvents, { cursor, wait: 60_000 }, token);
    const pollEnded = expect(poll).rejects.toMatchObject(unauthenticated);
    await extend({ action: "remove", device: identity.client.device });
    expect(await gone.closed).toBe(4401);
    await pollEnded;
    await expect(call(server.url, countKeyPackages, undefined, token)).rejects.toMatchObject(unauthenticated);
    await expect(tokenFor(server.url, identity)).rejects.toMatchObject({ code: "ERR_DS_NAME_TAKEN" });
    await call(server.url, countKeyPackages, undefined, own);
    await server.close();
    expect(await kept.closed).not.toBe(4401);

    const { url } = await startServer({ database });
    await expect(call(url, countKeyPackages, undefined, token)).rejects.toMatchObject(unauthenticated);
    await call(url, countKeyPackages, undefined, own);
  });

  test("issue 15 (14): a device that gets another key signs in anew", async () => {
    const { url } = await startServer();
    const alice = await newUser(url);
    const { identity, token, extend } = await addDevice(url, alice);
    const events = await openEvents(url, token);
    const { key } = await createIdentity();
    await extend({ action: "replace", device: identity.client.device, key });
    expect(await events.closed).toBe(4401);
    await expect(call(url, countKeyPackages, undefined, token)).rejects.toMatchObject(unauthenticated);
  });

  test("a sign-in that was under way when its device was removed yields no token that works", async () => {
    const { url } = await startServer();
    const alice = await newUser(url);
    const { identity, extend } = await addDevice(url, alice);
    const answers = await Promise.all(Array.from({ length: 8 }, () => prepareSignIn(url, identity)));
    const removal = extend({ action: "remove", device: identity.client.device });
    const outcomes = await Promise.allSettled(answers.map((answer) => call(url, signIn, answer)));
    await removal;
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") continue;
      const { token } = outcome.value;
      await expect(call(url, countKeyPackages, undefined, token)).rejects.toMatchObject(unauthenticated);
    }
  });

  test("issue 15 (14): a token that made room for another takes its sockets along", async () => {
    const { url } = await startServer({ limits: { tokensPerClient: 1 } });
    const identity = await createIdentity();
    const first = await openEvents(url, await tokenFor(url, identity));
    const second = await openEvents(url, await tokenFor(url, identity));
    expect(await first.closed).toBe(4401);
    const isOpen = await Promise.race([second.closed, new Promise((resolve) => setTimeout(resolve, 50, "open"))]);
    expect(isOpen).toBe("open");
  });
});

describe("issue 15 (5): a database that was restored from a backup", () => {
  test("has new logs: nobody posts into, or reads from, one that it takes for another", async () => {
    const database = join(await temporaryFolder(), "ds.db");
    const before = await createServer({ port: 0, database });
    const [alice, bob] = [await newUser(before.url), await newUser(before.url)];
    const group = await TestGroup.create(alice);
    await group.add(bob.client);
    const token = await tokenFor(before.url, alice.identity);
    await bob.service.publishKeyPackages({ keyPackages: [new Uint8Array(3)] });
    await before.close();

    const { url } = await startServer({ database, newIncarnations: true });
    await expect(call(url, countKeyPackages, undefined, token)).rejects.toMatchObject(unauthenticated);
    const groups = await call(url, readGroups, { after: undefined }, await tokenFor(url, alice.identity));
    expect(groups).toMatchObject([{ groupId: group.groupId, position: { seq: 1 } }]);
    expect(groups[0]?.position.incarnation).not.toBe(group.incarnation);
    expect(await call(url, countKeyPackages, undefined, await tokenFor(url, bob.identity))).toEqual({ count: 0 });
  });

  test("a log of another incarnation is neither read nor written", async () => {
    const database = join(await temporaryFolder(), "ds.db");
    const before = await createServer({ port: 0, database });
    const alice = await newUser(before.url);
    const group = await TestGroup.create(alice);
    await group.send(new Uint8Array([1]));
    const port = Number(new URL(before.url).port);
    await before.close();
    await startServer({ port, database, newIncarnations: true });
    const changed = { code: "ERR_DS_LOG_CHANGED" };
    await vi.waitFor(() => expect(group.seqs()).rejects.toMatchObject(changed));
    await expect(group.send(new Uint8Array([2]))).rejects.toMatchObject(changed);
    await expect(group.commit({})).rejects.toMatchObject(changed);
  });
});

test("a device that its user's log never listed has no session", async () => {
  const { url } = await startServer();
  const { identity } = await newUser(url);
  const client = { ...identity.client, device: newDevice() };
  await expect(tokenFor(url, { ...identity, client })).rejects.toMatchObject({ code: "ERR_DS_NAME_TAKEN" });
});
