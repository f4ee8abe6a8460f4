/** Handing messages over to the application: none is missed, and what it acknowledged is not told again. */
import { sleep } from "@coppice/kit";
import { describe, expect, test } from "vitest";
import type { Client, Conversation } from "@coppice/client";
import { again, listen, pair, problems, textOf } from "./world.ts";

describe("a message", () => {
  test("is acknowledged once its listener's promise has resolved: killed before that, it is told again", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    const heard: string[] = [];
    const settle: (() => void)[] = [];
    atBob.on(
      "message",
      (message) => {
        heard.push(textOf(message));
        return new Promise<void>((resolve) => settle.push(resolve));
      },
      { ahead: 3 },
    );
    for (const text of ["1", "2", "3"]) await world.run(atAlice.send(text));
    await world.until(() => heard.length === 3);
    settle[0]?.();
    settle[2]?.();
    await world.time.advance(1000);
    bob.crash();
    const second = await bobDevice.open();
    const later = listen(again(second, atBob));
    await world.until(() => later.length === 2);
    await world.time.advance(1000);
    second.crash();
    const third = listen(again(await bobDevice.open(), atBob));
    await world.run(atAlice.send("4"));
    await world.until(() => third.length === 1);
    expect([heard, later, third]).toEqual([["1", "2", "3"], ["alice: 2", "alice: 3"], ["alice: 4"]]);
  });

  test("that the application acknowledges makes room for the next, whose listener never settles", async () => {
    const { world, atAlice, atBob } = await pair();
    const heard: string[] = [];
    let last = 0;
    atBob.on("message", (message) => {
      heard.push(textOf(message));
      last = message.seq;
      return new Promise<void>(() => undefined);
    });
    for (const text of ["1", "2", "3"]) await world.run(atAlice.send(text));
    await world.until(() => atBob.snapshot.lastItem === 4);
    expect(heard).toEqual(["1"]);
    for (const count of [2, 3]) {
      await world.run(atBob.acknowledge(last));
      await world.until(() => heard.length === count);
    }
    expect(heard).toEqual(["1", "2", "3"]);
  });

  test("whose listener never settles keeps nothing from the listeners after it, once it is removed", async () => {
    const { world, atAlice, atBob } = await pair();
    const release = atBob.on("message", () => new Promise<void>(() => undefined));
    for (const text of ["1", "2", "3"]) await world.run(atAlice.send(text));
    await world.until(() => atBob.snapshot.lastItem === 4);
    const heard = listen(atBob);
    release();
    await world.until(() => heard.length === 2);
    expect(heard).toEqual(["alice: 2", "alice: 3"]);
  });

  test("is acknowledged within a moment where nothing else is written, by one of several tabs", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    const other = await bobDevice.open();
    const heard = [listen(atBob), listen(again(other, atBob))];
    await world.run(atAlice.send("1"));
    await world.until(() => heard.every(({ length }) => length === 1));
    await world.time.advance(60);
    bob.crash();
    other.crash();
    const later = listen(again(await bobDevice.open(), atBob));
    await world.run(atAlice.send("2"));
    await world.until(() => later.length === 1);
    expect(later).toEqual(["alice: 2"]);
  });

  test("whose listener fails counts as told: it does not block those after it", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    const codes = problems(bob.client);
    const heard: string[] = [];
    atBob.on("message", async (message) => {
      await Promise.resolve();
      heard.push(textOf(message));
      if (heard.length === 1) throw new Error("of the application");
    });
    for (const text of ["1", "2"]) await world.run(atAlice.send(text));
    await world.until(() => heard.length === 2);
    expect(codes).toEqual(["ERR_CLIENT_LISTENER"]);
    await bob.engine.close();
    const later = listen(again(await bobDevice.open(), atBob));
    await world.run(atAlice.send("3"));
    await world.until(() => later.length === 1);
    expect(later).toEqual(["alice: 3"]);
  });

  test(
    "is worked on once, wherever the application is killed, if it keeps the number with its work",
    { timeout: 30_000 },
    async () => {
      for (let seed = 1; seed <= 4; seed++) {
        const { world, bobDevice, bob, atAlice, atBob } = await pair();
        /** What the application has stored: its work, and how far it is, in one write. */
        const stored = { work: [] as string[], seq: 0 };
        /** Begins to work; returns what kills it. */
        const run = async (conversation: Conversation): Promise<() => void> => {
          let [killed, told, done] = [false, 0, 0];
          await conversation.acknowledge(stored.seq);
          conversation.on("message", async (message) => {
            told++;
            expect(told - done).toBe(1);
            await sleep(world.time, seed % 3);
            if (!killed) Object.assign(stored, { work: [...stored.work, textOf(message)], seq: message.seq });
            done++;
          });
          return () => {
            killed = true;
          };
        };
        let opened = bob;
        let kill = await run(atBob);
        const sent = Array.from({ length: 12 }, (_, n) => `${n}`);
        for (const [n, text] of sent.entries()) {
          await world.run(atAlice.send(text));
          await world.time.advance((7 * n * seed) % 90);
          if (n % 5 !== seed % 5) continue;
          kill();
          opened.crash();
          opened = await bobDevice.open();
          kill = await run(again(opened, atBob));
        }
        await world.until(() => stored.work.length >= sent.length);
        await world.time.advance(2000);
        expect(stored.work).toEqual(sent);
      }
    },
  );
});

test("messages are told one at a time, or as many at once as the listener that takes the fewest takes", async () => {
  const { world, atAlice, atBob } = await pair();
  const [one, three]: [string[], string[]] = [[], []];
  const settle: (() => void)[] = [];
  const slow = (heard: string[]) => (message: Parameters<typeof textOf>[0]) => {
    heard.push(textOf(message));
    return new Promise<void>((resolve) => settle.push(resolve));
  };
  atBob.on("message", slow(three), { ahead: 3 });
  const release = atBob.on("message", slow(one));
  for (const text of ["1", "2", "3", "4", "5"]) await world.run(atAlice.send(text));
  await world.until(() => atBob.snapshot.lastItem === 6);
  expect([one, three]).toEqual([["1"], ["1"]]);
  release();
  for (const done of settle) done();
  await world.until(() => three.length === 4);
  await world.time.advance(100);
  expect([one, three]).toEqual([["1"], ["1", "2", "3", "4"]]);
  for (const ahead of [0, 65, 1.5, "2" as never]) {
    expect(() => atBob.on("message", () => undefined, { ahead })).toThrow(RangeError);
  }
});

describe("acknowledging", () => {
  test("is durable when it resolves, and moves on what is told", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    for (const text of ["1", "2", "3"]) await world.run(atAlice.send(text));
    await world.until(() => atBob.snapshot.lastItem === 4);
    const [, , second] = await atBob.history();
    await atBob.acknowledge(second?.seq ?? 0);
    bob.crash();
    const heard = listen(again(await bobDevice.open(), atBob));
    await world.until(() => heard.length === 1);
    expect(heard).toEqual(["alice: 3"]);
  });

  test("is refused for what has not come yet, and for what is no number", async () => {
    const { atBob } = await pair();
    await expect(atBob.acknowledge(99)).rejects.toMatchObject({ code: "ERR_CLIENT_UNKNOWN_ITEM" });
    for (const seq of [-1, 0.5, Number.NaN, "1" as never]) {
      await expect(atBob.acknowledge(seq)).rejects.toThrow(RangeError);
    }
  });
});

describe("the client's message event", () => {
  const listenToAll = (client: Client): string[] => {
    const heard: string[] = [];
    client.on("message", ({ conversation, message }) => heard.push(`${conversation} ${textOf(message)}`));
    return heard;
  };

  test("tells of the messages of all conversations, also of those that appear later", async () => {
    const { world, alice, bob, atAlice } = await pair();
    await world.run(atAlice.send("before"));
    await world.until(() => bob.client.conversations[0]?.snapshot.lastItem === 2);
    const heard = listenToAll(bob.client);
    await world.until(() => heard.length === 1);
    const second = await alice.client.createGroup();
    await world.run(second.add("bob"));
    await world.run(second.send("later"));
    await world.until(() => heard.length === 2);
    expect(heard).toEqual([`${atAlice.id} before`, `${second.id} later`]);
  });

  test("and the conversation's own tell each message once, and acknowledge it together", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    const own = listen(atBob);
    let settle: () => void = () => undefined;
    const all: string[] = [];
    bob.client.on("message", ({ message }) => {
      all.push(textOf(message));
      return new Promise<void>((resolve) => (settle = resolve));
    });
    await world.run(atAlice.send("1"));
    await world.until(() => all.length === 1);
    await world.time.advance(1000);
    expect([own, all]).toEqual([["alice: 1"], ["1"]]);
    const tab = await bobDevice.open();
    const waiting = listenToAll(tab.client);
    await world.until(() => waiting.length === 1);
    settle();
    await world.time.advance(1000);
    const third = listenToAll((await bobDevice.open()).client);
    await world.run(atAlice.send("2"));
    await world.until(() => third.length === 1);
    expect(third).toEqual([`${atBob.id} 2`]);
  });
});
