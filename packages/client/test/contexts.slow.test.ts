/** Several clients on one store, as tabs and workers of one account. */
import { describe, expect, test } from "vitest";
import { again, agree, arrival, listen, names, pair, texts, until, World } from "./world.ts";

describe("two tabs of one account", () => {
  test(
    "adversarial 36: both send at once: everything arrives once, and both have one history",
    { timeout: 120_000 },
    async () => {
      const { aliceDevice, alice, atAlice, atBob } = await pair();
      const messages = new Set<string>();
      const tabs = [alice, await aliceDevice.open()];
      for (const { delivery } of tabs) delivery.network.events = "deliver";
      const heard = listen(atBob);
      const count = 500;
      await Promise.all(
        tabs.map(async (tab, i) => {
          const conversation = again(tab, atAlice);
          const sends = Array.from({ length: count }, (_, n) => conversation.send(`${i}/${n}`));
          for (const item of await Promise.all(sends)) messages.add(String(item.seq));
        }),
      );
      expect(messages.size).toBe(2 * count);
      await until(() => heard.length === 2 * count, "all messages arrive", 60_000);
      expect(new Set(heard).size).toBe(2 * count);
      // Within each tab in order.
      for (const i of [0, 1]) {
        const own = heard.filter((text) => text.startsWith(`alice: ${i}/`));
        expect(own).toEqual(Array.from({ length: count }, (_, n) => `alice: ${i}/${n}`));
      }
      const [first, second] = await Promise.all(tabs.map((tab) => texts(again(tab, atAlice))));
      expect(first).toEqual(second);
      expect(first).toHaveLength(2 * count);
      const undecryptable = (await atBob.history({ limit: 10_000 })).filter(({ kind }) => kind === "undecryptable");
      expect(undecryptable).toEqual([]);
      await Promise.all(tabs.map(({ client }) => client.sync()));
      expect(
        (await atAlice.history({ limit: 10_000 })).filter((i) => i.kind === "message" && i.state !== "sent"),
      ).toEqual([]);
      await agree(...tabs.map((tab) => again(tab, atAlice)), atBob);
    },
  );

  test("each tab hears every message once, and sees what the other one does", async () => {
    const { aliceDevice, atAlice, atBob } = await pair();
    const other = again(await aliceDevice.open(), atAlice);
    const [one, two] = [listen(atAlice), listen(other)];
    const states: string[] = [];
    other.on("item", (item) => states.push(item.kind === "message" ? item.state : item.kind));
    await atBob.send("to all tabs");
    await until(() => one.length === 1 && two.length === 1);
    await atAlice.send("from one tab");
    await until(() => states.includes("sending") || states.includes("sent"));
    await until(async () => (await texts(other)).length === 2);
    await until(() => states.at(-1) === "sent");
    await other.rename("Named in the other tab");
    await until(() => atAlice.snapshot.title === "Named in the other tab");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([one, two]).toEqual([["bob: to all tabs"], ["bob: to all tabs"]]);
    await agree(atAlice, other, atBob);
  });

  test("both commit at once", async () => {
    const { world, aliceDevice, atAlice, atBob } = await pair();
    const carol = await world.client("carol");
    const dave = await world.client("dave");
    const other = again(await aliceDevice.open(), atAlice);
    await Promise.all([atAlice.add(["carol"]), other.add(["dave"]), atBob.rename("Busy")]);
    await agree(atAlice, other, atBob, await arrival(carol, atAlice.id), await arrival(dave, atAlice.id));
    expect(names(atBob)).toEqual(["alice", "bob", "carol", "dave"]);
    expect(other.snapshot.title).toBe("Busy");
  });

  test("a conversation that one tab creates, joins or forgets appears and disappears in the other", async () => {
    const world = new World();
    const device = world.device("alice");
    const one = await device.open();
    const two = await device.open();
    const bob = await world.client("bob");
    const appeared: (string | undefined)[] = [];
    two.client.on("conversation", ({ invitedBy }) => appeared.push(invitedBy));
    const own = await one.client.createGroup();
    await arrival(two.client, own.id);
    const invited = await bob.createGroup();
    await invited.add(["alice"]);
    await arrival(one.client, invited.id);
    await arrival(two.client, invited.id);
    expect(appeared).toEqual([undefined, "bob"]);
    await own.forget();
    await until(() => two.client.conversation(own.id) === undefined);
    await agree(invited, again(one, invited), again(two, invited));
  });

  test("a tab that ends in the middle of a commit leaves it to the other", async () => {
    const { aliceDevice, alice, atAlice, atBob } = await pair();
    const other = await aliceDevice.open();
    other.delivery.network.reachable = false;
    const stored = new Promise<void>((resolve) => {
      alice.delivery.network.fault = ({ call, phase }) => {
        if (call !== "submitCommit" || phase !== "request") return;
        alice.crash();
        resolve();
      };
    });
    atAlice.rename("Inherited").catch(() => undefined);
    await stored;
    await until(() => again(other, atAlice).snapshot.pending !== undefined);
    other.delivery.network.reachable = true;
    await until(() => atBob.snapshot.title === "Inherited");
    await agree(again(other, atAlice), atBob);
  });
});
