/** Accounts: one name per store, registered once, with key packages for others to find. */
import { createMemoryDelivery } from "@coppice/delivery";
import { createMemoryStore, createMemoryDatabase } from "@coppice/storage";
import { describe, expect, test } from "vitest";
import { openClient } from "@coppice/client";
import { again, agree, arrival, pair, until, World } from "./world.ts";

describe("opening", () => {
  test("a name that is taken is reported and leaves nothing behind", async () => {
    const world = new World();
    await world.client("alice");
    const device = world.device("alice");
    await expect(device.open()).rejects.toMatchObject({ code: "ERR_DS_NAME_TAKEN" });
    expect(await createMemoryStore(device.database).partitions()).toEqual([]);
  });

  test("a store belongs to one name", async () => {
    const world = new World();
    const device = world.device("alice");
    await (await device.open()).client.close();
    const other = {
      name: "bob",
      store: createMemoryStore(device.database),
      connect: world.service.connect.bind(world.service),
    };
    await expect(openClient(other)).rejects.toMatchObject({ code: "ERR_CLIENT_WRONG_ACCOUNT" });
    await expect(openClient({ ...other, name: " " })).rejects.toMatchObject({ code: "ERR_CLIENT_NAME_INVALID" });
  });

  test("a name is taken in Unicode NFC", async () => {
    const world = new World();
    expect((await world.client("zoe\u0308")).name).toBe("zo\u00eb");
  });

  test("a new account needs an answer, and keeps its key if the answer is lost", async () => {
    const world = new World();
    const device = world.device("alice");
    world.service.network.reachable = false;
    await expect(device.open()).rejects.toMatchObject({ code: "ERR_DS_UNREACHABLE" });
    world.service.network.reachable = true;
    world.service.network.loseReply("countKeyPackages");
    await expect(device.open()).rejects.toMatchObject({ code: "ERR_DS_UNREACHABLE" });
    expect((await device.open()).client.name).toBe("alice");
  });

  test("an account that exists opens offline, with its conversations", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    await atAlice.send("before");
    await alice.client.sync();
    await alice.client.close();
    world.service.network.reachable = false;
    const opened = await aliceDevice.open();
    expect(opened.client.online).toBe(false);
    expect((await again(opened, atAlice).history()).at(-1)).toMatchObject({ kind: "message", state: "sent" });
    await expect(opened.client.sync()).rejects.toMatchObject({ code: "ERR_DS_UNREACHABLE" });
    world.service.network.reachable = true;
    await until(() => opened.client.online);
    await agree(again(opened, atAlice), atBob);
  });

  test("two tabs that open a new account at once share it", async () => {
    const device = new World().device("alice");
    const [one, two] = await Promise.all([device.open(), device.open()]);
    expect([one.client.name, two.client.name]).toEqual(["alice", "alice"]);
  });

  test("an aborted call opens nothing", async () => {
    const device = new World().device("alice");
    await expect(device.open({ signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
  });
});

describe("key packages", () => {
  test("the pool is refilled once less than half of it is left", async () => {
    const world = new World();
    const bob = await world.device("bob").open();
    expect(await bob.delivery.countKeyPackages()).toBe(4);
    const alice = await world.client("alice");
    for (let i = 0; i < 3; i++) {
      const group = await alice.createGroup();
      await group.add(["bob"]);
      await arrival(bob.client, group.id);
    }
    await until(async () => undefined);
    await bob.client.sync();
    expect(await bob.delivery.countKeyPackages()).toBe(4);
  });

  test("R-10-2: a package's private keys are deleted once it has let this client in", async () => {
    const world = new World();
    const device = world.device("bob");
    const { client } = await device.open();
    const stored = async (): Promise<number> => {
      const { records } = await createMemoryStore(device.database).read("account", [{ prefix: "key-package/" }]);
      return records.size;
    };
    expect(await stored()).toBe(5);
    const group = await (await world.client("alice")).createGroup();
    await group.add(["bob"]);
    await agree(group, await arrival(client, group.id));
    expect(await stored()).toBe(4);
  });

  test("R-16.8-2: while bob is away, the last resort lets him in more often than he has key packages", async () => {
    const world = new World();
    const device = world.device("bob");
    const bob = await device.open();
    await bob.client.close();
    const alice = await world.client("alice");
    const groups = [];
    for (let i = 0; i < 6; i++) {
      const group = await alice.createGroup();
      await group.add(["bob"]);
      groups.push(group);
    }
    const { client } = await device.open();
    for (const group of groups) await agree(group, await arrival(client, group.id));
  });

  test("expired packages are deleted and replaced, and an expired one is not used by others", async () => {
    const world = new World();
    let now = Date.now();
    const clock = (): number => now;
    const device = world.device("bob");
    await (await device.open({ clock })).client.close();
    now += 40 * 86_400_000;
    const alice = (await world.device("alice").open({ clock })).client;
    const group = await alice.createGroup();
    await expect(group.add(["bob"])).rejects.toMatchObject({ requirement: "R-7.3-7" });
    const bob = await device.open({ clock });
    await bob.client.sync();
    // The directory still has old ones, which come first.
    await group.add(["bob"]);
    await agree(group, await arrival(bob.client, group.id));
    const { records } = await createMemoryStore(device.database).read("account", [{ prefix: "key-package/" }]);
    expect(records.size).toBe(4);
  });
});

test("an unknown Delivery Service cannot take a confirmed account over", async () => {
  const database = createMemoryDatabase();
  const [one, two] = [createMemoryDelivery(), createMemoryDelivery()];
  await (
    await openClient({
      name: "alice",
      store: createMemoryStore(database),
      connect: (identity) => one.connect(identity),
    })
  ).close();
  await openClient({ name: "alice", store: createMemoryStore(), connect: (identity) => two.connect(identity) });
  const moved = openClient({
    name: "alice",
    store: createMemoryStore(database),
    connect: (identity) => two.connect(identity),
  });
  await expect(moved).rejects.toMatchObject({ code: "ERR_DS_NAME_TAKEN" });
  expect(await createMemoryStore(database).partitions()).toEqual(["account"]);
});
