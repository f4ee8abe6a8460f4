/**
 * Device logs that the directory does not show: what depends on one waits, for as long as that is nobody's harm, and then gets the same
 * verdict everywhere.
 */
import {
  basicCredential,
  createCommit,
  createGroup,
  createKeyPackage,
  createProposal,
  decodeMessageOf,
  ProposalType,
} from "@coppice/core";
import { encodeIdentity, type DeliveryService } from "@coppice/delivery";
import { CoppiceError } from "@coppice/kit";
import { describe, expect, test } from "vitest";
import { ACCOUNT, WAITING, waitingRecord } from "../src/records/account.ts";
import { CONVERSATION, WAIT, waitRecord } from "../src/records/conversation.ts";
import { CAPABILITIES, lifetime, member, outsider, trusting, type Outsider } from "./outsider.ts";
import { again, names, pair, problems, texts, World, type Device } from "./world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** While `isShort`, the directory shows nothing of this user's log. */
const withheld =
  (user: string, isShort: () => boolean) =>
  (service: DeliveryService): DeliveryService => ({
    ...service,
    readDeviceLog: async (query, options) =>
      isShort() && query.user === user ? [] : service.readDeviceLog(query, options),
  });

/** As after this many milliseconds of waiting. */
async function age(device: Device, milliseconds: number): Promise<void> {
  const store = device.store();
  const { version, records } = await store.read(ACCOUNT, [{ prefix: WAITING }]);
  const put = new Map<string, Uint8Array>();
  for (const [name, bytes] of records) {
    const { spent, ...waiting } = waitingRecord.decode(bytes);
    put.set(name, waitingRecord.encode({ ...waiting, spent: spent + milliseconds }));
  }
  await store.write([{ partition: ACCOUNT, expectedVersion: version, put }]);
}

describe("a Welcome", () => {
  test("waits for the log of a member that the directory does not show yet", async () => {
    const world = new World();
    const alice = await world.client("alice");
    let isShort = true;
    const bob = await world.device("bob").open({ wrap: withheld("alice", () => isShort) });
    const told = problems(bob.client);
    const group = await alice.createGroup();
    await world.run(group.add("bob"));
    await world.time.advance(4 * MINUTE);
    expect(bob.client.conversations).toEqual([]);
    expect(told).toEqual(["ERR_CLIENT_DEVICE_LOG"]);
    isShort = false;
    await world.until(() => bob.client.conversation(group.id) !== undefined, 20 * MINUTE);
    await world.agree(group, await world.arrival(bob.client, group.id));
    expect(await bob.delivery.readInbox()).toEqual([]);
  });

  test("waits also over a restart, and where the directory says that there is no such user", async () => {
    const world = new World();
    const alice = await world.client("alice");
    let isShort = true;
    const wrap = (service: DeliveryService): DeliveryService => ({
      ...service,
      readDeviceLog: (query, options) =>
        isShort && query.user === "alice"
          ? Promise.reject(new CoppiceError("ERR_DS_UNKNOWN_USER", "Nobody has this name"))
          : service.readDeviceLog(query, options),
    });
    const device = world.device("bob");
    const bob = await device.open({ wrap });
    const group = await alice.createGroup();
    await world.run(group.add("bob"));
    await world.time.advance(5 * MINUTE);
    bob.crash();
    isShort = false;
    const reopened = await device.open({ wrap });
    await world.agree(group, await world.arrival(reopened.client, group.id));
  });

  test("is refused for good, and that is told, once it has waited for a day", async () => {
    const world = new World();
    const alice = await world.client("alice");
    const device = world.device("bob");
    const bob = await device.open({ wrap: withheld("alice", () => true) });
    const told: unknown[] = [];
    bob.client.on("problem", ({ code, conversation }) => told.push([code, conversation]));
    const group = await alice.createGroup();
    await world.run(group.add("bob"));
    await world.time.advance(3 * MINUTE);
    await age(device, 23 * HOUR);
    await world.time.advance(15 * MINUTE);
    expect(told).toEqual([["ERR_CLIENT_DEVICE_LOG", undefined]]);
    await age(device, HOUR);
    await world.time.advance(15 * MINUTE);
    expect(told).toEqual([
      ["ERR_CLIENT_DEVICE_LOG", undefined],
      ["ERR_CLIENT_DEVICE_LOG", group.id],
    ]);
    // A later one is looked at anew.
    await world.run(group.remove("bob"));
    await world.run(group.add("bob"));
    await world.time.advance(15 * MINUTE);
    expect(told).toHaveLength(2);
  });

  test("is not refused because the clock jumps by two days", async () => {
    const world = new World();
    const alice = await world.client("alice");
    let isShort = true;
    const device = world.device("bob");
    const bob = await device.open({ wrap: withheld("alice", () => isShort) });
    const group = await alice.createGroup();
    await world.run(group.add("bob"));
    await world.time.advance(5 * MINUTE);
    bob.crash();
    const ahead = await device.open({ wrap: withheld("alice", () => isShort), clockAhead: 48 * HOUR });
    await world.time.advance(30 * MINUTE);
    ahead.crash();
    isShort = false;
    const right = await device.open({ wrap: withheld("alice", () => isShort) });
    await world.agree(group, await world.arrival(right.client, group.id));
  });

  test("adversarial: any number that waits hides nothing, costs no key packages, and has bounded room", async () => {
    const world = new World();
    const mallory = await outsider(world, "mallory");
    let isShort = true;
    const device = world.device("bob");
    const bob = await device.open({ wrap: withheld("mallory", () => isShort) });
    const told: unknown[] = [];
    bob.client.on("problem", ({ detail }) => told.push(detail["limit"] ?? detail["user"]));
    await invite(world, mallory, bob.delivery);
    await world.time.advance(MINUTE);
    await fill(device, 64);
    for (let i = 0; i < 3; i++) await invite(world, mallory, bob.delivery);
    await world.time.advance(MINUTE);
    expect(await bob.delivery.readInbox()).toEqual([]);
    expect(told).toEqual(["mallory", 64, 64, 64]);
    expect(await waitingOn(device)).toBe(64);
    expect(await bob.delivery.countKeyPackages()).toBeGreaterThanOrEqual(2);
    const alice = await world.client("alice");
    const group = await alice.createGroup();
    await world.run(group.add("bob"));
    await world.agree(group, await world.arrival(bob.client, group.id));
    isShort = false;
    await world.until(() => bob.client.conversations.length > 1, 30 * MINUTE);
  });
});

const waitingOn = async (device: Device): Promise<number> =>
  (await device.store().read(ACCOUNT, [{ prefix: WAITING }])).records.size;

/** The one that waits, as often as it takes. */
async function fill(device: Device, count: number): Promise<void> {
  const store = device.store();
  const { version, records } = await store.read(ACCOUNT, [{ prefix: WAITING }]);
  const [stored] = records.values();
  if (stored === undefined) throw new Error("One waits");
  const put = new Map(Array.from({ length: count - 1 }, (_, i) => [`${WAITING}${i}`, stored] as const));
  await store.write([{ partition: ACCOUNT, expectedVersion: version, put }]);
}

/** A user without an engine invites Bob to a group of their own. */
async function invite(world: World, { suite, signer, credential, delivery }: Outsider, bob: DeliveryService) {
  const rules = trusting(world);
  const groupId = crypto.getRandomValues(new Uint8Array(16));
  const state = await createGroup({
    ...{ suite, rules, signer, groupId, credential },
    capabilities: CAPABILITIES,
    lifetime: lifetime(world),
  });
  const { incarnation } = await delivery.createGroup({ groupId, groupInfo: Uint8Array.of(1) });
  const [claimed] = await bob.claimKeyPackages(["bob"]);
  if (claimed === undefined) throw new Error("There is a last resort");
  const { keyPackage } = decodeMessageOf("mls_key_package", claimed.keyPackage);
  const proposals = [{ proposalType: ProposalType.add, keyPackage }];
  const { staged } = await createCommit(state, { rules, signer, proposals });
  await delivery.submitCommit({
    ...{ groupId, position: { incarnation, seq: 0 }, epoch: 0n, commit: staged.commit, groupInfo: Uint8Array.of(1) },
    added: [{ client: claimed.client, welcome: staged.welcome }],
    removed: [],
  });
}

describe("a Commit", () => {
  test("waits for the log of a user that the directory does not show yet; messages go on", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    await world.client("carol");
    bob.crash();
    let isShort = true;
    const reopened = await bobDevice.open({ wrap: withheld("carol", () => isShort) });
    const told = problems(reopened.client);
    const conversation = again(reopened, atBob);
    await atAlice.send("before");
    await world.run(atAlice.add("carol"));
    await atAlice.send("after");
    await world.until(async () => (await texts(conversation)).length === 1);
    await conversation.send("meanwhile");
    await world.until(async () => (await texts(atAlice)).includes("meanwhile"));
    await world.time.advance(4 * MINUTE);
    expect(conversation.snapshot).toMatchObject({ status: "active", epoch: 1n });
    expect(told).toEqual(["ERR_CLIENT_DEVICE_LOG"]);
    isShort = false;
    await world.until(() => conversation.snapshot.epoch === 2n);
    await world.agree(atAlice, conversation);
    expect(await texts(conversation)).toEqual(["before", "meanwhile", "after"]);
    expect(await names(conversation)).toEqual(["alice", "bob", "carol"]);
  });

  test("waits over restarts, and again after it was shown", async () => {
    const { world, bobDevice, bob, atAlice, atBob } = await pair();
    bob.crash();
    for (const user of ["carol", "dave", "erin"]) {
      await world.client(user);
      const short = await bobDevice.open({ wrap: withheld(user, () => true) });
      await world.run(atAlice.add(user));
      await world.time.advance(3 * MINUTE);
      expect(again(short, atBob).snapshot.status).toBe("active");
      short.crash();
      const whole = await bobDevice.open();
      await world.agree(atAlice, again(whole, atBob));
      whole.crash();
    }
  });

  /** Carol is a member who commits, or proposes, a leaf at a position that her device log never gets. */
  async function misplaced(kind: "commit" | "proposal") {
    const scene = await pair();
    const { world, atAlice, atBob } = scene;
    const carol = await outsider(world, "carol");
    const { state, position } = await member(world, atAlice, carol);
    await world.agree(atAlice, atBob);
    const credential = basicCredential(
      encodeIdentity({
        client: { user: "carol", device: kind === "commit" ? carol.device : "99".repeat(16) },
        position: 9,
      }),
    );
    const { groupId, epoch } = state.context;
    const options = { rules: trusting(world), signer: carol.signer };
    if (kind === "commit") {
      const { staged } = await createCommit(state, { ...options, forcePath: true, leaf: { credential } });
      const submission = { groupId, position, epoch, commit: staged.commit, groupInfo: Uint8Array.of(0) };
      await carol.delivery.submitCommit({ ...submission, added: [], removed: [] });
    } else {
      const { keyPackage } = await createKeyPackage({
        ...{ suite: carol.suite, signer: carol.signer, credential, capabilities: CAPABILITIES },
        lifetime: lifetime(world),
      });
      const proposed = await createProposal(state, { proposalType: ProposalType.add, keyPackage }, options);
      await carol.delivery.sendMessages({ groupId, position, messages: [{ epoch, message: proposed.message }] });
    }
    return scene;
  }

  /** As after a conversation has waited for so long. */
  async function ageConversation(device: Device, id: string, milliseconds: number): Promise<void> {
    const [store, partition] = [device.store(), CONVERSATION + id];
    const { version, records } = await store.read(partition, [{ prefix: WAIT }]);
    const stored = records.get(WAIT);
    if (stored === undefined) throw new Error("It waits");
    const { spent, ...wait } = waitRecord.decode(stored);
    const put = new Map([[WAIT, waitRecord.encode({ ...wait, spent: spent + milliseconds })]]);
    await store.write([{ partition, expectedVersion: version, put }]);
  }

  test("adversarial: of a leaf whose place in its log never comes is refused by all alike, after an hour", async () => {
    const { world, atAlice, atBob, aliceDevice, bobDevice } = await misplaced("commit");
    await world.time.advance(12 * MINUTE);
    for (const device of [aliceDevice, bobDevice]) await ageConversation(device, atAlice.id, 40 * MINUTE);
    await world.time.advance(2 * MINUTE);
    expect([atAlice, atBob].map(({ snapshot }) => snapshot.status)).toEqual(["active", "active"]);
    for (const device of [aliceDevice, bobDevice]) await ageConversation(device, atAlice.id, 10 * MINUTE);
    await world.until(() => [atAlice, atBob].every(({ snapshot }) => snapshot.status === "broken"));
    expect(atAlice.snapshot.problem).toBe("ERR_CLIENT_DEVICE_LOG");
  });

  test("adversarial: a proposal of such a leaf keeps nobody from sending, nor from committing", async () => {
    const { world, atAlice, atBob } = await misplaced("proposal");
    await world.time.advance(MINUTE);
    await world.run(atAlice.update());
    await atBob.send("not kept waiting");
    await world.until(async () => (await texts(atAlice)).length === 1);
    await world.agree(atAlice, atBob);
    expect(await names(atAlice)).toEqual(["alice", "bob", "carol"]);
  });
});
