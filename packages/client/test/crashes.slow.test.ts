/** A process that is killed at any moment, and locks that do not lock. */
import type { Store } from "@coppice/storage";
import { describe, expect, test } from "vitest";
import { again, agree, arrival, listen, pair, problems, texts, until, World, type Opened } from "./world.ts";

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
    const work = (async () => {
      for (const text of ["1", "2"]) {
        await conversation.send(text);
        stored.push(text);
      }
      await conversation.add(["carol"]);
      await conversation.send("3");
      stored.push("3");
      await conversation.rename("Named");
      await victim.client.sync();
    })();
    const died = await Promise.race([
      work.then(
        () => false,
        () => true,
      ),
      until(() => steps >= moment, "the moment comes").then(() => true),
    ]);

    const survivor = await aliceDevice.open();
    const codes = problems(survivor.client);
    const restored = again(survivor, atAlice);
    await restored.send("after");
    await until(() => heard.includes("alice: after"));
    await agree(restored, atBob);
    // What was promised has arrived; what was not may have; nothing twice, all in order.
    const arrived = heard.map((text) => text.replace("alice: ", ""));
    expect([...new Set(arrived)]).toEqual(arrived);
    expect([...arrived].sort((a, b) => (a === "after" ? 1 : b === "after" ? -1 : a < b ? -1 : 1))).toEqual(arrived);
    expect(arrived).toEqual(expect.arrayContaining(stored));
    expect(await texts(restored)).toEqual(arrived);
    const damaged = [...(await atBob.history()), ...(await restored.history())].filter(
      (i) => i.kind === "undecryptable",
    );
    expect(damaged).toEqual([]);
    expect(codes).toEqual([]);
    const added = restored.snapshot.members.length === 3;
    if (added) await agree(restored, atBob, await arrival(carol, restored.id));
    return died;
  }

  for (let moment = 1; moment <= 40; moment++) {
    test(`at step ${moment}`, async () => {
      await killAt(moment);
    });
  }

  test("the story is shorter than the moments tried", async () => {
    await expect(killAt(1000)).resolves.toBe(false);
  });
});

describe("locks that do not lock", () => {
  const lockless = (store: Store): Store => ({ ...store, exclusive: (_name, task) => task() });

  test("adversarial 11: the compare-and-swap alone keeps two contexts from using a key twice", async () => {
    const world = new World();
    const device = world.device("alice");
    const bob = await world.client("bob");
    const one = await device.open({ wrapStore: lockless });
    const group = await one.client.createGroup();
    await group.add(["bob"]);
    const atBob = await arrival(bob, group.id);
    const two = await device.open({ wrapStore: lockless });
    const heard = listen(atBob);
    const count = 30;
    await Promise.all(
      [one, two].flatMap((tab, i) => Array.from({ length: count }, (_, n) => again(tab, group).send(`${i}/${n}`))),
    );
    await until(() => heard.length === 2 * count);
    expect(new Set(heard).size).toBe(2 * count);
    expect((await atBob.history()).filter(({ kind }) => kind === "undecryptable")).toEqual([]);
    await agree(again(one, group), again(two, group), atBob);
  });
});
