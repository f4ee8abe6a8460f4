/** Coming back: from a restored profile, a log that was restored, a state that cannot follow, and damaged records. */
import { fromHex } from "@coppice/core";
import type { DeliveryService } from "@coppice/delivery";
import { CoppiceError } from "@coppice/kit";
import type { Store } from "@coppice/storage";
import { describe, expect, test } from "vitest";
import { outsider } from "./outsider.ts";
import {
  again,
  Device,
  kinds,
  listen,
  members,
  names,
  pair,
  problems,
  states,
  texts,
  World,
  type Pair,
} from "./world.ts";

/** A copy of what is stored on a device. */
async function copyOf(device: Device): Promise<Device> {
  const copy = new Device(device.world, device.name);
  const [from, to] = [device.store(), copy.store()];
  for (const partition of (await from.partitions()).names) {
    const { records } = await from.read(partition, [{ prefix: "" }]);
    await to.write([{ partition, expectedVersion: 0, put: records }]);
  }
  return copy;
}

describe("a restored profile", () => {
  test("adversarial 48: it stops before a key is used twice, says so, and comes back under new keys", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    const copy = await copyOf(aliceDevice);
    await atAlice.send("before the restore");
    await world.until(async () => (await states(atAlice))[0] === "sent");
    await alice.engine.close();

    const calls: string[] = [];
    const restored = await copy.open();
    restored.delivery.network.fault = ({ call, phase }) => {
      if (phase === "request") calls.push(call);
    };
    const codes = problems(restored.client);
    const conversation = again(restored, atAlice);
    const seen: string[] = [];
    conversation.on("change", ({ status }) => seen.push(status));
    await conversation.send("after the restore");
    await world.until(() => heard.length === 2);
    expect(heard).toEqual(["alice: before the restore", "alice: after the restore"]);
    expect(codes).toEqual(["ERR_CLIENT_ROLLED_BACK"]);
    expect(seen).toContain("recovering");
    // It joined again before it sent anything.
    expect(calls.filter((call) => call === "sendMessages" || call === "submitCommit")).toEqual([
      "submitCommit",
      "sendMessages",
    ]);
    expect((await kinds(atBob)).filter((kind) => kind.startsWith("ERR_"))).toEqual([]);
    expect((await conversation.history()).find(({ kind }) => kind === "gap")).toMatchObject({
      problem: "ERR_CLIENT_ROLLED_BACK",
    });
    await world.agree(conversation, atBob);
    expect(await names(atBob)).toEqual(["alice", "bob"]);
    expect(atBob.snapshot.memberCount).toBe(2);
  });

  test("it reads first what the old state can read: what others wrote, and what it wrote itself", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    const copy = await copyOf(aliceDevice);
    await atAlice.send("by alice");
    await world.until(() => heard.length === 1);
    await atBob.send("by bob");
    await world.run(atBob.rename("Later"));
    await atBob.send("by bob, in the next epoch");
    await world.until(async () => (await texts(atAlice)).length === 3);
    await alice.engine.close();

    const restored = await copy.open();
    const conversation = again(restored, atAlice);
    await world.until(() => conversation.snapshot.status === "active" && conversation.snapshot.epoch === 3n);
    expect(await texts(conversation)).toEqual(["by alice", "by bob", "by bob, in the next epoch"]);
    expect(await states(conversation)).toEqual(["sent"]);
    await world.agree(conversation, atBob);
  });

  test("as far as an own Commit, which the old state cannot follow", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const copy = await copyOf(aliceDevice);
    await atBob.send("before");
    await world.until(async () => (await texts(atAlice)).length === 1);
    await world.run(atAlice.update());
    await atBob.send("after");
    await world.until(async () => (await texts(atAlice)).length === 2);
    await alice.engine.close();
    const restored = await copy.open();
    const conversation = again(restored, atAlice);
    await world.until(() => conversation.snapshot.status === "active" && conversation.snapshot.epoch === 3n);
    expect(await texts(conversation)).toEqual(["before"]);
    expect((await kinds(conversation)).filter((kind) => kind.startsWith("ERR_MLS"))).toEqual([]);
    await world.agree(conversation, atBob);
  });

  test("what waited when the copy was made, and was sent since, is there once, as sent", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    alice.delivery.network.reachable = false;
    await atAlice.send("written offline");
    const copy = await copyOf(aliceDevice);
    alice.delivery.network.reachable = true;
    await world.until(() => heard.length === 1);
    await alice.engine.close();
    const restored = await copy.open();
    const conversation = again(restored, atAlice);
    await conversation.send("after the restore");
    await world.until(() => heard.length > 1);
    await world.agree(conversation, atBob);
    expect(heard).toEqual(["alice: written offline", "alice: after the restore"]);
    expect(await texts(conversation)).toEqual(["written offline", "after the restore"]);
    await world.until(async () => (await states(conversation)).every((state) => state === "sent"));
  });

  test("what others write while it joins again is read too", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const copy = await copyOf(aliceDevice);
    await atAlice.send("before");
    await world.until(async () => (await texts(atBob)).length === 1);
    await alice.engine.close();
    const restored = await copy.open();
    let isSent = false;
    restored.delivery.network.fault = async ({ call, phase }) => {
      if (call !== "submitCommit" || phase !== "request" || isSent) return;
      isSent = true;
      await atBob.send("meanwhile");
      await world.until(async () => (await states(atBob)).join() === "sent");
    };
    const conversation = again(restored, atAlice);
    await world.until(() => conversation.snapshot.status === "active" && conversation.snapshot.epoch === 2n);
    await world.agree(conversation, atBob);
    expect(await texts(conversation)).toEqual(["before", "meanwhile"]);
  });

  test("what is found out in one conversation stops all others, and they come back too", async () => {
    const { world, aliceDevice, alice, bob, atAlice, atBob } = await pair();
    const second = await alice.client.createGroup();
    await world.run(second.add("bob"));
    const atBobToo = await world.arrival(bob.client, second.id);
    const copy = await copyOf(aliceDevice);
    await atAlice.send("only here");
    await world.until(async () => (await states(atAlice))[0] === "sent");
    await alice.engine.close();
    const restored = await copy.open();
    await world.until(() => again(restored, atAlice).snapshot.epoch === 2n);
    const [one, two] = [again(restored, atAlice), again(restored, second)];
    await world.until(() => two.snapshot.epoch === 2n && two.snapshot.status === "active");
    await world.agree(one, atBob);
    await world.agree(two, atBobToo);
    const heard = listen(atBobToo);
    await two.send("here as well");
    await world.until(() => heard.length === 1);
  });

  test("an own Commit that was never made here is noticed like an own message", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const copy = await copyOf(aliceDevice);
    await world.run(atAlice.rename("Renamed"));
    await alice.engine.close();
    const restored = await copy.open();
    const codes = problems(restored.client);
    const conversation = again(restored, atAlice);
    await world.until(() => conversation.snapshot.epoch === 3n);
    expect(codes).toEqual(["ERR_CLIENT_ROLLED_BACK"]);
    await world.agree(conversation, atBob);
    expect(conversation.snapshot.title).toBe("Renamed");
  });

  test("offline, messages queue; nothing leaves before the log was read", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    const copy = await copyOf(aliceDevice);
    await atAlice.send("1");
    await world.until(() => heard.length === 1);
    await alice.engine.close();
    world.service.network.reachable = false;
    const restored = await copy.open();
    await again(restored, atAlice).send("2");
    world.service.network.reachable = true;
    await world.until(() => heard.length === 2);
    expect(heard).toEqual(["alice: 1", "alice: 2"]);
    await world.agree(again(restored, atAlice), atBob);
  });
});

/** Shows this device another commit than the others, once. */
function spoiling(): (service: DeliveryService) => DeliveryService {
  let spoilt = false;
  return (service) => ({
    ...service,
    readLog: async (query, options) => {
      const page = await service.readLog(query, options);
      if (spoilt || page.entries.length === 0) return page;
      spoilt = true;
      return { ...page, entries: page.entries.map((entry) => ({ ...entry, message: Uint8Array.of(9) })) };
    },
  });
}

/** Bob, who cannot follow the group any more. */
async function broken(scene: Pair) {
  const { world, bobDevice, bob, atAlice, atBob } = scene;
  bob.crash();
  await world.run(atAlice.update());
  const reopened = await bobDevice.open({ wrap: spoiling() });
  const conversation = again(reopened, atBob);
  await world.until(() => conversation.snapshot.status === "broken");
  return { reopened, conversation };
}

describe("a state that cannot follow", () => {
  test("rejoin replaces the leaf, keeps the history, says what is missing, and sends what waited once", async () => {
    const scene = await pair();
    const { world, atAlice, atBob, bob } = scene;
    await atAlice.send("before");
    await world.until(() => atBob.snapshot.lastItem === 2);
    bob.delivery.network.reachable = false;
    await world.until(() => !bob.client.online);
    await atBob.send("waiting");
    const { conversation } = await broken(scene);
    const heard = listen(atAlice);
    await world.run(conversation.rejoin());
    await world.agree(atAlice, conversation);
    await world.until(() => heard.length === 1);
    expect(heard).toEqual(["bob: waiting"]);
    expect(await kinds(conversation)).toEqual(["change", "message", "message", "gap"]);
    expect((await conversation.history()).at(-1)).toMatchObject({ problem: "ERR_MLS_DECODE" });
    expect(await members(atAlice)).toMatchObject([{ user: "alice" }, { user: "bob", devices: [{}] }]);
    await atAlice.send("after");
    await world.until(async () => (await texts(conversation)).includes("after"));
  });

  test("rejoin of an active conversation does nothing, of one that was removed it is refused", async () => {
    const { world, atAlice, atBob } = await pair();
    const { epoch } = atBob.snapshot;
    await atBob.rejoin();
    expect(atBob.snapshot.epoch).toBe(epoch);
    await world.run(atAlice.remove("bob"));
    await world.until(() => atBob.snapshot.status === "removed");
    await expect(atBob.rejoin()).rejects.toMatchObject({ code: "ERR_CLIENT_NOT_ACTIVE" });
  });

  test("a GroupInfo of another epoch or group is refused, and nothing has changed", async () => {
    const scene = await pair();
    const { world, alice, bobDevice } = scene;
    const { reopened, conversation } = await broken(scene);
    reopened.crash();
    const other = await alice.client.createGroup();
    await world.run(alice.client.sync());
    const foreign = await alice.delivery.readGroupInfo(fromHex(other.id));
    for (const forge of [{ groupInfo: foreign.groupInfo }, { epoch: 7n }, { groupInfo: Uint8Array.of(1, 2, 3) }]) {
      const opened = await bobDevice.open({
        wrap: (service) => ({
          ...service,
          readGroupInfo: async (...args) => ({ ...(await service.readGroupInfo(...args)), ...forge }),
        }),
      });
      const attempt = world.run(again(opened, conversation).rejoin());
      await expect(attempt).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_MLS_(GROUP_INFO|VERSION|DECODE)$/) as unknown,
      });
      expect(again(opened, conversation).snapshot.status).toBe("broken");
      opened.crash();
    }
  });

  test("others win while one joins again: it is tried anew", async () => {
    const scene = await pair();
    const { world, atAlice } = scene;
    const { reopened, conversation } = await broken(scene);
    let conflicts = 2;
    reopened.delivery.network.fault = async ({ call, phase }) => {
      if (call === "submitCommit" && phase === "request" && conflicts-- > 0) await atAlice.update();
    };
    await world.run(conversation.rejoin());
    await world.agree(atAlice, conversation);
  });
});

describe("a log that was restored", () => {
  test("all say so, join again and go on; what was sent and lost is not shown twice", async () => {
    const { world, alice, bob, atAlice, atBob } = await pair();
    const snapshot = await world.service.snapshot();
    const codes = [problems(alice.client), problems(bob.client)];
    const heard = listen(atBob);
    await atAlice.send("lost by the server");
    await world.until(() => heard.length === 1);
    await world.service.restore(snapshot);
    await atAlice.send("after the restore");
    await world.until(() => heard.length === 2);
    expect(heard).toEqual(["alice: lost by the server", "alice: after the restore"]);
    await world.agree(atAlice, atBob);
    expect(codes).toEqual([["ERR_CLIENT_LOG_CHANGED"], ["ERR_CLIENT_LOG_CHANGED"]]);
    expect(atAlice.snapshot.epoch).toBe(1n);
  });

  test("where Commits were lost, all join again by external Commits, and know what may be missing", async () => {
    const { world, alice, bob, atAlice, atBob } = await pair();
    const snapshot = await world.service.snapshot();
    const codes = [problems(alice.client), problems(bob.client)];
    await world.run(atAlice.rename("Lost"));
    await world.agree(atAlice, atBob);
    await world.service.restore(snapshot);
    await world.until(() => [atAlice, atBob].every(({ snapshot: { epoch } }) => epoch === 3n));
    await world.agree(atAlice, atBob);
    const heard = listen(atBob);
    await atAlice.send("after the restore");
    await world.until(() => heard.length === 1);
    expect(codes).toEqual([["ERR_CLIENT_LOG_CHANGED"], ["ERR_CLIENT_LOG_CHANGED"]]);
    for (const conversation of [atAlice, atBob]) expect(await kinds(conversation)).toContain("gap");
    expect(atAlice.snapshot.title).toBe("");
  });

  test("an older state in which somebody is back is not joined unless a person says so", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    await world.run(atAlice.add("carol"));
    const atCarol = await world.arrival(carol, atAlice.id);
    await world.agree(atAlice, atBob, atCarol);
    const snapshot = await world.service.snapshot();
    await world.run(atAlice.remove("carol"));
    await world.agree(atAlice, atBob);
    const codes = problems(alice.client);
    await world.service.restore(snapshot);
    await world.until(() => atAlice.snapshot.status === "broken");
    expect(atAlice.snapshot.problem).toBe("ERR_CLIENT_LOG_CHANGED");
    expect(codes).toEqual(["ERR_CLIENT_LOG_CHANGED", "ERR_CLIENT_LOG_CHANGED"]);
    await world.run(atAlice.rejoin());
    expect(await names(atAlice)).toEqual(["alice", "bob", "carol"]);
  });

  test("a group that does not exist any more is broken, and others are not touched", async () => {
    const world = new World();
    const alice = await world.device("alice").open();
    const snapshot = await world.service.snapshot();
    const group = await alice.client.createGroup();
    await world.run(alice.client.sync());
    await world.service.restore(snapshot);
    await world.until(() => group.snapshot.status === "broken");
    expect(group.snapshot.problem).toMatch(/^ERR_DS_/);
    const other = await alice.client.createGroup();
    await world.run(other.rename("Fine"));
  });
});

/** A store in which records were changed by someone else. */
function damaging(store: Store, isDamaged: (partition: string, name: string) => boolean): Store {
  return {
    ...store,
    read: async (partition, ranges, options) => {
      const snapshot = await store.read(partition, ranges, options);
      const damaged = [...snapshot.records.keys()].filter((name) => isDamaged(partition, name));
      const records = new Map([...snapshot.records].filter(([name]) => !damaged.includes(name)));
      return { ...snapshot, records, damaged };
    },
  };
}

const unreachable = (): CoppiceError => new CoppiceError("ERR_DS_UNREACHABLE", "The answer is lost");

/** A store in which these records of a conversation are damaged until its group is written anew: that is sound. */
function damagedUntilReplaced(id: string, record: string): (store: Store) => Store {
  let isDamaged = true;
  return (store) => ({
    ...damaging(store, (partition, name) => isDamaged && partition.endsWith(id) && name.startsWith(record)),
    write: async (writes, options) => {
      await store.write(writes, options);
      if (writes.some(({ put }) => put?.has("group/state") === true)) isDamaged = false;
    },
  });
}

describe("damaged records", () => {
  test.each(["summary", "group/state", "outbox/"])(
    "adversarial 47: a damaged %s costs one conversation; the others work, and rejoin repairs it",
    async (record) => {
      const { world, aliceDevice, alice, bob, atAlice, atBob } = await pair();
      const second = await alice.client.createGroup();
      await world.run(second.add("bob"));
      const atBobToo = await world.arrival(bob.client, second.id);
      await atAlice.send("kept");
      await world.until(async () => (await states(atAlice))[0] === "sent");
      alice.delivery.network.reachable = false;
      await world.until(() => !alice.client.online);
      await atAlice.send("on its way");
      await alice.engine.close();
      const opened = await aliceDevice.open({ wrapStore: damagedUntilReplaced(atAlice.id, record) });
      const codes = problems(opened.client);
      const conversation = again(opened, atAlice);
      await world.until(() => conversation.snapshot.status === "damaged");
      await world.until(() => codes.length === 1);
      expect(codes).toEqual(["ERR_STORE_CORRUPT"]);
      await expect(conversation.send("x")).rejects.toMatchObject({
        code: "ERR_CLIENT_NOT_ACTIVE",
        detail: { status: "damaged" },
      });
      expect(await texts(conversation)).toContain("kept");
      const heard = [listen(atBob), listen(atBobToo)];
      await again(opened, second).send("works");
      await world.until(() => heard[1]?.length === 1);
      await world.run(conversation.rejoin());
      await world.agree(conversation, atBob);
      await conversation.send("repaired");
      await world.until(() => heard[0]?.includes("alice: repaired") === true);
      const own = await states(conversation);
      // The outbox entry itself may be lost: then the application decides about its message.
      expect(own.every((state) => state === "sent" || (record === "outbox/" && state === "failed"))).toBe(true);
    },
  );

  test.each(["summary", "group/state", "outbox/"])(
    "rejoin repairs a damaged %s at once, whatever found the damage",
    async (record) => {
      const { world, aliceDevice, alice, atAlice, atBob } = await pair();
      alice.delivery.network.reachable = false;
      await world.until(() => !alice.client.online);
      await atAlice.send("on its way");
      await alice.engine.close();
      const opened = await aliceDevice.open({ wrapStore: damagedUntilReplaced(atAlice.id, record) });
      const conversation = again(opened, atAlice);
      await world.until(() => conversation.snapshot.status === "damaged");
      await world.run(conversation.rejoin());
      expect(conversation.snapshot.status).toBe("active");
      await world.agree(conversation, atBob);
    },
  );

  test("a message whose answer was lost is shown once after a rejoin, however long ago it arrived", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    alice.crash();
    const lossy = await aliceDevice.open({
      wrap: (service) => ({
        ...service,
        sendMessages: async (batch) => {
          await service.sendMessages(batch);
          throw unreachable();
        },
      }),
    });
    await again(lossy, atAlice).send("once");
    await world.until(async () => (await texts(atBob)).includes("once"));
    lossy.crash();
    for (let i = 0; i < 600; i++) await atBob.send("between");
    await world.until(async () => (await states(atBob)).every((state) => state === "sent"));
    const repaired = await aliceDevice.open({ wrapStore: damagedUntilReplaced(atAlice.id, "group/state") });
    const conversation = again(repaired, atAlice);
    await world.until(() => conversation.snapshot.status === "damaged");
    await world.run(conversation.rejoin());
    await world.until(async () => (await states(conversation)).join() === "sent");
    await world.agree(conversation, atBob);
    await conversation.send("last");
    await world.until(async () => (await texts(atBob)).includes("last"));
    expect((await texts(atBob)).filter((text) => text === "once")).toHaveLength(1);
  });

  test("messages whose first request arrives after a rejoin are shown once, however many they are", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    alice.delivery.network.reachable = false;
    await world.until(() => !alice.client.online);
    const written = Array.from({ length: 40 }, (_, i) => `message ${i}`);
    for (const text of written) await atAlice.send(text);
    await alice.engine.close();
    let arrive: (() => Promise<unknown>) | undefined;
    const slow = await aliceDevice.open({
      wrap: (service) => ({
        ...service,
        sendMessages: (batch) => {
          arrive ??= () => service.sendMessages(batch);
          return Promise.reject(unreachable());
        },
      }),
    });
    await world.until(() => arrive);
    slow.crash();
    const repaired = await aliceDevice.open({ wrapStore: damagedUntilReplaced(atAlice.id, "summary") });
    const conversation = again(repaired, atAlice);
    await world.run(conversation.rejoin());
    await world.until(async () => (await texts(atBob)).length === written.length);
    slow.delivery.network.reachable = true;
    await arrive?.();
    await conversation.send("last");
    await world.until(async () => (await texts(atBob)).includes("last"));
    expect(await texts(atBob)).toEqual([...written, "last"]);
  });

  test.each(["stays damaged", "is forgotten"])(
    "a last-resort Welcome that was not acknowledged is not used again when what it led to %s",
    async (fate) => {
      const world = new World();
      const device = world.device("bob");
      await (await device.open()).engine.close();
      const zoe = await outsider(world, "zoe");
      for (let i = 0; i < 5; i++) await zoe.delivery.claimKeyPackages(["bob"]);
      const wrap = (service: DeliveryService): DeliveryService => ({
        ...service,
        countKeyPackages: () => Promise.resolve(100),
        acknowledgeInbox: () => Promise.reject(unreachable()),
      });
      const group = await (await world.client("alice")).createGroup();
      const bob = await device.open({ wrap });
      await world.run(group.add("bob"));
      await (await world.arrival(bob.client, group.id)).send("first");
      await world.until(async () => (await texts(group)).length === 1);
      bob.crash();
      let reads = 0;
      const opened = await device.open({
        wrap: (service) => ({
          ...wrap(service),
          readInbox: async (...args) => {
            const entries = await service.readInbox(...args);
            reads += entries.length;
            return entries;
          },
        }),
        wrapStore: damagedUntilReplaced(group.id, "summary"),
      });
      const codes = problems(opened.client);
      const isForgotten = fate === "is forgotten";
      await world.until(() => codes.length > 0);
      if (isForgotten) await world.run(again(opened, group).forget());
      const before = reads;
      await world.until(() => reads >= before + 3);
      expect(codes).toEqual(["ERR_STORE_CORRUPT"]);
      expect(opened.client.conversations.map(({ snapshot }) => snapshot.status)).toEqual(
        isForgotten ? [] : ["damaged"],
      );
    },
  );

  test("adversarial 47: a damaged conversation can be forgotten", async () => {
    const { world, aliceDevice, alice, atAlice } = await pair();
    await alice.engine.close();
    const opened = await aliceDevice.open({
      wrapStore: (store) => damaging(store, (partition, name) => partition.endsWith(atAlice.id) && name === "summary"),
    });
    await world.run(again(opened, atAlice).forget());
    expect(opened.client.conversations).toEqual([]);
    expect((await aliceDevice.store().partitions()).names).toEqual(["account"]);
  });

  test("adversarial 47: a damaged item, pin or key package costs only itself", async () => {
    const { world, aliceDevice, alice, bob, atAlice, atBob } = await pair();
    await atBob.send("1");
    await atBob.send("2");
    await world.until(async () => (await texts(atAlice)).length === 2);
    await alice.engine.close();
    const opened = await aliceDevice.open({
      wrapStore: (store) =>
        damaging(
          store,
          (_partition, name) => /^item\/0*2$/.test(name) || /^key-package\/0*2$/.test(name) || name.startsWith("pin/"),
        ),
    });
    const codes = problems(opened.client);
    const conversation = again(opened, atAlice);
    expect(await texts(conversation)).toEqual(["2"]);
    await conversation.send("3");
    await world.until(async () => (await texts(atBob)).length === 3);
    // Pins are fetched again.
    const other = await bob.client.createGroup();
    await world.run(other.add("alice"));
    await world.agree(other, await world.arrival(opened.client, other.id));
    expect(codes).toEqual([]);
  });

  test.each(["send", "update"] as const)(
    "adversarial 48: own ratchets that were set back by themselves are damage, found before a key is used twice (%s)",
    async (call) => {
      const { world, aliceDevice, alice, atAlice, atBob } = await pair();
      const store = aliceDevice.store();
      const partition = `conversation/${atAlice.id}`;
      await atAlice.send("one");
      await world.until(async () => (await texts(atBob)).length === 1);
      const { records: ratchets } = await store.read(partition, [{ prefix: "group/ratchet/" }]);
      await atAlice.send("two");
      await world.until(async () => (await texts(atBob)).length === 2);
      await world.time.advance(2000);
      await alice.engine.close();
      const { version } = await store.read(partition, [{ prefix: "summary" }]);
      await store.write([{ partition, expectedVersion: version, put: ratchets }]);
      const opened = await aliceDevice.open();
      const told = problems(opened.client);
      const conversation = again(opened, atAlice);
      // A message is taken over, and waits.
      if (call === "send") await conversation.send("three");
      else await expect(world.run(conversation.update())).rejects.toMatchObject({ code: "ERR_STORE_CORRUPT" });
      await world.until(() => conversation.snapshot.status === "damaged");
      expect(told).toContain("ERR_STORE_CORRUPT");
      expect(await texts(atBob)).toEqual(["one", "two"]);
      await world.run(conversation.rejoin());
      await conversation.send("four");
      await world.until(async () => (await texts(atBob)).includes("four"));
      expect(await texts(atBob)).toEqual(["one", "two", ...(call === "send" ? ["three"] : []), "four"]);
      await world.agree(conversation, atBob);
    },
  );

  test("adversarial 48: a group that was set back over an epoch by itself is damage", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    const store = bobDevice.store();
    const partition = `conversation/${atBob.id}`;
    const { records: old } = await store.read(partition, [{ prefix: "group/" }]);
    await world.run(atBob.send("one"));
    await world.until(async () => (await texts(atAlice)).length === 1);
    await world.run(atAlice.update());
    await world.agree(atAlice, atBob);
    await world.time.advance(5000);
    bob.crash();
    const { version, records: now } = await store.read(partition, [{ prefix: "group/" }]);
    const gone = [...now.keys()].filter((name) => !old.has(name));
    await store.write([{ partition, expectedVersion: version, put: old, delete: gone }]);
    const conversation = again(await bobDevice.open(), atBob);
    await conversation.send("two");
    await world.until(() => conversation.snapshot.status === "damaged");
    expect(await texts(atAlice)).toEqual(["one"]);
    await world.run(conversation.rejoin());
    await world.until(async () => (await texts(atAlice)).length === 2);
    expect(await texts(atAlice)).toEqual(["one", "two"]);
  });

  test("a damaged item of a message that waits to be sent is failed, and told; those after it are sent", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    alice.delivery.network.reachable = false;
    await world.until(() => !alice.client.online);
    const { seq } = await atAlice.send("lost");
    await atAlice.send("kept");
    await alice.engine.close();
    let isDamaged = true;
    const opened = await aliceDevice.open({
      wrapStore: (store) => ({
        ...damaging(
          store,
          (_partition, name) => isDamaged && name.startsWith("item/") && Number.parseInt(name.slice(5), 16) === seq,
        ),
        write: async (writes, options) => {
          await store.write(writes, options);
          if (writes.some(({ put }) => [...(put?.keys() ?? [])].some((name) => name.startsWith("item/"))))
            isDamaged = false;
        },
      }),
    });
    const told: unknown[] = [];
    opened.client.on("problem", ({ code, conversation, detail }) => told.push([code, conversation, detail["seq"]]));
    const conversation = again(opened, atAlice);
    await world.until(async () => (await texts(atBob)).length === 1);
    expect(await texts(atBob)).toEqual(["kept"]);
    await world.until(async () => (await states(conversation)).join() === "failed,sent");
    expect(told).toEqual([["ERR_STORE_CORRUPT", atAlice.id, seq]]);
    await expect(conversation.resend(seq)).rejects.toMatchObject({ code: "ERR_STORE_CORRUPT", detail: { seq } });
    await conversation.discard(seq);
    expect(await texts(conversation)).toEqual(["kept"]);
  });
});
