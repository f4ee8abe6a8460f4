/** Welcomes: joined once, never over a group that is held, never a stop for the next one. */
import {
  adoptCommit,
  basicCredential,
  createCommit,
  createGroup,
  decodeMessageOf,
  defaultCapabilities,
  fromHex,
  getCipherSuite,
  makeRules,
  ProposalType,
  type Bytes,
} from "@coppice/core";
import type { DeliveryService, Identity, InboxEntry } from "@coppice/delivery";
import { describe, expect, test } from "vitest";
import { again, agree, arrival, listen, names, pair, problems, texts, until, World } from "./world.ts";

/** A user of the Delivery Service without a client. */
async function identityOf(user: string): Promise<Identity> {
  const { signature } = await getCipherSuite(1);
  const signer = await signature.importSigner((await signature.generateKeyPair()).privateKey);
  return { user, publicKey: signer.publicKey, sign: (challenge) => signer.sign(new Uint8Array(challenge)) };
}

/** A genuine Welcome to another group that has the id of a known one, in a later epoch. */
async function forgedWelcome(groupId: Bytes, keyPackage: Uint8Array): Promise<Bytes> {
  const suite = await getCipherSuite(1);
  const signer = await suite.signature.importSigner((await suite.signature.generateKeyPair()).privateKey);
  const rules = makeRules({
    authentication: { validate: () => Promise.resolve() },
    now: () => BigInt(Date.now()) / 1000n,
  });
  const now = rules.now();
  let state = await createGroup({
    suite,
    rules,
    signer,
    groupId,
    credential: basicCredential("mallory"),
    capabilities: defaultCapabilities([1]),
    lifetime: { notBefore: now - 60n, notAfter: now + 3600n },
  });
  for (let i = 0; i < 5; i++) {
    const { staged } = await createCommit(state, { rules, signer, forcePath: true });
    ({ state } = adoptCommit(state, staged, rules));
  }
  const { keyPackage: theirs } = decodeMessageOf("mls_key_package", keyPackage);
  const proposals = [{ proposalType: ProposalType.add, keyPackage: theirs }];
  const { welcome } = (await createCommit(state, { rules, signer, proposals })).staged;
  if (welcome === undefined) throw new Error("an Add makes a Welcome");
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

describe("invitations", () => {
  test("adversarial 34, R-12.4.3-3: a Welcome for a group already held never overwrites it", async () => {
    const { bobDevice, bob, atAlice, atBob } = await pair();
    await atAlice.send("kept");
    await until(() => atBob.snapshot.lastItem === 2);
    const { keyPackage } = (await bob.delivery.claimKeyPackages(["bob"]))[0] ?? {};
    if (keyPackage === undefined) throw new Error("there are key packages");
    const welcome = await forgedWelcome(fromHex(atAlice.id), keyPackage);
    bob.crash();
    const inbox = [{ id: 1000, groupId: fromHex(atAlice.id), welcome, cursor: 1 }];
    const { snapshot } = atAlice;
    const reopened = await bobDevice.open({ wrap: withInbox(inbox) });
    const codes = problems(reopened.client);
    await until(() => inbox.length === 0);
    await until(() => codes.length === 1);
    expect(codes).toEqual(["ERR_MLS_WELCOME"]);
    expect(again(reopened, atBob).snapshot.safetyNumber).toBe(snapshot.safetyNumber);
    expect(await texts(again(reopened, atBob))).toEqual(["kept"]);
    await agree(atAlice, again(reopened, atBob));
  });

  test("a Welcome that cannot be used is reported, acknowledged and passed over", async () => {
    const world = new World();
    const inbox = [{ id: 1000, groupId: Uint8Array.of(7), welcome: Uint8Array.of(1, 2, 3), cursor: 1 }];
    const { client } = await world.device("bob").open({ wrap: withInbox(inbox) });
    const codes = problems(client);
    const alice = await world.client("alice");
    const group = await alice.createGroup();
    await group.add(["bob"]);
    await agree(group, await arrival(client, group.id));
    expect(codes).toEqual(["ERR_MLS_VERSION"]);
  });

  test("a Welcome for an unknown key package is a problem of its own", async () => {
    const world = new World();
    const alice = await world.client("alice");
    const lost = await world.device("bob").open();
    const { keyPackage } = (await lost.delivery.claimKeyPackages(["bob"]))[0] ?? {};
    if (keyPackage === undefined) throw new Error("there are key packages");
    let welcome: Uint8Array<ArrayBuffer> | undefined;
    const sender = await world.device("sender").open({
      wrap: (service) => ({
        ...service,
        submitCommit: async (submission, options) => {
          welcome = new Uint8Array(submission.added[0]?.welcome ?? []);
          return service.submitCommit(submission, options);
        },
      }),
    });
    const group = await sender.client.createGroup();
    await group.add(["alice"]);
    if (welcome === undefined) throw new Error("a Welcome was made");
    await until(() => alice.conversations.length === 1);
    const inbox = [{ id: 1, groupId: fromHex(group.id), welcome, cursor: 1 }];
    const { client } = await world.device("carol").open({ wrap: withInbox(inbox) });
    const codes = problems(client);
    await until(() => inbox.length === 0);
    await until(() => codes.length === 1);
    expect(codes).toEqual(["ERR_MLS_WELCOME"]);
    expect(client.conversations).toEqual([]);
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
    await group.add(["bob"]);
    await until(() => !bob.delivery.network.reachable);
    const reopened = await device.open();
    const codes = problems(reopened.client);
    const joined = await arrival(reopened.client, group.id);
    await reopened.client.sync();
    expect(codes).toEqual([]);
    expect(joined.snapshot.lastItem).toBe(1);
    await agree(group, joined);
  });

  test("someone who was removed can be added again, and keeps the history", async () => {
    const { bobDevice, bob, atAlice, atBob } = await pair();
    await atAlice.send("first stay");
    await until(() => atBob.snapshot.lastItem === 2);
    await atAlice.remove(["bob"]);
    await until(() => atBob.snapshot.status === "removed");
    await atAlice.send("not for bob");
    await atAlice.add(["bob"]);
    await until(() => atBob.snapshot.status === "active");
    const heard = listen(atBob);
    await atAlice.send("second stay");
    await until(() => heard.includes("alice: second stay"));
    expect(await texts(atBob)).toEqual(["first stay", "second stay"]);
    await agree(atAlice, atBob);
    await bob.client.close();
    const reopened = again(await bobDevice.open(), atBob);
    await reopened.send("me again");
    await until(async () => (await texts(atAlice)).includes("me again"));
    await agree(atAlice, reopened);
    expect(names(reopened)).toEqual(["alice", "bob"]);
  });

  test("removed and added again while away: the removal is seen first, and the invitation is kept", async () => {
    const { bobDevice, bob, atAlice, atBob } = await pair();
    await atAlice.send("first stay");
    await until(() => atBob.snapshot.lastItem === 2);
    bob.crash();
    await atAlice.remove(["bob"]);
    await atAlice.add(["bob"]);
    const reopened = await bobDevice.open();
    const codes = problems(reopened.client);
    await agree(atAlice, again(reopened, atBob));
    expect(codes).toEqual([]);
    expect(await texts(again(reopened, atBob))).toEqual(["first stay"]);
  });

  test("adversarial 34: an old Welcome does not bring back an old epoch, not even by the last resort", async () => {
    const world = new World();
    const device = world.device("bob");
    const bob = await device.open();
    // Only the last resort is left.
    await bob.delivery.claimKeyPackages(["bob"]);
    await bob.client.close();
    const spent = await world.service.connect(await identityOf("x"));
    for (let i = 0; i < 4; i++) await spent.claimKeyPackages(["bob"]);
    const welcomes: InboxEntry[] = [];
    const reopened = await device.open({
      wrap: (service) => ({
        ...service,
        countKeyPackages: () => Promise.resolve(100),
        readInbox: async (options) => {
          const entries = await service.readInbox(options);
          welcomes.push(...entries.filter(({ id }) => !welcomes.some((known) => known.id === id)));
          return entries;
        },
      }),
    });
    const alice = await world.client("alice");
    const group = await alice.createGroup();
    await group.add(["bob"]);
    const atBob = await arrival(reopened.client, group.id);
    await group.remove(["bob"]);
    await until(() => atBob.snapshot.status === "removed");
    await group.add(["bob"]);
    await until(() => atBob.snapshot.status === "active");
    await group.remove(["bob"]);
    await until(() => atBob.snapshot.status === "removed");
    const { epoch } = atBob.snapshot;
    await reopened.client.close();
    const [first] = welcomes;
    if (first === undefined) throw new Error("there was a Welcome");
    const inbox = [{ ...first, id: 1000 }];
    const third = await device.open({ wrap: withInbox(inbox) });
    const codes = problems(third.client);
    await until(() => inbox.length === 0 && codes.length > 0);
    expect(codes).toEqual(["ERR_MLS_WELCOME"]);
    expect(again(third, atBob).snapshot).toMatchObject({ status: "removed", epoch });
  });
});
