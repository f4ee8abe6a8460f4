/** Welcomes: joined once, never over a group that is held, never a stop for the next one, never lost. */
import {
  adoptCommit,
  createCommit,
  createGroup,
  decodeMessageOf,
  encodeMessage,
  fromHex,
  ProposalType,
  type Bytes,
} from "@coppice/core";
import type { DeliveryService, InboxEntry } from "@coppice/delivery";
import { CoppiceError } from "@coppice/kit";
import { describe, expect, test } from "vitest";
import { CONVERSATION } from "../src/records/conversation.ts";
import { CAPABILITIES, lifetime, outsider, trusting } from "./outsider.ts";
import { again, deafStore, listen, names, pair, problems, texts, World } from "./world.ts";

const POSITION = { incarnation: "00".repeat(16), seq: 1 };

/** A genuine Welcome to another group that has the id of a known one, in a later epoch. */
async function forgedWelcome(world: World, groupId: Bytes, keyPackage: Uint8Array): Promise<Bytes> {
  const { suite, signer, credential } = await outsider(world, "mallory");
  const rules = trusting(world);
  let state = await createGroup({
    ...{ suite, rules, signer, groupId, credential },
    capabilities: CAPABILITIES,
    lifetime: lifetime(world),
  });
  for (let i = 0; i < 5; i++) {
    const { staged } = await createCommit(state, { rules, signer, forcePath: true });
    ({ state } = adoptCommit(state, staged, rules));
  }
  const { keyPackage: theirs } = decodeMessageOf("mls_key_package", keyPackage);
  const proposals = [{ proposalType: ProposalType.add, keyPackage: theirs }];
  const { welcome } = (await createCommit(state, { rules, signer, proposals })).staged;
  if (welcome === undefined) throw new Error("An Add makes a Welcome");
  return welcome;
}

/** Shows `extra` in the inbox before what is there, until it is acknowledged. */
function withInbox(extra: InboxEntry[]): (service: DeliveryService) => DeliveryService {
  return (service) => ({
    ...service,
    readInbox: async (options) => (extra.length > 0 ? extra : service.readInbox(options)),
    acknowledgeInbox: async (id, options) => {
      if (extra[0]?.id === id) extra.shift();
      else await service.acknowledgeInbox(id, options);
    },
  });
}

/** Remembers all Welcomes that are seen. */
function watching(welcomes: InboxEntry[]): (service: DeliveryService) => DeliveryService {
  return (service) => ({
    ...service,
    readInbox: async (options) => {
      const entries = await service.readInbox(options);
      welcomes.push(...entries.filter(({ id }) => !welcomes.some((known) => known.id === id)));
      return entries;
    },
  });
}

/** A device that others can only add by its last-resort key package. */
async function withLastResort(world: World) {
  const device = world.device("bob");
  const bob = await device.open();
  await bob.engine.close();
  const spender = await outsider(world, "spender");
  for (let i = 0; i < 5; i++) await spender.delivery.claimKeyPackages(["bob"]);
  // The directory says that all are there, so that no more are made.
  const wrap = (service: DeliveryService): DeliveryService => ({
    ...service,
    countKeyPackages: () => Promise.resolve(100),
  });
  return { device, wrap };
}

describe("invitations", () => {
  test("adversarial 34, R-12.4.3-3: a Welcome for a group already held never overwrites it", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    await atAlice.send("kept");
    await world.until(() => atBob.snapshot.lastItem === 2);
    const { keyPackage } = (await bob.delivery.claimKeyPackages(["bob"]))[0] ?? {};
    if (keyPackage === undefined) throw new Error("There are key packages");
    const welcome = await forgedWelcome(world, fromHex(atAlice.id), keyPackage);
    bob.crash();
    const inbox = [{ id: 1000, groupId: fromHex(atAlice.id), welcome, position: POSITION }];
    const reopened = await bobDevice.open({ wrap: withInbox(inbox) });
    const codes = problems(reopened.client);
    await world.until(() => inbox.length === 0 && codes.length === 1);
    expect(codes).toEqual(["ERR_MLS_WELCOME"]);
    expect(await texts(again(reopened, atBob))).toEqual(["kept"]);
    await world.agree(atAlice, again(reopened, atBob));
  });

  test("a Welcome that cannot be used is reported, acknowledged and passed over", async () => {
    const world = new World();
    const inbox = [{ id: 1000, groupId: Uint8Array.of(7), welcome: Uint8Array.of(1, 2, 3), position: POSITION }];
    const client = await world.device("bob").client({ wrap: withInbox(inbox) });
    const codes = problems(client);
    const group = await (await world.client("alice")).createGroup();
    await world.run(group.add(["bob"]));
    await world.agree(group, await world.arrival(client, group.id));
    expect(codes).toEqual(["ERR_MLS_VERSION"]);
  });

  test("a Welcome for an unknown key package is a problem of its own", async () => {
    const { world, atAlice } = await pair();
    const { keyPackage } = (await (await outsider(world, "zoe")).delivery.claimKeyPackages(["bob"]))[0] ?? {};
    if (keyPackage === undefined) throw new Error("There are key packages");
    const welcome = await forgedWelcome(world, Uint8Array.of(1), keyPackage);
    const inbox = [{ id: 1, groupId: Uint8Array.of(1), welcome, position: POSITION }];
    const client = await world.device("carol").client({ wrap: withInbox(inbox) });
    const codes = problems(client);
    await world.until(() => inbox.length === 0 && codes.length === 1);
    expect(codes).toEqual(["ERR_MLS_WELCOME"]);
    expect(client.conversations).toEqual([]);
    expect(atAlice.snapshot.status).toBe("active");
  });

  test("an invitation that cannot be judged now is neither acknowledged nor in the way of the next", async () => {
    const world = new World();
    const bobDevice = world.device("bob");
    const alice = await world.client("alice");
    const carol = await world.client("carol");
    const bob = await bobDevice.open({
      wrap: (service) => ({
        ...service,
        readDeviceLog: (query, options) =>
          query.user === "alice" && isHidden
            ? Promise.reject(new CoppiceError("ERR_DS_INTERNAL", "The directory is ill"))
            : service.readDeviceLog(query, options),
      }),
    });
    let isHidden = true;
    const first = await alice.createGroup();
    await world.run(first.add("bob"));
    const second = await carol.createGroup();
    await world.run(second.add("bob"));
    await world.arrival(bob.client, second.id);
    expect(bob.client.conversation(first.id)).toBeUndefined();
    expect(await bob.delivery.readInbox()).toHaveLength(2);
    isHidden = false;
    await world.agree(first, await world.arrival(bob.client, first.id));
    await world.until(async () => (await bob.delivery.readInbox()).length === 0);
  });

  test("a crash between joining and acknowledging joins once, without a problem", async () => {
    const world = new World();
    const device = world.device("bob");
    const bob = await device.open();
    const alice = await world.client("alice");
    bob.delivery.network.fault = ({ call, phase }) => {
      if (call === "acknowledgeInbox" && phase === "request") bob.crash();
    };
    const group = await alice.createGroup();
    await world.run(group.add(["bob"]));
    await world.until(() => !bob.delivery.network.reachable);
    const reopened = await device.open();
    const codes = problems(reopened.client);
    const joined = await world.arrival(reopened.client, group.id);
    await world.run(reopened.client.sync());
    expect(codes).toEqual([]);
    expect(joined.snapshot.lastItem).toBe(1);
    await world.agree(group, joined);
  });

  test("someone who was removed can be added again, and keeps the history", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    await atAlice.send("first stay");
    await world.until(() => atBob.snapshot.lastItem === 2);
    await world.run(atAlice.remove(["bob"]));
    await world.until(() => atBob.snapshot.status === "removed");
    await atAlice.send("not for bob");
    await world.run(atAlice.add(["bob"]));
    await world.until(() => atBob.snapshot.status === "active");
    const heard = listen(atBob);
    await atAlice.send("second stay");
    await world.until(() => heard.includes("alice: second stay"));
    expect(await texts(atBob)).toEqual(["first stay", "second stay"]);
    await world.agree(atAlice, atBob);
    await bob.engine.close();
    const reopened = again(await bobDevice.open(), atBob);
    await reopened.send("me again");
    await world.until(async () => (await texts(atAlice)).includes("me again"));
    await world.agree(atAlice, reopened);
    expect(await names(reopened)).toEqual(["alice", "bob"]);
  });

  test("removed and added again while away: the removal is seen first, and the invitation is kept", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    await atAlice.send("first stay");
    await world.until(() => atBob.snapshot.lastItem === 2);
    bob.crash();
    await world.run(atAlice.remove(["bob"]));
    await world.run(atAlice.add(["bob"]));
    const reopened = await bobDevice.open();
    const codes = problems(reopened.client);
    await world.agree(atAlice, again(reopened, atBob));
    expect(codes).toEqual([]);
    expect(await texts(again(reopened, atBob))).toEqual(["first stay"]);
  });

  test("a conversation that is broken is joined by an invitation of a later epoch", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    await atAlice.send("before");
    await world.until(() => atBob.snapshot.lastItem === 2);
    bob.crash();
    await world.run(atAlice.update());
    // Bob is shown another commit than the others, once.
    let spoilt = false;
    const reopened = await bobDevice.open({
      wrap: (service) => ({
        ...service,
        readLog: async (query, options) => {
          const page = await service.readLog(query, options);
          if (spoilt || page.entries.length === 0) return page;
          spoilt = true;
          return { ...page, entries: page.entries.map((entry) => ({ ...entry, message: Uint8Array.of(9) })) };
        },
      }),
    });
    const conversation = again(reopened, atBob);
    const codes = problems(reopened.client);
    await world.until(() => conversation.snapshot.status === "broken");
    await world.run(atAlice.remove("bob"));
    await world.run(atAlice.add("bob"));
    await world.agree(atAlice, conversation);
    expect(codes).toEqual(["ERR_MLS_DECODE"]);
    await atAlice.send("after");
    await world.until(async () => (await texts(conversation)).length === 2);
    expect(await texts(conversation)).toEqual(["before", "after"]);
  });

  test("adversarial 34: an old Welcome does not bring back an old epoch, not even by the last resort", async () => {
    const world = new World();
    const { device, wrap } = await withLastResort(world);
    const welcomes: InboxEntry[] = [];
    const reopened = await device.open({ wrap: (service) => watching(welcomes)(wrap(service)) });
    const alice = await world.client("alice");
    const group = await alice.createGroup();
    await world.run(group.add(["bob"]));
    const atBob = await world.arrival(reopened.client, group.id);
    for (const change of ["remove", "add", "remove"] as const) {
      await world.run(group[change](["bob"]));
      await world.until(() => atBob.snapshot.status === (change === "add" ? "active" : "removed"));
    }
    const { epoch } = atBob.snapshot;
    await reopened.engine.close();
    const [first] = welcomes;
    if (first === undefined) throw new Error("There was a Welcome");
    const inbox = [{ ...first, id: 1000 }];
    const third = await device.open({ wrap: withInbox(inbox) });
    const codes = problems(third.client);
    await world.until(() => inbox.length === 0 && codes.length > 0);
    expect(codes).toEqual(["ERR_MLS_WELCOME"]);
    expect(again(third, atBob).snapshot).toMatchObject({ status: "removed", epoch });
  });

  test("adversarial 48: the acknowledgement fails, the conversation is forgotten: the same Welcome does not join again", async () => {
    const world = new World();
    const { device, wrap } = await withLastResort(world);
    const welcomes: InboxEntry[] = [];
    const bob = await device.open({ wrap: (service) => watching(welcomes)(wrap(service)) });
    const alice = await world.client("alice");
    const group = await alice.createGroup();
    await world.run(group.add(["bob"]));
    const atBob = await world.arrival(bob.client, group.id);
    await atBob.send("generation 0");
    await world.until(async () => (await texts(group)).length === 1);
    await atBob.forget();
    await bob.engine.close();
    const [first] = welcomes;
    if (first === undefined) throw new Error("There was a Welcome");
    const inbox = [{ ...first, id: 1000 }];
    const reopened = await device.open({ wrap: withInbox(inbox) });
    await world.until(() => inbox.length === 0);
    await world.run(reopened.client.sync());
    expect(reopened.client.conversations).toEqual([]);
    // A later one does.
    await world.run(group.remove("bob"));
    await world.run(group.add("bob"));
    await world.agree(group, await world.arrival(reopened.client, group.id));
  });

  test("adversarial 48: a Welcome in other bytes does not bring an epoch back, whose keys were used, not even to damaged records", async () => {
    const world = new World();
    const { device, wrap } = await withLastResort(world);
    const welcomes: InboxEntry[] = [];
    const bob = await device.open({ wrap: (service) => watching(welcomes)(wrap(service)) });
    const alice = await world.client("alice");
    const group = await alice.createGroup();
    await world.run(group.add("bob"));
    const atBob = await world.arrival(bob.client, group.id);
    await atBob.send("generation 0");
    await world.until(async () => (await texts(group)).length === 1);
    await bob.engine.close();
    const [first] = welcomes;
    if (first === undefined) throw new Error("There was a Welcome");
    // The same secrets for Bob, and some for nobody.
    const { welcome } = decodeMessageOf("mls_welcome", first.welcome);
    const [secrets] = welcome.secrets;
    if (secrets === undefined) throw new Error("They are for Bob");
    const nobody = { ...secrets, newMember: new Uint8Array(32) };
    const altered = encodeMessage({ wireFormat: "mls_welcome", welcome: { ...welcome, secrets: [secrets, nobody] } });
    const inbox = [first, { ...first, welcome: altered }].map((entry, i) => ({ ...entry, id: 1000 + i }));
    // The conversation's records are lost altogether.
    const store = device.store();
    const { version } = await store.read(CONVERSATION + group.id, []);
    await store.write([{ partition: CONVERSATION + group.id, expectedVersion: version, clear: true }]);
    const reopened = await device.open({ wrap: withInbox(inbox) });
    await world.until(() => inbox.length === 0);
    await world.run(reopened.client.sync());
    expect(reopened.client.conversations).toEqual([]);
    await world.run(group.remove("bob"));
    await world.run(group.add("bob"));
    await world.agree(group, await world.arrival(reopened.client, group.id));
  });

  test("forgotten by a tab that slept over a new invitation: that one's Welcome does not join again", async () => {
    const world = new World();
    const { device, wrap } = await withLastResort(world);
    const welcomes: InboxEntry[] = [];
    const bob = await device.open({ wrap: (service) => watching(welcomes)(wrap(service)) });
    const alice = await world.client("alice");
    const group = await alice.createGroup();
    await world.run(group.add(["bob"]));
    const atBob = await world.arrival(bob.client, group.id);
    const deaf = await device.open({ wrap, wrapStore: deafStore });
    await world.run(group.remove(["bob"]));
    await world.run(group.add(["bob"]));
    await world.agree(group, atBob);
    await atBob.send("generation 0");
    await world.until(async () => (await texts(group)).length === 1);
    await world.run(again(deaf, atBob).forget());
    await Promise.all([bob.engine.close(), deaf.engine.close()]);
    const inbox = welcomes.slice(1).map((entry, i) => ({ ...entry, id: 1000 + i }));
    expect(inbox).toHaveLength(1);
    const reopened = await device.open({ wrap: withInbox(inbox) });
    await world.until(() => inbox.length === 0);
    await world.run(reopened.client.sync());
    expect(reopened.client.conversations).toEqual([]);
  });
});
