/** What operators see and do, at a running server. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { createIdentity } from "@coppice/delivery/conformance";
import { countKeyPackages, MEDIA_TYPE } from "@coppice/delivery/wire";
import { createServer } from "@coppice/server";
import { Refusal } from "../src/admin/commands.ts";
import { askServer } from "../src/admin/socket.ts";
import type { RequestReport } from "../src/operate/metrics.ts";
import { bytes, connect, newUser, startServer, temporaryFolder, TestGroup } from "./harness.ts";
import { openRaw, requestText } from "./raw-client.ts";
import { call, tokenFor } from "./wire-client.ts";

describe("watching", () => {
  test("health on the main port; a server that ends is not ready", async () => {
    const server = await createServer({ port: 0, database: ":memory:", monitor: { host: "127.0.0.1", port: 0 } });
    const monitor = `http://127.0.0.1:${String(server.monitorPort)}`;
    for (const url of [server.url, monitor]) {
      expect([(await fetch(`${url}/healthz`)).status, (await fetch(`${url}/readyz`)).status]).toEqual([200, 200]);
    }
    expect((await fetch(`${server.url}/metrics`)).status).toBe(404);
    const challenge = { "content-type": MEDIA_TYPE, "content-length": 9 };
    // The one request that is under way holds the end up for a moment.
    const slow = await openRaw(server.url, requestText("POST /v2/challenge", challenge, "abc"));
    await vi.waitFor(async () =>
      expect(await (await fetch(`${monitor}/metrics`)).text()).toMatch(/^coppice_body_bytes [1-9]/m),
    );
    const closed = server.close();
    expect((await fetch(`${monitor}/healthz`)).status).toBe(200);
    expect((await fetch(`${monitor}/readyz`)).status).toBe(503);
    await closed;
    await slow.ended;
    await expect(fetch(`${monitor}/healthz`)).rejects.toThrow();
  });

  test("metrics count calls, bytes and errors, and name nobody", async () => {
    const reports: RequestReport[] = [];
    const { url, monitorPort } = await startServer({
      monitor: { host: "127.0.0.1", port: 0 },
      onRequest: (report) => reports.push(report),
    });
    const alice = await newUser(url, "alice-of-the-metrics");
    const group = await TestGroup.create(alice);
    await group.send(bytes(10));
    await fetch(`${url}/v2/nothing`, { method: "POST" });
    await fetch(`${url}/nothing`);
    const text = await (await fetch(`http://127.0.0.1:${String(monitorPort)}/metrics`)).text();
    for (const line of [
      /^coppice_request_seconds_count\{call="v2\/groups\/messages",status="200"\} 1$/m,
      /^coppice_request_seconds_count\{call="other",status="400"\} 1$/m,
      /^coppice_request_seconds_count\{call="file",status="404"\} 1$/m,
      /^coppice_connections [1-9]/m,
      /^coppice_event_connections 0$/m,
      /^coppice_body_bytes 0$/m,
      /^coppice_store_bytes [1-9]\d{4,}$/m,
      /^coppice_commit_changes_count [1-9]/m,
      /^coppice_errors_total 0$/m,
      /^nodejs_eventloop_lag_seconds /m,
    ]) {
      expect(text).toMatch(line);
    }
    expect(text).not.toContain("alice");
    expect(JSON.stringify(reports)).not.toContain("alice");
    expect(reports.length).toBeGreaterThan(4);
  });
});

describe("administration", () => {
  async function startAdministered() {
    const adminSocket = join(await temporaryFolder(), "admin");
    const server = await startServer({ adminSocket });
    const ask = async (...words: readonly string[]) => (await askServer(adminSocket, words))?.result;
    return { ...server, adminSocket, ask };
  }

  test("the socket is its owner's alone, takes the place of an old one, and is gone with the server", async () => {
    const adminSocket = join(await temporaryFolder(), "admin");
    const first = await createServer({ port: 0, database: ":memory:", adminSocket });
    expect((await stat(adminSocket)).mode & 0o777).toBe(0o600);
    await first.close();
    expect(await askServer(adminSocket, ["status"])).toBeUndefined();
    await startServer({ adminSocket });
    expect(await askServer(adminSocket, ["status"])).toMatchObject({ result: { users: 0, groups: 0 } });
  });

  test("users and groups are listed, mistakes explained", async () => {
    const { url, ask } = await startAdministered();
    const [alice, bob] = [await newUser(url, "alice"), await newUser(url, "bob")];
    const group = await TestGroup.create(alice);
    await group.add(bob.client);
    await group.send(bytes(100));
    expect(await ask("status")).toMatchObject({ users: 2, groups: 1 });
    expect(await ask("users")).toMatchObject([{ name: "alice", banned: false, groupsCreated: 1 }, { name: "bob" }]);
    expect(await ask("users", "alice")).toMatchObject([{ name: "bob", bytes: 0, allowance: null }]);
    const id = Buffer.from(group.groupId).toString("hex");
    expect(await ask("groups")).toMatchObject([{ id, creator: "alice", epoch: 1, lastSeq: 2, readers: 2 }]);
    for (const words of [
      [],
      ["ruin"],
      ["constructor"],
      ["ban"],
      ["ban", "x", "y"],
      ["quota", "bob", "-1"],
      ["delete-group", "x"],
    ]) {
      await expect(ask(...words)).rejects.toBeInstanceOf(Refusal);
    }
    await expect(ask("ban", "nobody")).rejects.toThrow("There is no such user");
    await expect(ask("delete-group", "00")).rejects.toThrow("There is no such group");
  });

  test("a banned user is out at once and stays out until it is let in", async () => {
    const { url, ask } = await startAdministered();
    const alice = await newUser(url, "alice");
    const token = await tokenFor(url, alice.identity);
    const events: unknown[] = [];
    alice.service.subscribe((event) => events.push(event));
    await ask("ban", "alice");
    await expect(call(url, countKeyPackages, undefined, token)).rejects.toMatchObject({
      code: "ERR_DS_UNAUTHENTICATED",
    });
    await expect(tokenFor(url, alice.identity)).rejects.toMatchObject({ code: "ERR_DS_FORBIDDEN" });
    await ask("unban", "alice");
    await tokenFor(url, alice.identity);
  });

  test("issue 15 (11): a quota that an operator sets goes before the limit", async () => {
    const { url, ask } = await startAdministered();
    const alice = await newUser(url, "alice");
    const group = await TestGroup.create(alice);
    await ask("quota", "alice", "5000");
    const full = { code: "ERR_DS_QUOTA", detail: { reason: "creator-full" } };
    await expect(group.send(bytes(5000))).rejects.toMatchObject(full);
    await ask("quota", "alice", "default");
    await group.send(bytes(5000));
  });

  test("a deleted user's name is free, and nothing of it waits for the next one", async () => {
    const { url, ask } = await startAdministered();
    const [alice, bob] = [await newUser(url, "alice"), await newUser(url, "bob")];
    await bob.service.publishKeyPackages({ keyPackages: [bytes(9), bytes(8)], lastResort: bytes(7) });
    const group = await TestGroup.create(alice);
    await group.add(bob.client);
    await ask("delete-user", "bob");
    expect(await ask("users")).toMatchObject([{ name: "alice" }]);
    expect(await ask("groups")).toMatchObject([{ readers: 1 }]);
    await expect(alice.service.claimKeyPackages(["bob"])).rejects.toMatchObject({ code: "ERR_DS_UNKNOWN_USER" });
    const other = await connect(url, await createIdentity({ user: "bob" }));
    expect(await other.readInbox()).toEqual([]);
    expect(await other.countKeyPackages()).toBe(0);
    await other.close();
    await group.send(bytes(3));
  });

  test("a deleted group is gone for all, in slices, and its bytes are given back", async () => {
    const { url, ask } = await startAdministered();
    const [alice, bob] = [await newUser(url, "alice"), await newUser(url, "bob")];
    const group = await TestGroup.create(alice);
    await group.add(bob.client);
    for (let i = 0; i < 30; i++) await group.send(bytes(100_000, i));
    expect(await ask("users", "a")).toMatchObject([{ bytes: expect.any(Number) as number }, {}]);
    await ask("delete-group", Buffer.from(group.groupId).toString("hex"));
    expect(await ask("groups")).toEqual([]);
    expect(await ask("users")).toMatchObject([{ bytes: 0 }, { bytes: 0 }]);
    for (const { service } of [alice, bob]) {
      await expect(group.seqs(0, service)).rejects.toMatchObject({ code: "ERR_DS_FORBIDDEN" });
    }
    expect(await bob.service.readInbox()).toEqual([]);
    const next = await TestGroup.create(bob);
    expect(next.incarnation).not.toBe(group.incarnation);
  });
});
