/** What one user, one group or one request may take. What is refused changes nothing. */
import { describe, expect, test } from "vitest";
import { randomBytes } from "@coppice/core";
import { createIdentity } from "@coppice/delivery/conformance";
import { addDevice, makeGroup, openWorld, register } from "./harness.ts";

const quota = (user?: string) =>
  expect.objectContaining({ code: "ERR_DS_QUOTA", ...(user === undefined ? {} : { detail: { user } }) }) as unknown;
const tooLarge = expect.objectContaining({ code: "ERR_DS_TOO_LARGE" }) as unknown;
const some = (count: number) => Array.from({ length: count }, () => randomBytes(8));

describe("limits", () => {
  test("issue 11 (20): a client that publishes without end is stopped, whole batch by whole batch", async () => {
    const world = await openWorld({ limits: { keyPackagesPerClient: 5 } });
    const { domain } = world;
    const { client } = await register(world);
    const publish = (count: number, replace = false) =>
      domain.publishKeyPackages(client, { keyPackages: some(count), lastResort: undefined, replace });
    await publish(3);
    await expect(publish(3)).rejects.toEqual(quota());
    expect(await domain.countKeyPackages(client)).toEqual({ count: 3 });
    await publish(2);
    await expect(publish(6, true)).rejects.toEqual(quota());
    expect(await domain.countKeyPackages(client)).toEqual({ count: 5 });
    await publish(4, true);
    expect(await domain.countKeyPackages(client)).toEqual({ count: 4 });
    const withLastResort = { keyPackages: some(2), lastResort: randomBytes(8), replace: false };
    await expect(domain.publishKeyPackages(client, withLastResort)).rejects.toEqual(quota());
    const claims = [1, 2, 3, 4].map(() => domain.claimKeyPackages({ users: [client.user] }));
    await Promise.all(claims);
    await expect(domain.claimKeyPackages({ users: [client.user] })).rejects.toMatchObject({
      code: "ERR_DS_NO_KEY_PACKAGE",
    });
  });

  test("nobody fills another's inbox alone; a full one names its user", async () => {
    const world = await openWorld({ limits: { inboxEntries: 4, inboxEntriesPerSender: 3 } });
    const [alice, bob, carol] = [await register(world), await register(world), await register(world)];
    const { user } = carol.client;
    const invite = async (from: typeof alice) => (await makeGroup(world, from)).commit({ added: [carol.client] });
    for (let i = 0; i < 3; i++) await invite(alice);
    await expect(invite(alice)).rejects.toEqual(quota(user));
    const laptop = await addDevice(world, alice);
    await expect(invite(laptop)).rejects.toEqual(quota(user));
    await invite(bob);
    await expect(invite(bob)).rejects.toEqual(quota(user));
    const inbox = await world.domain.readInbox(carol.client);
    expect(inbox).toHaveLength(4);
    await world.domain.acknowledgeInbox(carol.client, { id: inbox[0]?.id ?? 0 });
    await invite(bob);
  });

  test("a Commit that is refused for a full inbox adds nobody and leaves the epoch", async () => {
    const world = await openWorld({ limits: { inboxEntries: 1 } });
    const [alice, bob, carol] = [await register(world), await register(world), await register(world)];
    await (await makeGroup(world, alice)).commit({ added: [carol.client] });
    const group = await makeGroup(world, alice);
    await expect(group.commit({ added: [bob.client, carol.client] })).rejects.toEqual(quota(carol.client.user));
    expect(await world.domain.readInbox(bob.client)).toEqual([]);
    expect(await group.commit({ added: [bob.client] })).toBe(1);
  });

  test("issue 15 (11): a full group, a creator of full groups and a full service take no more messages", async () => {
    for (const [full, limits] of [
      ["group", { groupBytes: 20_000 }],
      ["creator", { userBytes: 20_000 }],
      ["service", { storeBytes: 20_000 }],
    ] as const) {
      const world = await openWorld({ limits: { ...limits, messageRetention: 1000 } });
      const [alice, bob] = [await register(world), await register(world)];
      const group = await makeGroup(world, alice);
      await group.commit({ added: [bob.client] });
      const refused = expect.objectContaining({ code: "ERR_DS_QUOTA", detail: { reason: `${full}-full` } }) as unknown;
      await expect(group.send(bob.client, 1n, randomBytes(20_000))).rejects.toEqual(refused);
      await group.send(bob.client, 1n, randomBytes(19_000));
      await expect(group.send(bob.client, 1n, randomBytes(1000))).rejects.toEqual(refused);
      // Who filled it can still be removed, for a while.
      expect(await group.commit({ removed: [bob.client] })).toBe(3);
      const commits = async () => {
        for (let i = 0; i < 20; i++) await group.commit();
      };
      await expect(commits()).rejects.toEqual(refused);
      if (full === "service") await expect(register(world)).rejects.toEqual(refused);
      await world.time.advance(1000);
      while (await world.domain.forget());
      await group.send(alice.client, group.epoch, randomBytes(10_000));
    }
  });

  test("groups per user and readers per group", async () => {
    const world = await openWorld({ limits: { groupsPerUser: 2, readersPerGroup: 2 } });
    const [alice, bob, carol] = [await register(world), await register(world), await register(world)];
    const group = await makeGroup(world, alice);
    await makeGroup(world, await addDevice(world, alice));
    await expect(makeGroup(world, alice)).rejects.toEqual(quota());
    await expect(group.commit({ added: [bob.client, carol.client] })).rejects.toEqual(quota());
    await group.commit({ added: [bob.client] });
    await expect(group.commit({ added: [carol.client] })).rejects.toEqual(quota());
    await group.commit({ added: [carol.client], removed: [bob.client] });
  });

  test("devices and entries of a device log", async () => {
    const world = await openWorld({ limits: { devicesPerUser: 2, deviceLogEntries: 4 } });
    const alice = await register(world);
    await addDevice(world, alice);
    await expect(addDevice(world, alice)).rejects.toEqual(quota());
    const { user } = alice.client;
    for (let i = 0; i < 3; i++) {
      const log = await world.domain.readDeviceLog({ user, from: 0 });
      const { key } = await createIdentity();
      const entry = await alice.extend(log.at(-1) ?? alice.register, { action: "recovery", key });
      const appended = world.domain.appendDeviceLog(alice.client, entry);
      await (i < 2 ? appended : expect(appended).rejects.toEqual(quota()));
    }
    expect(await world.domain.readDeviceLog({ user, from: 0 })).toHaveLength(4);
  });

  test("sizes and numbers of one request", async () => {
    const world = await openWorld({ limits: { messageBytes: 100, namesPerRequest: 2 } });
    const { domain } = world;
    const alice = await register(world);
    const { client } = alice;
    const group = await makeGroup(world, alice);
    const { groupId } = group;
    const [fits, long] = [randomBytes(100), randomBytes(101)];
    await group.send(client, 0n, fits);
    await expect(group.send(client, 0n, long)).rejects.toEqual(tooLarge);
    const commit = { groupId, position: group.position(), epoch: 0n, commit: fits, groupInfo: fits };
    const members = { added: [], removed: [] };
    const added = [{ client, welcome: long }];
    const three = some(3).map(() => client);
    for (const submission of [
      { ...commit, ...members, commit: long },
      { ...commit, ...members, groupInfo: long },
      { ...commit, ...members, added },
      { ...commit, ...members, removed: three },
    ]) {
      await expect(domain.submitCommit(client, submission)).rejects.toEqual(tooLarge);
    }
    await expect(domain.createGroup(client, { groupId: fits, groupInfo: long })).rejects.toEqual(tooLarge);
    for (const batch of [
      { keyPackages: [long], lastResort: undefined, replace: false },
      { keyPackages: [], lastResort: long, replace: false },
    ]) {
      await expect(domain.publishKeyPackages(client, batch)).rejects.toEqual(tooLarge);
    }
    await expect(domain.claimKeyPackages({ users: ["a", "b", "c"] })).rejects.toEqual(tooLarge);
  });

  test("a page has about as many bytes as it may", async () => {
    const world = await openWorld({ limits: { pageBytes: 100 } });
    const alice = await register(world);
    const group = await makeGroup(world, alice);
    for (const length of [60, 40, 1, 300, 5]) await group.send(undefined, 0n, randomBytes(length));
    const pages: number[][] = [];
    for (let seq = 0; ;) {
      const after = { incarnation: group.incarnation, seq };
      const { entries } = await world.domain.readLog(alice.client, { groupId: group.groupId, after, limit: 100 });
      if (entries.length === 0) break;
      pages.push(entries.map((entry) => entry.seq));
      seq = entries.at(-1)?.seq ?? 0;
    }
    expect(pages).toEqual([[1, 2], [3], [4], [5]]);
  });
});
