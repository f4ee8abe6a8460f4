/** Who is who: device logs, several devices of a user, and those who pretend. */
import {
  basicCredential,
  createCommit,
  createExternalCommit,
  createProposal,
  decodeMessageOf,
  fromHex,
  processMessage,
  ProposalType,
  type GroupState,
} from "@coppice/core";
import { encodeIdentity, type DeviceLogEntry, type LogPosition } from "@coppice/delivery";
import { CoppiceError } from "@coppice/kit";
import { describe, expect, test, vi } from "vitest";
import { extendLog, linkedDevice } from "./devices.ts";
import { CAPABILITIES, keysOf, member, outsider, trusting, type Outsider } from "./outsider.ts";
import { again, listen, members, names, pair, World } from "./world.ts";

describe("several devices of a user", () => {
  test("adding a user adds all devices, removing removes all, and people are counted once", async () => {
    const { world, atAlice, atBob } = await pair();
    const carolDevice = world.device("carol");
    const phone = await carolDevice.open();
    const laptop = await (await linkedDevice(carolDevice, phone.delivery)).open();
    await world.run(atAlice.add("carol"));
    const both = [await world.arrival(phone.client, atAlice.id), await world.arrival(laptop.client, atAlice.id)];
    await world.agree(atAlice, atBob, ...both);
    expect(atAlice.snapshot.memberCount).toBe(3);
    expect((await members(atAlice)).map(({ user, devices }) => [user, devices.length])).toEqual([
      ["alice", 1],
      ["bob", 1],
      ["carol", 2],
    ]);
    // Pages are of people.
    const page = await atAlice.members({ limit: 2 });
    expect(page.members.map(({ user }) => user)).toEqual(["alice", "bob"]);
    expect((await atAlice.members({ after: page.next ?? "", limit: 2 })).members).toHaveLength(1);
    const heard = listen(atBob);
    await both[0]?.send("from the phone");
    await world.until(() => heard.length === 1);
    // It is her own message on her other device.
    await world.until(async () => {
      const item = (await both[1]?.history())?.at(-1);
      return item?.kind === "message" && item.isSelf && item.state === "sent";
    });
    await world.run(atBob.remove("carol"));
    await world.until(() => both.every(({ snapshot }) => snapshot.status === "removed"));
    expect((await atAlice.history()).at(-1)).toMatchObject({ removed: ["carol"], added: [] });
    expect(atAlice.snapshot.memberCount).toBe(2);
  });

  test("who leaves, leaves with all devices", async () => {
    const { world, atAlice, atBob } = await pair();
    const carolDevice = world.device("carol");
    const phone = await carolDevice.open();
    const laptop = await (await linkedDevice(carolDevice, phone.delivery)).open();
    await world.run(atAlice.add("carol"));
    const both = [await world.arrival(phone.client, atAlice.id), await world.arrival(laptop.client, atAlice.id)];
    await world.agree(atAlice, atBob, ...both);
    await both[0]?.leave();
    await world.until(() => both.every(({ snapshot }) => snapshot.status === "removed"));
    await world.agree(atAlice, atBob);
    expect((await atBob.history()).at(-1)).toMatchObject({ left: ["carol"], removed: [] });
  });

  test("a device that its user's log does not list any more is not added", async () => {
    const world = new World();
    const carolDevice = world.device("carol");
    const phone = await carolDevice.open();
    const laptop = await (await linkedDevice(carolDevice, phone.delivery)).open();
    const lost = await laptop.delivery.claimKeyPackages(["carol"]);
    expect(lost).toHaveLength(2);
    const { device } = laptop.client;
    await extendLog(carolDevice, phone.delivery, { action: "remove", device });
    const alice = await world.device("alice").open({
      wrap: (service) => ({ ...service, claimKeyPackages: () => Promise.resolve(lost) }),
    });
    const group = await alice.client.createGroup();
    await expect(world.run(group.add("carol"))).rejects.toMatchObject({ code: "ERR_MLS_CREDENTIAL" });
    expect(await names(group)).toEqual(["alice"]);
  });

  test("a key package that names a later entry than is known makes the log be read on", async () => {
    const { world, atAlice } = await pair();
    const carolDevice = world.device("carol");
    const phone = await carolDevice.open();
    await world.run(atAlice.add("carol"));
    const laptop = await (await linkedDevice(carolDevice, phone.delivery)).open();
    const dave = await world.client("dave");
    const group = await dave.createGroup();
    await world.run(group.add(["carol", "alice"]));
    await world.agree(group, await world.arrival(phone.client, group.id), await world.arrival(laptop.client, group.id));
  });
});

describe("safety numbers", () => {
  test("the same for all, and as long as the people are the same", async () => {
    const { world, aliceDevice, alice, atAlice, atBob } = await pair();
    const number = await atAlice.safetyNumber();
    expect(number).toMatch(/^(\d{5} ){11}\d{5}$/);
    expect(await atBob.safetyNumber()).toBe(number);
    await world.run(atAlice.update());
    await extendLog(aliceDevice, alice.delivery, {
      action: "recovery",
      key: { suite: 1, publicKey: new Uint8Array((await keysOf()).signer.publicKey) },
    });
    expect(await atAlice.safetyNumber()).toBe(number);
    await world.client("carol");
    await world.run(atAlice.add("carol"));
    await world.agree(atAlice, atBob);
    expect(await atAlice.safetyNumber()).not.toBe(number);
    expect(await atBob.safetyNumber()).toBe(await atAlice.safetyNumber());
  });
});

/** The state of an outsider who follows the log from a position. */
async function followed(
  world: World,
  { delivery }: Outsider,
  from: { readonly state: GroupState; readonly position: LogPosition; readonly seq: number },
) {
  let { state } = from;
  const { groupId } = state.context;
  const { entries, incarnation } = await delivery.readLog({ groupId, after: { ...from.position, seq: from.seq } });
  for (const { message } of entries) ({ state } = await processMessage(state, message, { rules: trusting(world) }));
  return { state, position: { incarnation, seq: entries.at(-1)?.seq ?? from.seq } };
}

/** As in a build whose table has one suite more: this one makes no ReInit to a suite that it does not have. */
async function withSuite<T>(suite: number, make: () => Promise<T>): Promise<T> {
  const has = Map.prototype.has;
  const table = vi.spyOn(Map.prototype, "has").mockImplementation(function (this: Map<unknown, unknown>, key: unknown) {
    return key === suite || has.call(this, key);
  });
  return make().finally(() => {
    table.mockRestore();
  });
}

describe("pretending", () => {
  test("adversarial 50: a member cannot take another user's name in its Commit's path", async () => {
    const { world, atAlice, atBob } = await pair();
    // Registered, and known to nobody here.
    const zoe = await world.device("zoe").open();
    const mallory = await outsider(world, "mallory");
    const { state, position } = await member(world, atAlice, mallory);
    await world.agree(atAlice, atBob);
    const credential = basicCredential(
      encodeIdentity({ client: { user: "zoe", device: zoe.client.device }, position: 0 }),
    );
    const rules = trusting(world);
    const { staged } = await createCommit(state, {
      ...{ rules, signer: mallory.signer },
      forcePath: true,
      leaf: { credential },
    });
    const { groupId, epoch } = state.context;
    const groupInfo = Uint8Array.of(0);
    await mallory.delivery.submitCommit({
      ...{ groupId, position, epoch, commit: staged.commit, groupInfo },
      added: [],
      removed: [],
    });
    await world.until(() => [atAlice, atBob].every(({ snapshot }) => snapshot.status === "broken"));
    expect(atAlice.snapshot.problem).toBe("ERR_MLS_CREDENTIAL");
    expect(await names(atAlice)).toEqual(["alice", "bob", "mallory"]);
  });

  test.each([1, 0x7777])(
    "adversarial 51: a ReInit to suite %d closes a group for nobody, and its proposal keeps no message waiting",
    async (cipherSuite) => {
      const { world, alice, atAlice, atBob } = await pair();
      const mallory = await outsider(world, "mallory");
      const { state, position } = await member(world, atAlice, mallory);
      await world.agree(atAlice, atBob);
      const { groupId, epoch } = state.context;
      const reinit = { proposalType: ProposalType.reinit, groupId, version: 1, cipherSuite, extensions: [] } as const;
      const options = { rules: trusting(world), signer: mallory.signer };
      const proposed = await withSuite(cipherSuite, () => createProposal(state, reinit, options));
      const { seqs } = await mallory.delivery.sendMessages({
        ...{ groupId, position, messages: [{ epoch, message: proposed.message }] },
      });
      await world.run(alice.client.sync());
      const heard = listen(atBob);
      await atAlice.send("not kept waiting");
      await world.until(() => heard.length === 1);

      const told: string[] = [];
      alice.client.on("problem", ({ message }) => told.push(message));
      const { position: now, state: later } = await followed(world, mallory, { state, position, seq: seqs[0] ?? 0 });
      const closing = { ...options, proposals: [reinit], includeCached: false };
      const { staged } = await withSuite(cipherSuite, () => createCommit(later, closing));
      await mallory.delivery.submitCommit({
        ...{ groupId, position: now, epoch: later.context.epoch, commit: staged.commit, groupInfo: Uint8Array.of(0) },
        ...{ added: [], removed: [] },
      });
      await world.until(() => [atAlice, atBob].every(({ snapshot }) => snapshot.status === "broken"));
      expect(told).toHaveLength(1);
      expect(told[0]).toMatch(/rejoin it, or forget it$/);
    },
  );

  test("R-12.4.3.2-6: whoever has the GroupInfo, but no device in the group, is not let in", async () => {
    const { world, alice, atAlice, atBob } = await pair();
    const mallory = await outsider(world, "mallory");
    const groupId = fromHex(atAlice.id);
    const { groupInfo: bytes, position, epoch } = await alice.delivery.readGroupInfo(groupId);
    const { groupInfo } = decodeMessageOf("mls_group_info", bytes);
    const { suite, signer, credential } = mallory;
    const rules = trusting(world);
    const joining = await createExternalCommit(groupInfo, {
      suite,
      rules,
      signer,
      credential,
      capabilities: CAPABILITIES,
    });
    // The server is on her side: it takes the Commit as if a member had sent it.
    await alice.delivery.submitCommit({
      ...{ groupId, position, epoch, commit: joining.commit, groupInfo: bytes },
      added: [],
      removed: [],
    });
    await world.until(() => atBob.snapshot.status === "broken");
    expect(atBob.snapshot.problem).toBe("ERR_MLS_POLICY");
    expect(await names(atBob)).toEqual(["alice", "bob"]);
  });

  test("R-5.3.1-1: a key package of someone else is refused", async () => {
    const world = new World();
    await world.client("bob");
    await world.client("mallory");
    const { client } = await world.device("alice").open({
      wrap: (service) => ({
        ...service,
        claimKeyPackages: async (users) => {
          const [stolen] = await service.claimKeyPackages(["mallory"]);
          return stolen === undefined ? [] : users.map((user) => ({ ...stolen, client: { ...stolen.client, user } }));
        },
      }),
    });
    const group = await client.createGroup();
    await expect(world.run(group.add(["bob"]))).rejects.toMatchObject({ code: "ERR_MLS_CREDENTIAL" });
    expect(await names(group)).toEqual(["alice"]);
  });

  test("R-5.3.1-1: a directory that forks, rolls back or extends the log of a known user is caught, loudly", async () => {
    const { world, aliceDevice, alice, bobDevice, bob, atAlice } = await pair();
    alice.crash();
    const impostor = await new World().device("bob").open();
    const fork = await impostor.delivery.readDeviceLog({ user: "bob", from: 0 });
    await linkedDevice(bobDevice, bob.delivery).then((laptop) => laptop.open());
    const unsigned = (entry: DeviceLogEntry): DeviceLogEntry => ({ ...entry, signature: new Uint8Array(64) });
    const forgeries: readonly [rule: string, forge: (log: readonly DeviceLogEntry[]) => readonly DeviceLogEntry[]][] = [
      ["DL-16", () => fork],
      ["DL-15", () => []],
      ["length", (log) => log.slice(0, 1)],
      ["DL-7", (log) => log.map((entry) => (entry.position === 1 ? unsigned(entry) : entry))],
    ];
    for (const [rule, forge] of forgeries) {
      const opened = await aliceDevice.open({
        wrap: (service) => ({
          ...service,
          readDeviceLog: async (query) => forge(await service.readDeviceLog(query)),
        }),
      });
      const told: unknown[] = [];
      opened.client.on("problem", ({ code, detail }) => told.push([code, detail["user"], detail["rule"]]));
      const second = await opened.client.createGroup();
      await expect(world.run(second.add(["bob"]))).rejects.toMatchObject({ code: "ERR_CLIENT_DEVICE_LOG" });
      expect(told).toEqual([["ERR_CLIENT_DEVICE_LOG", "bob", rule]]);
      // Who is known stays known.
      expect(again(opened, atAlice).snapshot).toMatchObject({ memberCount: 2, status: "active" });
      opened.crash();
    }
  });

  test("R-5.3.1-1: at first contact a forged log is refused", async () => {
    const world = new World();
    const bob = await world.device("bob").open();
    const log = await bob.delivery.readDeviceLog({ user: "bob", from: 0 });
    const forgeries: readonly ((entry: DeviceLogEntry) => DeviceLogEntry)[] = [
      (entry) => ({ ...entry, signature: new Uint8Array(64) }),
      (entry) => ({ ...entry, position: 1 }),
      (entry) => ({ ...entry, user: "mallory" }),
    ];
    for (const [i, forge] of forgeries.entries()) {
      const alice = await world.device(`alice${i}`).open({
        wrap: (service) => ({
          ...service,
          readDeviceLog: async (query) => (query.user === "bob" ? log.map(forge) : service.readDeviceLog(query)),
        }),
      });
      const told: unknown[] = [];
      alice.client.on("problem", ({ code, detail }) => told.push([code, detail["user"]]));
      const group = await alice.client.createGroup();
      await expect(world.run(group.add("bob"))).rejects.toMatchObject({ code: "ERR_CLIENT_DEVICE_LOG" });
      expect(told).toEqual([["ERR_CLIENT_DEVICE_LOG", "bob"]]);
      expect(await names(group)).toEqual([alice.client.name]);
    }
  });

  test("a member whose log is withheld for a while is followed once it can be read", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    await world.client("carol");
    bob.crash();
    let isHidden = true;
    const reopened = await bobDevice.open({
      wrap: (service) => ({
        ...service,
        readDeviceLog: (query, options) =>
          isHidden && query.user === "carol"
            ? Promise.reject(new CoppiceError("ERR_DS_UNREACHABLE", "The directory is away"))
            : service.readDeviceLog(query, options),
      }),
    });
    await world.run(atAlice.add("carol"));
    await world.time.advance(5000);
    const conversation = again(reopened, atBob);
    expect(conversation.snapshot).toMatchObject({ status: "active", epoch: 1n });
    isHidden = false;
    await world.run(reopened.client.sync());
    await world.agree(atAlice, conversation);
    expect(await names(conversation)).toEqual(["alice", "bob", "carol"]);
  });
});
