/** What a message, a Commit and an opening cost: locks, reads, writes, requests and records, in groups of different sizes. */
import type { DeliveryService } from "@coppice/delivery";
import { sleep } from "@coppice/kit";
import type { Store } from "@coppice/storage";
import { describe, expect, test } from "vitest";
import type { Conversation } from "@coppice/client";
import { again, listen, World, type Device, type OpenOptions, type Opened } from "./world.ts";

class Counter {
  locks = 0;
  reads = 0;
  writes = 0;
  recordsRead = 0;
  recordsWritten = 0;
  bytesWritten = 0;
  requests = 0;

  readonly options: OpenOptions = {
    wrapStore: (store) => this.#counting(store),
    wrap: (service) => this.#calling(service),
  };

  /** What is counted from now on. */
  start(): void {
    Object.assign(this, {
      ...{ locks: 0, reads: 0, writes: 0, recordsRead: 0, recordsWritten: 0, bytesWritten: 0, requests: 0 },
    });
  }

  get all(): object {
    const { locks, reads, writes, requests, recordsRead, recordsWritten } = this;
    return { locks, reads, writes, requests, recordsRead, recordsWritten };
  }

  #counting(store: Store): Store {
    return {
      ...store,
      read: async (...args) => {
        this.reads++;
        const snapshot = await store.read(...args);
        this.recordsRead += snapshot.records.size;
        return snapshot;
      },
      readChanges: async (...args) => {
        this.reads++;
        const changes = await store.readChanges(...args);
        this.recordsRead += changes?.records.size ?? 0;
        return changes;
      },
      write: async (writes, options) => {
        this.writes++;
        for (const { put, delete: gone } of writes) {
          this.recordsWritten += (put?.size ?? 0) + (gone?.length ?? 0);
          for (const value of put?.values() ?? []) this.bytesWritten += value.length;
        }
        await store.write(writes, options);
      },
      exclusive: (name, task, options) => {
        if (name !== "leader") this.locks++;
        return store.exclusive(name, task, options);
      },
    };
  }

  #calling(service: DeliveryService): DeliveryService {
    const counted = Object.entries(service).map(([name, call]: [string, (...args: unknown[]) => unknown]) => [
      name,
      (...args: unknown[]) => {
        if (name !== "subscribe" && name !== "close") this.requests++;
        return call(...args);
      },
    ]);
    return Object.fromEntries(counted) as DeliveryService;
  }
}

interface Scene {
  readonly world: World;
  readonly aliceDevice: Device;
  readonly bobDevice: Device;
  readonly alice: Opened;
  readonly bob: Opened;
  readonly atAlice: Conversation;
  readonly atBob: Conversation;
  readonly sender: Counter;
  readonly receiver: Counter;
}

/** Alice and Bob in a group of `size`, of which the others are away. */
async function scene(size: number): Promise<Scene> {
  const world = new World();
  const [sender, receiver] = [new Counter(), new Counter()];
  const others = Array.from({ length: size - 2 }, (_, i) => `member${i}`);
  for (const name of others) await (await world.device(name).open()).engine.close();
  const [aliceDevice, bobDevice] = [world.device("alice"), world.device("bob")];
  const alice = await aliceDevice.open(sender.options);
  const bob = await bobDevice.open(receiver.options);
  const atAlice = await alice.client.createGroup();
  await world.run(atAlice.add(["bob", ...others]));
  const atBob = await world.arrival(bob.client, atAlice.id);
  await world.run(atBob.update());
  await world.run(atAlice.update());
  await world.agree(atAlice, atBob);
  // The first message of an epoch and sender makes the way to the sender's ratchets.
  const heard = [listen(atBob), listen(atAlice)];
  await atAlice.send("first");
  await atBob.send("first");
  await world.until(() => heard.every(({ length }) => length === 1));
  await world.time.advance(1000);
  return { world, aliceDevice, bobDevice, alice, bob, atAlice, atBob, sender, receiver };
}

describe.each([2, 24])("in a group of %d", { timeout: 30_000 }, (size) => {
  test("a message costs two locks, two writes and one request to send, and as much without a request to receive and acknowledge", async () => {
    const { world, atAlice, atBob, sender, receiver } = await scene(size);
    const heard = listen(atBob);
    await world.time.advance(1000);
    sender.start();
    receiver.start();
    await atAlice.send("x");
    await world.until(() => heard.length === 1);
    await world.time.advance(1000);
    expect(sender.all).toEqual({ locks: 2, reads: 0, writes: 2, requests: 1, recordsRead: 0, recordsWritten: 7 });
    expect(receiver.all).toEqual({ locks: 2, reads: 0, writes: 2, requests: 0, recordsRead: 0, recordsWritten: 4 });
    expect(sender.bytesWritten).toBeLessThan(2048);
    expect(receiver.bytesWritten).toBeLessThan(1024);
  });

  test("of a hundred at once, each costs a fraction of that", async () => {
    const { world, atAlice, atBob, sender, receiver } = await scene(size);
    const heard = listen(atBob);
    sender.start();
    receiver.start();
    await world.run(Promise.all(Array.from({ length: 100 }, (_, i) => atAlice.send(`${i}`))));
    await world.until(() => heard.length === 100);
    await world.time.advance(1000);
    expect(sender.requests).toBeLessThanOrEqual(3);
    expect(sender.locks).toBeLessThanOrEqual(7);
    expect(sender.reads).toBe(0);
    expect(receiver.requests).toBe(0);
    // One of them to store what was acknowledged.
    expect(receiver.locks).toBeLessThanOrEqual(5);
    expect(receiver.reads).toBe(0);
  });

  test("a queue that is longer than what is kept of it in memory is read again in batches", async () => {
    const { world, atAlice, atBob, sender } = await scene(size);
    const heard = listen(atBob);
    sender.start();
    await world.run(Promise.all(Array.from({ length: 320 }, (_, i) => atAlice.send(`${i}`))));
    await world.until(() => heard.length === 320);
    await world.time.advance(1000);
    // 320 messages are five batches: each is read at most once to be sealed and once to be settled.
    expect(sender.requests).toBeLessThanOrEqual(6);
    expect(sender.reads).toBeLessThanOrEqual(10);
  });

  test("another tab follows it with one read of what changed, and takes no lock", async () => {
    const { world, aliceDevice, atAlice, atBob } = await scene(size);
    const follower = new Counter();
    const other = await aliceDevice.open(follower.options);
    const conversation = again(other, atAlice);
    const heard = listen(conversation);
    await world.time.advance(2000);
    follower.start();
    await atBob.send("to both");
    await world.until(() => heard.includes("bob: to both"));
    expect(follower.all).toEqual({ locks: 0, reads: 1, writes: 0, requests: 0, recordsRead: 3, recordsWritten: 0 });
    await other.engine.close();
  });

  test("a tab that does not lead leaves its message to the leader: both read what the other wrote, and no more", async () => {
    const { world, aliceDevice, atAlice, atBob, sender } = await scene(size);
    const follower = new Counter();
    const other = await aliceDevice.open(follower.options);
    const conversation = again(other, atAlice);
    const heard = listen(atBob);
    await conversation.send("loads what it needs");
    await world.until(() => heard.length === 1);
    await world.time.advance(2000);
    follower.start();
    sender.start();
    await conversation.send("x");
    await world.until(() => heard.length === 2);
    await world.time.advance(2000);
    expect(follower.requests).toBe(0);
    expect(sender.requests).toBe(1);
    expect(follower.locks).toBe(1);
    expect(sender.locks).toBe(2);
    expect(follower.recordsRead).toBeLessThanOrEqual(8);
    expect(sender.recordsRead).toBeLessThanOrEqual(3);
    await other.engine.close();
  });

  test("an account opens by one record for each conversation, and its first message by a few small ones", async () => {
    const { world, aliceDevice, alice, atAlice, atBob, sender } = await scene(size);
    const heard = listen(atBob);
    await alice.engine.close();
    sender.start();
    const reopened = await aliceDevice.open(sender.options);
    expect(again(reopened, atAlice).snapshot).toMatchObject({ status: "active", memberCount: size });
    // The account, how often it was rolled back, the clock, and the conversation.
    expect(sender.recordsRead).toBeLessThanOrEqual(4);
    await world.until(() => reopened.client.online);
    await world.time.advance(1000);
    const before = sender.recordsRead;
    await again(reopened, atAlice).send("the first after opening");
    await world.until(() => heard.length === 1);
    // The summary and state, four past epochs, the own leaf, and the way to its ratchets.
    expect(sender.recordsRead - before).toBeLessThanOrEqual(10);
  });
});

test("who joins pins the device logs of all members in a few writes", async () => {
  const world = new World();
  const others = Array.from({ length: 40 }, (_, i) => `member${i}`);
  for (const name of others) await (await world.device(name).open()).engine.close();
  const [alice, counter] = [await world.client("alice"), new Counter()];
  const bob = await world.run(
    world.device("bob").open({
      wrapStore: (store) => {
        const counted = counter.options.wrapStore?.(store) ?? store;
        const write: Store["write"] = async (...given) => {
          await sleep(world.time, 5);
          await counted.write(...given);
        };
        return { ...counted, write };
      },
    }),
  );
  const group = await alice.createGroup();
  await world.run(group.add(others));
  await world.time.advance(5000);
  counter.start();
  await world.run(group.add("bob"));
  await world.arrival(bob.client, group.id);
  await world.time.advance(5000);
  expect(counter.recordsWritten).toBeGreaterThan(41);
  expect(counter.writes).toBeLessThan(12);
});

test("the first message in an account of many conversations does not wait until all are looked after", async () => {
  const [world, counter] = [new World(), new Counter()];
  const device = world.device("alice");
  const [alice, bob] = [await device.open(), await world.client("bob")];
  const atAlice = await alice.client.createGroup();
  await world.run(atAlice.add("bob"));
  const heard = listen(await world.arrival(bob, atAlice.id));
  for (let count = 1; count < 60; count++) await alice.client.createGroup();
  await world.time.advance(5000);
  await alice.engine.close();
  const reopened = await device.open({
    wrapStore: (store) => {
      const counted = counter.options.wrapStore?.(store) ?? store;
      const read: Store["read"] = async (...given) => {
        if (counter.locks > 0) await sleep(world.time, 5);
        return counted.read(...given);
      };
      return { ...counted, read };
    },
  });
  await world.until(() => reopened.client.online);
  await world.run(again(reopened, atAlice).send("the first"));
  await world.until(() => heard.length === 1);
  // Its own turns, and those of the few that are looked after meanwhile.
  expect(counter.locks).toBeLessThan(20);
  await world.time.advance(5000);
  expect(counter.locks).toBeGreaterThanOrEqual(60);
});

test("an own Commit in a populated tree writes O(log N), and stores the Commit once", { timeout: 60_000 }, async () => {
  const sizes = [8, 64];
  const bytes: number[] = [];
  for (const size of sizes) {
    const { world, atAlice, sender } = await scene(size);
    // The first one after a join fills the own path.
    await world.run(atAlice.update());
    sender.start();
    await world.run(atAlice.update());
    bytes.push(sender.bytesWritten);
  }
  const [small = 0, large = 0] = bytes;
  expect(large).toBeLessThan(small * 4);
});
