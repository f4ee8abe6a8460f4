/** Deleting old items of a history. */
import { expect, test } from "vitest";
import { again, listen, pair, states, texts, World } from "./world.ts";

/** Bob has heard ten messages of Alice's, one every two seconds. */
async function scene() {
  const scene = await pair(new World());
  const { world, atAlice, atBob } = scene;
  const heard = listen(atBob);
  for (let n = 0; n < 10; n++) {
    await world.run(atAlice.send(`${n}`));
    await world.time.advance(2000);
  }
  await world.until(() => heard.length === 10);
  await world.time.advance(1000);
  return scene;
}

test("by number: all but the newest go, are told, and are gone from the store", async () => {
  const { world, bobDevice, atBob } = await scene();
  const discarded: number[] = [];
  atBob.on("discarded", ({ seq }) => discarded.push(seq));
  expect(await atBob.prune({ keep: 3 })).toBe(8);
  expect([await texts(atBob), discarded]).toEqual([
    ["7", "8", "9"],
    [1, 2, 3, 4, 5, 6, 7, 8],
  ]);
  const { records } = await bobDevice.store().read(`conversation/${atBob.id}`, [{ prefix: "item/" }]);
  expect(records.size).toBe(3);
  expect(await atBob.prune({ keep: 3 })).toBe(0);
  const other = again(await bobDevice.open(), atBob);
  expect((await other.history({ limit: 1000 })).map(({ seq }) => seq)).toEqual([9, 10, 11]);
  await world.agree(atBob, other);
});

test("by age: what is older goes; with a number, only what is not among the newest either", async () => {
  const { world, atBob } = await scene();
  const { at = 0 } = (await atBob.history()).at(-4) ?? {};
  expect(await atBob.prune({ olderThan: at, keep: 8 })).toBe(3);
  expect(await texts(atBob)).toEqual(["2", "3", "4", "5", "6", "7", "8", "9"]);
  expect(await atBob.prune({ olderThan: at })).toBe(4);
  expect(await texts(atBob)).toEqual(["6", "7", "8", "9"]);
  expect(await atBob.prune({ olderThan: world.time.now() + 1 })).toBe(4);
  expect(await texts(atBob)).toEqual([]);
});

test("what was not acknowledged, or is on its way, stays, and arrives", async () => {
  const { world, bob, atAlice, atBob } = await pair();
  await world.run(atAlice.send("not heard yet"));
  await world.until(() => atBob.snapshot.lastItem === 2);
  bob.delivery.network.reachable = false;
  await atBob.send("on its way");
  expect(await atBob.prune({ keep: 0 })).toBe(0);
  const heard = listen(atBob);
  await world.until(() => heard.length === 1);
  await world.time.advance(1000);
  expect(await atBob.prune({ keep: 0 })).toBe(2);
  expect([await texts(atBob), await states(atBob)]).toEqual([["on its way"], ["sending"]]);
  bob.delivery.network.reachable = true;
  const arrived = listen(atAlice);
  await world.until(() => arrived.length === 1);
});

test("a query that says nothing is refused", async () => {
  const { atBob } = await pair();
  for (const query of [{}, { olderThan: Number.NaN }, { keep: -1 }, { keep: 1.5 }]) {
    await expect(atBob.prune(query)).rejects.toThrow(RangeError);
  }
});
