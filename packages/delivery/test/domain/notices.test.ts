/** Whom the domain tells of what. */
import { describe, expect, test } from "vitest";
import { createIdentity } from "@coppice/delivery/conformance";
import { clientKey, type Notice } from "@coppice/delivery/domain";
import { addDevice, makeGroup, openWorld, register } from "./harness.ts";

const logs = (notices: readonly Notice[]) =>
  notices.flatMap((notice) => (notice.type === "log" ? [[notice.entry.seq, notice.readers.size]] : []));

describe("notices", () => {
  test("a Commit is for those who read before it, what follows for those who read then", async () => {
    const world = await openWorld();
    const [alice, bob, carol] = [await register(world), await register(world), await register(world)];
    const group = await makeGroup(world, alice);
    await group.commit({ added: [bob.client, carol.client] });
    await group.send(bob.client);
    await group.commit({ removed: [bob.client] });
    await group.send();
    expect(logs(world.notices)).toEqual([
      [1, 1],
      [2, 3],
      [3, 3],
      [4, 2],
    ]);
    const invited = world.notices.flatMap((notice) => (notice.type === "inbox" ? notice.clients : []));
    expect(invited).toEqual([bob.client, carol.client]);
  });

  test("the readers are right after a restart and after a refused Commit", async () => {
    const world = await openWorld();
    const [alice, bob] = [await register(world), await register(world)];
    const group = await makeGroup(world, alice);
    await expect(group.commit({ added: [bob.client, { ...bob.client, user: "nobody" }] })).rejects.toMatchObject({
      code: "ERR_DS_UNKNOWN_USER",
      detail: { user: "nobody" },
    });
    await group.send();
    await group.commit({ added: [bob.client] });
    const { domain } = { domain: await world.open() };
    const messages = [{ epoch: 1n, message: new Uint8Array([7]) }];
    await domain.sendMessages(bob.client, { groupId: group.groupId, position: group.position(), messages });
    expect(logs(world.notices)).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
    ]);
  });

  test("the readers are right where several processes serve one store", async () => {
    const world = await openWorld();
    const [alice, bob, carol] = [await register(world), await register(world), await register(world)];
    const group = await makeGroup(world, alice);
    await group.commit({ added: [bob.client] });
    await group.send();
    const other = await world.open();
    const change = { commit: new Uint8Array([1]), groupInfo: new Uint8Array([2]), epoch: 1n };
    const added = [{ client: carol.client, welcome: new Uint8Array([3]) }];
    const { groupId } = group;
    await other.submitCommit(alice.client, { ...change, groupId, position: group.position(), added, removed: [] });
    await group.send(undefined, 2n);
    expect(logs(world.notices)).toEqual([
      [1, 1],
      [2, 2],
      [3, 2],
      [4, 3],
    ]);
  });

  test("repeated bytes are told to nobody again", async () => {
    const world = await openWorld();
    const group = await makeGroup(world, await register(world));
    const message = new Uint8Array([1]);
    await group.send(undefined, 0n, message);
    await group.send(undefined, 0n, message);
    expect(logs(world.notices)).toEqual([[1, 1]]);
  });

  test("a device log that grew is told to the user's devices and to those who share a group", async () => {
    const world = await openWorld();
    const [alice, bob, stranger] = [await register(world), await register(world), await register(world)];
    const group = await makeGroup(world, alice);
    await group.commit({ added: [bob.client] });
    await makeGroup(world, stranger);
    const laptop = await addDevice(world, alice);
    const told = world.notices.flatMap((notice) => (notice.type === "devices" ? notice.clients.map(clientKey) : []));
    expect(told.sort()).toEqual([clientKey(laptop.client), clientKey(bob.client)].sort());
  });

  test("a removed device loses key packages, Welcomes and its sessions; a replaced key only what was made with it", async () => {
    const world = await openWorld();
    const { domain } = world;
    const [alice, bob] = [await register(world), await register(world)];
    const laptop = await addDevice(world, alice);
    const group = await makeGroup(world, bob);
    const devices = [alice.client, laptop.client];
    for (const client of devices) {
      const batch = { keyPackages: [new Uint8Array([1])], lastResort: new Uint8Array([2]), replace: false };
      await domain.publishKeyPackages(client, batch);
    }
    await group.commit({ added: devices });
    const user = alice.client.user;
    const log = await domain.readDeviceLog({ user, from: 0 });
    const { device } = laptop.client;
    const removal = await alice.extend(log[1] ?? alice.register, { action: "remove", device });
    await domain.appendDeviceLog(alice.client, removal);
    expect(world.notices.filter(({ type }) => type === "revoked")).toEqual([
      { type: "revoked", client: laptop.client },
    ]);
    expect(await domain.readInbox(laptop.client)).toEqual([]);
    expect((await domain.readInbox(alice.client)).length).toBe(1);
    expect((await domain.claimKeyPackages({ users: [user] })).map(({ client }) => client)).toEqual([alice.client]);
    await expect(domain.signIn(laptop)).rejects.toMatchObject({ code: "ERR_DS_NAME_TAKEN" });
    const late = { keyPackages: [new Uint8Array([3])], lastResort: undefined, replace: false };
    await expect(domain.publishKeyPackages(laptop.client, late)).rejects.toMatchObject({
      code: "ERR_DS_UNAUTHENTICATED",
    });

    const { key } = await createIdentity();
    const fresh = await alice.extend(removal, { action: "replace", device: alice.client.device, key });
    await domain.appendDeviceLog(alice.client, fresh);
    await expect(domain.claimKeyPackages({ users: [user] })).rejects.toMatchObject({ code: "ERR_DS_NO_KEY_PACKAGE" });
    expect((await domain.readInbox(alice.client)).length).toBe(1);
    await expect(domain.signIn(alice)).rejects.toMatchObject({ code: "ERR_DS_NAME_TAKEN" });
    await domain.signIn({ ...alice, key });
  });
});
