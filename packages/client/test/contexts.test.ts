/** Several engines on one store, as tabs and workers of one account: one of them talks to the Delivery Service. */
import { sleep } from "@coppice/kit";
import { describe, expect, test } from "vitest";
import type { Conversation } from "@coppice/client";
import { again, deafStore, kinds, listen, names, pair, problems, states, texts, World, type Opened } from "./world.ts";

/** Calls that a context makes from now on. */
function callsOf({ delivery }: Opened): string[] {
  const calls: string[] = [];
  delivery.network.fault = ({ call, phase }) => {
    if (phase === "request") calls.push(call);
  };
  return calls;
}

/** Two tabs of Alice, of which the leading one will freeze when it writes next, its locks held. */
async function leaderToFreeze(seed: number) {
  const world = new World({ seed });
  const [device, bob] = [world.device("alice"), await world.client("bob")];
  let [armed, frozen] = [false, false];
  const leader: Opened = await device.open({
    wrapStore: (store) => ({
      ...store,
      write: async (writes) => {
        if (armed && !frozen && writes[0]?.partition.startsWith("conversation/") === true) {
          frozen = true;
          leader.freeze();
        }
        await store.write(writes);
      },
    }),
  });
  const other = await device.open();
  const atAlice = await leader.client.createGroup();
  await world.run(atAlice.add("bob"));
  const heard = listen(await world.arrival(bob, atAlice.id));
  await world.arrival(other.client, atAlice.id);
  await world.time.advance(10_000 + seed * 250);
  const freeze = (): (() => boolean) => {
    armed = true;
    return () => frozen;
  };
  return { world, other, freeze, atAlice, heard };
}

describe("two tabs of one account", () => {
  test("adversarial 36: both send at once: everything arrives once, and both have one history", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const tabs = [alice, await aliceDevice.open()];
    const heard = listen(atBob);
    const count = 150;
    const seqs = new Set<number>();
    await world.run(
      Promise.all(
        tabs.flatMap((tab, i) =>
          Array.from({ length: count }, async (_, n) => {
            seqs.add((await again(tab, atAlice).send(`${i}/${n}`)).seq);
          }),
        ),
      ),
    );
    expect(seqs.size).toBe(2 * count);
    await world.until(() => heard.length === 2 * count);
    expect(new Set(heard).size).toBe(2 * count);
    // Within each tab in order.
    for (const i of [0, 1]) {
      const own = heard.filter((text) => text.startsWith(`alice: ${i}/`));
      expect(own).toEqual(Array.from({ length: count }, (_, n) => `alice: ${i}/${n}`));
    }
    const conversations = tabs.map((tab) => again(tab, atAlice));
    const [first, second] = await Promise.all(conversations.map(texts));
    expect(first).toEqual(second);
    expect(first).toHaveLength(2 * count);
    expect((await kinds(atBob)).filter((kind) => kind.startsWith("ERR_"))).toEqual([]);
    await world.until(async () => (await states(atAlice)).every((state) => state === "sent"));
    await world.agree(...conversations, atBob);
  });

  test("each tab hears every message once, and sees what the other one does", async () => {
    const { world, aliceDevice, atAlice, atBob } = await pair();
    const other = again(await aliceDevice.open(), atAlice);
    const [one, two] = [listen(atAlice), listen(other)];
    const seen: string[] = [];
    other.on("item", (item) => seen.push(item.kind === "message" ? item.state : item.kind));
    await atBob.send("to all tabs");
    await world.until(() => one.length === 1 && two.length === 1);
    await atAlice.send("from one tab");
    await world.until(() => seen.at(-1) === "sent" && seen.length >= 3);
    expect(seen[1]).toBe("sending");
    expect(await texts(other)).toEqual(["to all tabs", "from one tab"]);
    await world.run(other.rename("Named in the other tab"));
    await world.until(() => atAlice.snapshot.title === "Named in the other tab");
    expect([one, two]).toEqual([["bob: to all tabs"], ["bob: to all tabs"]]);
    await world.agree(atAlice, other, atBob);
  });

  test("what is announced while a tab reads what came before is not missed", async () => {
    const { world, aliceDevice, atAlice, atBob } = await pair();
    let meanwhile: (() => Promise<unknown>) | undefined;
    const other = await aliceDevice.open({
      wrapStore: (store) => ({
        ...store,
        readChanges: async (...args) => {
          const changes = await store.readChanges(...args);
          await meanwhile?.();
          return changes;
        },
      }),
    });
    const heard = listen(again(other, atAlice));
    await world.time.advance(5000);
    meanwhile = async () => {
      meanwhile = undefined;
      await atBob.send("second");
      await world.until(async () => (await texts(atAlice)).includes("second"));
    };
    await atBob.send("first");
    await world.until(() => heard.length === 2);
  });

  test("a tab that follows many writes spends a third of its time on it, and misses nothing", async () => {
    const { world, aliceDevice, atAlice, atBob } = await pair();
    let reads = 0;
    const other = await aliceDevice.open({
      wrapStore: (store) => ({
        ...store,
        readChanges: async (...args) => {
          reads++;
          await sleep(world.time, 100);
          return store.readChanges(...args);
        },
      }),
    });
    const heard = listen(again(other, atAlice));
    await world.time.advance(5000);
    reads = 0;
    for (let index = 0; index < 100; index++) {
      await atBob.send(`${index}`);
      await world.time.advance(30);
    }
    await world.until(() => heard.length === 100);
    expect(reads).toBeLessThanOrEqual(3000 / 300 + 2);
    // Alone, each is read at once.
    await world.time.advance(5000);
    reads = 0;
    const began = world.time.elapsed();
    await atBob.send("alone");
    await world.until(() => heard.length === 101);
    expect([reads, world.time.elapsed() - began]).toEqual([1, 100]);
  });

  test("both commit at once", async () => {
    const { world, aliceDevice, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    const dave = await world.client("dave");
    const other = again(await aliceDevice.open(), atAlice);
    await world.run(Promise.all([atAlice.add(["carol"]), other.add(["dave"]), atBob.rename("Busy")]));
    const joined = [await world.arrival(carol, atAlice.id), await world.arrival(dave, atAlice.id)];
    await world.agree(atAlice, other, atBob, ...joined);
    expect(await names(atBob)).toEqual(["alice", "bob", "carol", "dave"]);
    expect(other.snapshot.title).toBe("Busy");
  });

  test("a conversation that one tab creates, joins or forgets appears and disappears in the other", async () => {
    const world = new World();
    const device = world.device("alice");
    const [one, two] = [await device.open(), await device.open()];
    const bob = await world.client("bob");
    const appeared: (string | undefined)[] = [];
    two.client.on("conversation", ({ invitedBy }) => appeared.push(invitedBy));
    const own = await one.client.createGroup();
    await world.arrival(two.client, own.id);
    const invited = await bob.createGroup();
    await world.run(invited.add(["alice"]));
    await world.arrival(one.client, invited.id);
    await world.arrival(two.client, invited.id);
    expect(appeared).toEqual([undefined, "bob"]);
    await own.forget();
    await world.until(() => two.client.conversation(own.id) === undefined);
    await world.agree(invited, again(one, invited), again(two, invited));
  });

  test("a tab that ends in the middle of a commit leaves it to the other", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const other = await aliceDevice.open();
    alice.delivery.network.fault = ({ call, phase }) => {
      if (call === "submitCommit" && phase === "request") alice.crash();
    };
    atAlice.rename("Inherited").catch(() => undefined);
    await world.until(() => atBob.snapshot.title === "Inherited");
    await world.agree(again(other, atAlice), atBob);
  });
});

describe("one leader", () => {
  test("one of four tabs talks to the Delivery Service, and all know whether it is online", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const others = [await aliceDevice.open(), await aliceDevice.open(), await aliceDevice.open()];
    await world.until(() => others.every(({ client }) => client.online));
    const calls = others.map(callsOf);
    const leading = callsOf(alice);
    const heard = listen(atBob);
    for (const tab of [alice, ...others]) await again(tab, atAlice).send("x");
    await world.until(() => heard.length === 4);
    await atBob.send("y");
    await world.until(() => others.every((tab) => again(tab, atAlice).snapshot.lastItem === 6));
    expect(calls).toEqual([[], [], []]);
    expect(leading.filter((call) => call !== "sendMessages")).toEqual([]);
    alice.delivery.network.reachable = false;
    await world.until(() => others.every(({ client }) => !client.online));
  });

  test("adversarial 45: a leader that is frozen while it posts is replaced within 5 s, and does no harm when it wakes", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    const other = await aliceDevice.open();
    const codes = problems(other.client);
    let wake: (() => void) | undefined;
    alice.delivery.network.fault = ({ call, phase }) => {
      if (call === "sendMessages" && phase === "reply") wake ??= alice.freeze();
    };
    await atAlice.send("by the first");
    await world.until(() => wake !== undefined);
    const began = world.time.elapsed();
    await world.run(again(other, atAlice).send("by the second"));
    await world.until(() => heard.length === 2);
    expect(world.time.elapsed() - began).toBeLessThan(5000);
    // The leader's lock, and the conversation's, which it holds for writing the answer down.
    expect(codes).toEqual(["ERR_CLIENT_WAITING", "ERR_CLIENT_WAITING"]);
    await world.time.advance(60_000);
    const leading = callsOf(alice);
    wake?.();
    await world.time.advance(10_000);
    expect(leading).toEqual([]);
    await atAlice.send("by the first again");
    await world.until(() => heard.length === 3);
    expect(heard).toEqual(["alice: by the first", "alice: by the second", "alice: by the first again"]);
    expect((await kinds(atBob)).filter((kind) => kind.startsWith("ERR_"))).toEqual([]);
    await world.until(async () => (await states(atAlice)).every((state) => state === "sent"));
    await world.agree(atAlice, again(other, atAlice), atBob);
  });

  test("adversarial 45: a tab that is frozen under the conversation's lock is passed by, with a word who it was", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    let wake: (() => void) | undefined;
    const other = await aliceDevice.open({
      wrapStore: (store) => ({
        ...store,
        write: async (writes) => {
          if (writes[0]?.partition.startsWith("conversation/") === true) wake ??= other.freeze();
          await store.write(writes);
        },
      }),
    });
    const told: unknown[] = [];
    alice.client.on("problem", ({ code, detail }) => told.push([code, detail["lock"]]));
    const frozen = again(other, atAlice).send("by the frozen one");
    await world.until(() => wake !== undefined);
    const began = world.time.elapsed();
    await world.run(atAlice.send("by the other"));
    expect(world.time.elapsed() - began).toBeLessThan(5000);
    expect(told).toEqual([["ERR_CLIENT_WAITING", `group:${atAlice.id}`]]);
    await world.until(() => heard.length === 1);
    wake?.();
    await world.run(frozen);
    await world.until(() => heard.length === 2);
    expect(new Set(heard)).toEqual(new Set(["alice: by the other", "alice: by the frozen one"]));
    await world.agree(atAlice, again(other, atAlice), atBob);
  });

  /** Calls of a tab beside one that stands still; each is done when it resolves, and what it sends has arrived. */
  const beside: Readonly<Record<string, (own: Conversation, tab: Opened) => Promise<unknown>>> = {
    send: (own) => own.send("x"),
    rename: (own) => own.rename("Named meanwhile"),
    update: (own) => own.update(),
    add: (own) => own.add("carol"),
    exportSecret: (own) => own.exportSecret("x", new Uint8Array(0), 16),
    leave: (own) => own.leave(),
    sync: (_, { client }) => client.sync(),
    createGroup: (_, { client }) => client.createGroup(),
    close: (_, { engine }) => engine.close(),
  };

  test.each(Object.keys(beside))(
    "adversarial 45: %s ends within 5 s beside a leader that is frozen under each lock there is",
    async (name) => {
      for (const seed of [1, 2, 3, 4]) {
        const { world, other, freeze, atAlice, heard } = await leaderToFreeze(seed);
        await world.client("carol");
        const isFrozen = freeze();
        void atAlice.send("never written").catch(() => undefined);
        await world.until(isFrozen);
        const began = world.time.elapsed();
        await world.run(Promise.resolve(beside[name]?.(again(other, atAlice), other)));
        if (name === "send") await world.until(() => heard.length === 1);
        expect(world.time.elapsed() - began).toBeLessThan(4500);
      }
    },
  );

  test("adversarial 45: what was left to a leader that then froze, under each lock there is, arrives within 5 s", async () => {
    for (const seed of [1, 2, 3, 4]) {
      const { world, other, freeze, atAlice, heard } = await leaderToFreeze(seed);
      const isFrozen = freeze();
      const began = world.time.elapsed();
      await again(other, atAlice).send("left to the leader");
      await world.until(isFrozen);
      await world.until(() => heard.length === 1);
      expect(world.time.elapsed() - began).toBeLessThan(5000);
    }
  });

  test("a follower that was frozen itself does not mistake that for the leader's silence", async () => {
    const { world, aliceDevice, alice, atAlice } = await pair();
    const other = await aliceDevice.open();
    const codes = problems(other.client);
    const wake = other.freeze();
    await world.time.advance(60_000);
    wake();
    await world.time.advance(20_000);
    expect(codes).toEqual([]);
    const calls = callsOf(alice);
    await again(other, atAlice).send("posted by the leader");
    await world.until(() => calls.includes("sendMessages"));
  });

  test("announcements are lost: a new leader sends what the tab before it left behind", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const heard = listen(atBob);
    const deaf = await aliceDevice.open({ wrapStore: deafStore });
    await again(deaf, atAlice).send("known to both");
    await world.until(() => heard.length === 1);
    alice.delivery.network.reachable = false;
    await atAlice.send("left behind");
    const created = await alice.client.createGroup();
    alice.crash();
    await world.until(() => heard.length === 2);
    expect(heard).toEqual(["alice: known to both", "alice: left behind"]);
    await world.arrival(deaf.client, created.id);
  });

  test("announcements are lost: a leader finds what other tabs left in its next round", async () => {
    const world = new World();
    const device = world.device("alice");
    const leader = await device.open({ wrapStore: deafStore });
    const bob = await world.client("bob");
    const group = await leader.client.createGroup();
    await world.run(group.add("bob"));
    const heard = listen(await world.arrival(bob, group.id));
    await group.send("one");
    await world.until(() => heard.length === 1);
    const other = await device.open();
    await again(other, group).send("two");
    const created = await other.client.createGroup();
    other.crash();
    await world.until(() => heard.length === 2, 700_000);
    await world.until(() => leader.client.conversation(created.id) !== undefined, 700_000);
    expect(heard).toEqual(["alice: one", "alice: two"]);
  });

  test("without peers, the next tab leads when the first one ends", async () => {
    const world = new World();
    const device = world.device("alice");
    const one = await device.open({ peers: undefined });
    const two = await device.open({ peers: undefined });
    const bob = await world.client("bob");
    const group = await one.client.createGroup();
    await world.run(group.add("bob"));
    const atBob = await world.arrival(bob, group.id);
    one.crash();
    const heard = listen(atBob);
    await again(two, group).send("still here");
    await world.until(() => heard.length === 1);
  });
});

describe("sessions of one engine", () => {
  test("each is told of every message once, also one that comes later", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const second = alice.engine.session();
    const other = second.conversation(atAlice.id);
    if (other === undefined) throw new Error("It is the same engine");
    const [one, two] = [listen(atAlice), listen(other)];
    await atBob.send("1");
    await world.until(() => one.length === 1 && two.length === 1);
    await second.close();
    await atBob.send("2");
    await world.until(() => one.length === 2);
    const third = alice.engine.session().conversation(atAlice.id);
    if (third === undefined) throw new Error("It is the same engine");
    const three = listen(third);
    await atBob.send("3");
    await world.until(() => one.length === 3 && three.length === 1);
    expect([one, two, three]).toEqual([["bob: 1", "bob: 2", "bob: 3"], ["bob: 1"], ["bob: 3"]]);
  });

  test("closing one leaves the engine and the others as they are; closing the engine ends all", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const second = alice.engine.session();
    await second.close();
    expect(() => second.conversation(atAlice.id)?.snapshot.epoch).not.toThrow();
    await expect(second.createGroup()).rejects.toMatchObject({ code: "ERR_CLIENT_CLOSED" });
    const heard = listen(atBob);
    await atAlice.send("still open");
    await world.until(() => heard.length === 1);
    await alice.engine.close();
    await expect(atAlice.send("x")).rejects.toMatchObject({ code: "ERR_CLIENT_CLOSED" });
    expect(() => alice.engine.session()).toThrow(expect.objectContaining({ code: "ERR_CLIENT_CLOSED" }));
  });

  test("a session's listener that throws is told to that session alone", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const second = alice.engine.session();
    const [one, two] = [problems(alice.client), problems(second)];
    second.conversation(atAlice.id)?.on("item", () => {
      throw new Error("mine");
    });
    await atBob.send("x");
    await world.until(() => two.length === 1);
    expect([one, two]).toEqual([[], ["ERR_CLIENT_LISTENER"]]);
  });
});
