/** Accounts: one name per store, registered once, with key packages for others to find. */
import { createMemoryDelivery } from "@coppice/delivery";
import { createMemoryStore } from "@coppice/storage";
import { describe, expect, test } from "vitest";
import { openClient, openEngine } from "@coppice/client";
import { again, pair, problems, World, type Device } from "./world.ts";

const DAY = 86_400_000;

/** How many key packages a device keeps. */
async function stored(device: Device): Promise<number> {
  const { records } = await device.store().read("account", [{ prefix: "key-package/" }]);
  return records.size;
}

describe("opening", () => {
  test("a name that is taken is reported and leaves nothing behind", async () => {
    const world = new World();
    await world.client("alice");
    const device = world.device("alice");
    await expect(device.open()).rejects.toMatchObject({ code: "ERR_DS_NAME_TAKEN" });
    expect((await device.store().partitions()).names).toEqual([]);
  });

  test("a store belongs to one name", async () => {
    const world = new World();
    const device = world.device("alice");
    await (await device.open()).engine.close();
    const other = { name: "bob", store: device.store(), connect: world.service.connect.bind(world.service) };
    await expect(openClient(other)).rejects.toMatchObject({ code: "ERR_CLIENT_WRONG_ACCOUNT" });
    await expect(openClient({ ...other, name: " " })).rejects.toMatchObject({ code: "ERR_CLIENT_NAME_INVALID" });
  });

  test("a name is taken in its normal form", async () => {
    const world = new World();
    const client = await world.client("Zoe\u0308");
    expect(client.name).toBe("zo\u00eb");
    expect(client.device).toMatch(/^[0-9a-f]{32}$/);
  });

  test("a new account needs an answer, and keeps its key if the answer is lost", async () => {
    const world = new World();
    const device = world.device("alice");
    world.service.network.reachable = false;
    await expect(device.open()).rejects.toMatchObject({ code: "ERR_DS_UNREACHABLE" });
    world.service.network.reachable = true;
    world.service.network.loseReply("countKeyPackages");
    await expect(device.open()).rejects.toMatchObject({ code: "ERR_DS_UNREACHABLE" });
    expect((await device.client()).name).toBe("alice");
  });

  test("an account that exists opens offline, with its conversations", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    await atAlice.send("before");
    await world.run(alice.client.sync());
    await alice.engine.close();
    world.service.network.reachable = false;
    const opened = await aliceDevice.open();
    expect(opened.client.online).toBe(false);
    expect((await again(opened, atAlice).history()).at(-1)).toMatchObject({ kind: "message", state: "sent" });
    await expect(opened.client.sync()).rejects.toMatchObject({ code: "ERR_DS_UNREACHABLE" });
    world.service.network.reachable = true;
    await world.until(() => opened.client.online);
    await world.agree(again(opened, atAlice), atBob);
  });

  test("two tabs that open a new account at once share it", async () => {
    const device = new World().device("alice");
    const [one, two] = await Promise.all([device.open(), device.open()]);
    expect([one.client.name, two.client.name]).toEqual(["alice", "alice"]);
    expect(one.client.device).toBe(two.client.device);
  });

  test("an aborted call opens nothing", async () => {
    const device = new World().device("alice");
    await expect(device.open({ signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
  });

  test("an unknown Delivery Service cannot take a confirmed account over", async () => {
    const world = new World();
    const device = world.device("alice");
    await (await device.open()).engine.close();
    const other = new World();
    await other.client("alice");
    const moved = openEngine({
      name: "alice",
      store: device.store(),
      connect: (identity) => other.service.connect(identity),
    });
    await expect(moved).rejects.toMatchObject({ code: "ERR_DS_NAME_TAKEN" });
    expect((await device.store().partitions()).names).toEqual(["account"]);
  });

  test("a client that was opened alone ends its engine", async () => {
    const service = createMemoryDelivery();
    const store = createMemoryStore();
    const client = await openClient({ name: "alice", store, connect: (identity) => service.connect(identity) });
    await client.close();
    await expect(store.partitions()).rejects.toMatchObject({ code: "ERR_STORE_CLOSED" });
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
      await world.run(group.add(["bob"]));
      await world.arrival(bob.client, group.id);
    }
    await world.until(async () => (await bob.delivery.countKeyPackages()) === 4);
  });

  test("R-10-2: a package's private keys are deleted once it has let this device in", async () => {
    const world = new World();
    const device = world.device("bob");
    const client = await device.client();
    expect(await stored(device)).toBe(5);
    const group = await (await world.client("alice")).createGroup();
    await world.run(group.add(["bob"]));
    await world.agree(group, await world.arrival(client, group.id));
    expect(await stored(device)).toBe(4);
  });

  test("R-16.8-2: while bob is away, the last resort lets him in more often than he has key packages", async () => {
    const world = new World();
    const device = world.device("bob");
    const bob = await device.open();
    await bob.engine.close();
    const alice = await world.client("alice");
    const groups = [];
    for (let i = 0; i < 6; i++) {
      const group = await alice.createGroup();
      await world.run(group.add(["bob"]));
      groups.push(group);
    }
    const client = await device.client();
    for (const group of groups) await world.agree(group, await world.arrival(client, group.id));
  });

  test("expired packages are deleted and replaced, and an expired one is not used by others", async () => {
    const world = new World();
    const device = world.device("bob");
    await (await device.open()).engine.close();
    world.time.jump(40 * DAY);
    const alice = await world.client("alice");
    const group = await alice.createGroup();
    await expect(world.run(group.add(["bob"]))).rejects.toMatchObject({ requirement: "R-7.3-7" });
    const bob = await device.open();
    await world.until(async () => (await stored(device)) === 5);
    await world.run(group.add(["bob"]));
    await world.agree(group, await world.arrival(bob.client, group.id));
  });

  test("the use of a last resort is remembered as long as its keys are kept, and no longer", async () => {
    const world = new World();
    const device = world.device("bob");
    await (await device.open()).engine.close();
    const alice = await world.client("alice");
    const uses = async (): Promise<number> =>
      (await device.store().read("account", [{ prefix: "used/" }])).records.size;
    const groups = await Promise.all(Array.from({ length: 6 }, () => alice.createGroup()));
    for (const group of groups) await world.run(group.add(["bob"]));
    const bob = await device.open();
    for (const group of groups) await world.arrival(bob.client, group.id);
    // Four of the six came by packages for single use.
    expect(await uses()).toBe(2);
    await bob.engine.close();
    world.time.jump(40 * DAY);
    const later = await device.open();
    await world.run(later.client.sync());
    await world.until(async () => (await uses()) === 0);
  });

  test.each([3_600_000, DAY, 365 * DAY])(
    "adversarial 52: made with the clock %d ms ahead, they are replaced once it is right",
    async (ahead) => {
      const world = new World();
      const device = world.device("bob");
      world.time.jump(2 * ahead);
      await (await device.open()).engine.close();
      world.time.jump(-2 * ahead);
      const alice = await world.client("alice");
      const bob = await device.open();
      const codes = problems(bob.client);
      await world.until(async () => codes.length > 0 && (await bob.delivery.countKeyPackages()) === 4);
      expect(codes).toEqual(["ERR_CLIENT_CLOCK"]);
      const group = await alice.createGroup();
      await world.run(group.add(["bob"]));
      await world.agree(group, await world.arrival(bob.client, group.id));
    },
  );

  test("adversarial 52: in the first hour of 1970 they are valid from the beginning of time", async () => {
    const world = new World();
    world.time.jump(-world.time.now() + 1000);
    const bob = await world.client("bob");
    const group = await (await world.client("alice")).createGroup();
    await world.run(group.add(["bob"]));
    await world.agree(group, await world.arrival(bob, group.id));
  });

  test("adversarial 52: a clock that jumps back is told, once", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const codes = problems(alice.client);
    world.time.jump(-DAY);
    await world.until(() => codes.length > 0, 3_600_000);
    // Forward again: a device that slept looks the same.
    world.time.jump(DAY);
    await world.time.advance(3_600_000);
    expect(codes).toEqual(["ERR_CLIENT_CLOCK"]);
    await world.agree(atAlice, atBob);
  });

  test("adversarial 52: a clock that is ahead of the server's is told when the server's is heard", async () => {
    const world = new World();
    const device = world.device("alice");
    const ahead = await device.open({ clockAhead: DAY });
    const bob = await world.client("bob");
    const codes = problems(ahead.client);
    const group = await ahead.client.createGroup();
    await world.run(group.add("bob"));
    const atBob = await world.arrival(bob, group.id);
    expect(codes).toEqual([]);
    await atBob.send("what time is it");
    await world.until(() => group.snapshot.lastItem === 2);
    expect(codes).toEqual(["ERR_CLIENT_CLOCK"]);
  });

  test("a directory that always counts 0 does not make it publish without end", async () => {
    const world = new World();
    const device = world.device("bob");
    const bob = await device.open({
      wrap: (service) => ({ ...service, countKeyPackages: () => Promise.resolve(0) }),
    });
    let published = 0;
    bob.delivery.network.fault = ({ call, phase }) => {
      if (call === "publishKeyPackages" && phase === "request") published++;
    };
    for (let i = 0; i < 40; i++) await world.run(bob.client.sync());
    expect(await stored(device)).toBeLessThanOrEqual(41);
    const before = published;
    for (let i = 0; i < 40; i++) await world.run(bob.client.sync());
    expect(published).toBe(before);
  });
});
