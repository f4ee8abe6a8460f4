/** Clocks that jump, epochs that close, and what is kept for how long. */
import { describe, expect, test } from "vitest";
import { EPOCH_WINDOW, IDEMPOTENCY_WINDOW_MS } from "@coppice/delivery/contract";
import { DAY, HOUR, makeGroup, openWorld, register, type World } from "./harness.ts";

const tooOld = (epoch: bigint) =>
  expect.objectContaining({ code: "ERR_DS_EPOCH_TOO_OLD", detail: { epoch } }) as unknown;

async function forgetAll({ domain }: Pick<World, "domain">): Promise<void> {
  while (await domain.forget());
}

describe("receivedAt", () => {
  test("never goes back, and hardly follows a clock that jumps", async () => {
    const world = await openWorld();
    const alice = await register(world);
    const group = await makeGroup(world, alice);
    const start = world.time.now();
    await group.send();
    world.time.jump(100 * DAY);
    await world.time.advance(60_000);
    await group.send();
    world.time.jump(-200 * DAY);
    await world.time.advance(60_000);
    await group.send();
    const { entries } = await world.domain.readLog(alice.client, {
      groupId: group.groupId,
      after: { incarnation: group.incarnation, seq: 0 },
      limit: 9,
    });
    const times = entries.map(({ receivedAt }) => receivedAt - start);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBe(0);
    expect(Math.max(...times)).toBeLessThan(2 * HOUR);
  });

  test("comes back to a clock that was set right", async () => {
    const { time, domain } = await openWorld();
    time.jump(8 * HOUR);
    await time.advance(10 * 60_000);
    expect(domain.now()).toBe(time.now());
    time.jump(-10_000);
    await time.advance(10_000);
    domain.now();
    await time.advance(20_000);
    expect(domain.now()).toBe(time.now());
  });
});

describe("epochs that are still taken", () => {
  test("are the last ones, by number", async () => {
    const world = await openWorld();
    const group = await makeGroup(world, await register(world));
    for (let i = 0; i < EPOCH_WINDOW.epochs; i++) await group.commit();
    expect(await group.send(undefined, 0n)).toBe(EPOCH_WINDOW.epochs + 1);
    await group.commit();
    await expect(group.send(undefined, 0n)).rejects.toEqual(tooOld(5n));
    await group.send(undefined, 1n);
  });

  test("are those that ended lately, by the times of the log", async () => {
    const world = await openWorld();
    const group = await makeGroup(world, await register(world));
    await group.commit();
    await world.time.advance(EPOCH_WINDOW.milliseconds / 2);
    await group.commit();
    await world.time.advance(EPOCH_WINDOW.milliseconds / 2);
    await group.send(undefined, 0n);
    await world.time.advance(1);
    await expect(group.send(undefined, 0n)).rejects.toEqual(tooOld(2n));
    await group.send(undefined, 1n);
    await world.time.advance(DAY);
    await expect(group.send(undefined, 1n)).rejects.toEqual(tooOld(2n));
    await group.send(undefined, 2n);
  });

  test("a batch with one message of a closed epoch is refused whole", async () => {
    const world = await openWorld();
    const alice = await register(world);
    const group = await makeGroup(world, alice);
    for (let i = 0; i < 5; i++) await group.commit();
    const messages = [5n, 0n].map((epoch, i) => ({ epoch, message: new Uint8Array([i, 1]) }));
    const batch = { groupId: group.groupId, position: group.position(), messages };
    await expect(world.domain.sendMessages(alice.client, batch)).rejects.toEqual(tooOld(5n));
    expect(await group.send()).toBe(6);
  });
});

describe("retention", () => {
  const limits = { messageRetention: 30 * DAY, keyPackageRetention: 10 * DAY };

  test("issue 15 (12): a clock that is 100 days ahead for a minute deletes nothing", async () => {
    const world = await openWorld({ limits });
    const alice = await register(world);
    const group = await makeGroup(world, alice);
    await group.send();
    const keyPackages = [new Uint8Array([1])];
    await world.domain.publishKeyPackages(alice.client, { keyPackages, lastResort: undefined, replace: false });
    world.time.jump(100 * DAY);
    await world.time.advance(60_000);
    await forgetAll(world);
    await forgetAll({ domain: await world.open() });
    world.time.jump(-100 * DAY);
    expect((await readAll(world, alice.client, group)).length).toBe(1);
    expect(await world.domain.countKeyPackages(alice.client)).toEqual({ count: 1 });
  });

  test("deletes what is older than it says, in time that the service was running", async () => {
    const world = await openWorld({ limits });
    const alice = await register(world);
    const group = await makeGroup(world, alice);
    for (let i = 0; i < 450; i++) await group.send();
    await world.time.advance(29 * DAY);
    await group.send();
    await forgetAll(world);
    expect((await readAll(world, alice.client, group)).length).toBe(451);
    // A restart: the age goes on where it was written down.
    const restarted = await world.open();
    await world.time.advance(DAY);
    const slices: boolean[] = [];
    do slices.push(await restarted.forget());
    while (slices[slices.length - 1] === true);
    expect(slices.length).toBeGreaterThan(2);
    expect((await readAll({ domain: restarted }, alice.client, group)).map(({ seq }) => seq)).toEqual([451]);
  });

  test("bytes are recognised within the window, also when the entry is gone, and not for ever", async () => {
    const world = await openWorld({ limits: { messageRetention: DAY } });
    const alice = await register(world);
    const group = await makeGroup(world, alice);
    const message = new Uint8Array([1, 2, 3]);
    expect(await group.send(undefined, 0n, message)).toBe(1);
    await world.time.advance(IDEMPOTENCY_WINDOW_MS - 1);
    await forgetAll(world);
    expect(await group.send(undefined, 0n, message)).toBe(1);
    await world.time.advance(1);
    await forgetAll(world);
    expect(await group.send(undefined, 0n, message)).toBe(2);
  });
});

async function readAll(
  { domain }: Pick<World, "domain">,
  client: Parameters<World["domain"]["readLog"]>[0],
  group: { readonly groupId: Uint8Array; readonly incarnation: string },
) {
  const { entries } = await domain.readLog(client, {
    groupId: group.groupId,
    after: { incarnation: group.incarnation, seq: 0 },
    limit: 1024,
  });
  return entries;
}
