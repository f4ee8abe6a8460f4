/** A process that is killed at any moment, and locks that do not lock. */
import type { Store } from "@coppice/storage";
import { describe, expect, test } from "vitest";
import { again, kinds, listen, pair, problems, texts, World, type Opened } from "./world.ts";

describe("adversarial 37: killed at any moment", () => {
  /** Kills alice at her `moment`-th write or call (before or after it), and lets her start again. */
  async function killAt(moment: number): Promise<boolean> {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    const heard = listen(atBob);
    alice.crash();

    let steps = 0;
    const victims: Opened[] = [];
    const step = (): void => {
      if (++steps === moment) victims[0]?.crash();
    };
    const wrapStore = (store: Store): Store => ({
      ...store,
      write: async (...args) => {
        step();
        await store.write(...args);
        step();
      },
    });
    const victim = await aliceDevice.open({ wrapStore });
    victims.push(victim);
    victim.delivery.network.fault = step;
    const conversation = again(victim, atAlice);
    const stored: string[] = [];
    let ended = false;
    const work = (async () => {
      for (const text of ["1", "2"]) {
        await conversation.send(text);
        stored.push(text);
      }
      await conversation.add("carol");
      await conversation.send("3");
      stored.push("3");
      await conversation.rename("Named");
      await victim.client.sync();
    })();
    work.then(
      () => (ended = true),
      () => undefined,
    );
    await world.until(() => ended || steps >= moment);
    const died = !ended;
    victim.crash();

    const survivor = await aliceDevice.open();
    const codes = problems(survivor.client);
    const restored = again(survivor, atAlice);
    await restored.send("after");
    await world.until(() => heard.includes("alice: after"));
    await world.agree(restored, atBob);
    // What was promised has arrived; what was not may have; nothing twice, all in order.
    const arrived = heard.map((text) => text.replace("alice: ", ""));
    expect([...new Set(arrived)]).toEqual(arrived);
    expect([...arrived].sort((a, b) => (a === "after" ? 1 : b === "after" ? -1 : a < b ? -1 : 1))).toEqual(arrived);
    expect(arrived).toEqual(expect.arrayContaining(stored));
    expect(await texts(restored)).toEqual(arrived);
    for (const side of [restored, atBob]) {
      expect((await kinds(side)).filter((kind) => kind.startsWith("ERR_") || kind === "gap")).toEqual([]);
    }
    expect(codes).toEqual([]);
    if (restored.snapshot.memberCount === 3) {
      await world.agree(restored, atBob, await world.arrival(carol, restored.id));
    }
    return died;
  }

  for (let moment = 1; moment <= 48; moment++) {
    test(`at step ${moment}`, async () => {
      await killAt(moment);
    });
  }

  test("the story is shorter than the moments tried", async () => {
    await expect(killAt(49)).resolves.toBe(false);
  });
});

describe("locks that do not lock", () => {
  const lockless = (store: Store): Store => ({
    ...store,
    exclusive: (name, task, options) =>
      name === "leader" ? store.exclusive(name, task, options) : task(new AbortController().signal),
  });

  test("adversarial 11: the compare-and-swap alone keeps two contexts from using a key twice", async () => {
    const world = new World();
    const device = world.device("alice");
    const bob = await world.client("bob");
    const one = await device.open({ wrapStore: lockless });
    const group = await one.client.createGroup();
    await world.run(group.add(["bob"]));
    const atBob = await world.arrival(bob, group.id);
    const two = await device.open({ wrapStore: lockless });
    const heard = listen(atBob);
    const count = 30;
    await world.run(
      Promise.all(
        [one, two].flatMap((tab, i) => Array.from({ length: count }, (_, n) => again(tab, group).send(`${i}/${n}`))),
      ),
    );
    await world.until(() => heard.length === 2 * count);
    expect(new Set(heard).size).toBe(2 * count);
    expect((await kinds(atBob)).filter((kind) => kind.startsWith("ERR_"))).toEqual([]);
    await world.agree(again(one, group), again(two, group), atBob);
  });

  test("adversarial 11: so it does where both think that they lead", async () => {
    const world = new World();
    const device = world.device("alice");
    const bob = await world.client("bob");
    const unlocked = (store: Store): Store => ({
      ...store,
      exclusive: (_name, task) => task(new AbortController().signal),
    });
    const one = await device.open({ wrapStore: unlocked });
    const group = await one.client.createGroup();
    await world.run(group.add(["bob"]));
    const atBob = await world.arrival(bob, group.id);
    const two = await device.open({ wrapStore: unlocked });
    const heard = listen(atBob);
    const count = 30;
    await world.run(
      Promise.all(
        [one, two].flatMap((tab, i) => Array.from({ length: count }, (_, n) => again(tab, group).send(`${i}/${n}`))),
      ),
    );
    await world.until(() => heard.length === 2 * count);
    expect(new Set(heard).size).toBe(2 * count);
    expect((await kinds(atBob)).filter((kind) => kind.startsWith("ERR_"))).toEqual([]);
    await world.agree(again(one, group), again(two, group), atBob);
  });
});
