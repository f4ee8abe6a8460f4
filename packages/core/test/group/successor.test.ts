/** Groups that succeed others: reinitialisation (RFC 9420 §11.2) and subgroup branching (§11.3). */
import { beforeAll, describe, expect, test } from "vitest";
import { randomBytes } from "@coppice/kit";
import { toHex, utf8 } from "../../src/codec/bytes.ts";
import { adoptCommit, createFirstCommit } from "../../src/commit/create.ts";
import type { Credential } from "../../src/identity/credential.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { decodeMessageOf } from "../../src/framing/mls-message.ts";
import type { ReInitProposal } from "../../src/framing/proposal.ts";
import type { CreateGroupOptions } from "../../src/group/create.ts";
import { createGroup } from "../../src/group/create.ts";
import { exportSecret } from "../../src/group/export.ts";
import type { JoinOptions } from "../../src/group/join.ts";
import { joinGroup } from "../../src/group/join.ts";
import { decodeGroupState, encodeGroupState, encodeOwnKeyPackage } from "../../src/group/serialise.ts";
import type { SuccessionPskId } from "../../src/group/succession.ts";
import { findSuccessionPsk } from "../../src/group/succession.ts";
import type { ReinitOptions, Successor, SuccessorOptions } from "../../src/group/successor.ts";
import { branchGroup, reinitGroup } from "../../src/group/successor.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import type { OwnKeyPackage } from "../../src/framing/key-package.ts";
import type { Expected } from "../support/group.ts";
import { at, expectRefusal, Group, LIFETIME, Member, TEST_EXTENSION, testRules } from "../support/group.ts";

const suite = await getCipherSuite(1);

/** A client with the name, as a member of the old group and as one of the group to come, with keys of its suite. */
interface Client {
  readonly old: GroupState;
  readonly next: Member;
  readonly own: OwnKeyPackage;
}

async function clients(members: readonly Member[], nextSuite: CipherSuite): Promise<Client[]> {
  return Promise.all(
    members.map(async ({ name, state, rules }) => {
      const next = await Member.create(name, { suite: nextSuite, rules });
      return { old: state, next, own: await next.keyPackage() };
    }),
  );
}

function optionsFor({ next }: Client, others: readonly Client[]): SuccessorOptions & ReinitOptions {
  const { suite: nextSuite, rules, signer, capabilities, name } = next;
  const keyPackages = others.map(({ own }) => own.keyPackage);
  return {
    ...{ suite: nextSuite, rules, signer, capabilities, keyPackages },
    ...{ credential: basicCredential(name), lifetime: LIFETIME },
  };
}

async function join(
  { old, next, own }: Client,
  welcome: Uint8Array,
  changes: Partial<JoinOptions> = {},
): Promise<GroupState> {
  const decoded = decodeMessageOf("mls_welcome", welcome).welcome;
  const options = { suite: next.suite, rules: next.rules, keyPackage: own, findGroup: () => old, ...changes };
  return (await joinGroup(decoded, options)).state;
}

async function expectTogether(
  creator: Client,
  others: readonly Client[],
  { state, welcome }: Successor,
): Promise<void> {
  creator.next.state = state;
  for (const client of others) client.next.state = await join(client, welcome);
  const members = [creator, ...others].map(({ next }) => next);
  const secrets = members.map((member) =>
    toHex(exportSecret(member.state, { label: "test", context: utf8("x"), length: 32 })),
  );
  expect(new Set(secrets).size).toBe(1);
  expect(members.every((member) => member.state.context.epoch === 1n)).toBe(true);
  const message = await creator.next.send("in the new group");
  for (const { next } of others) expect((await next.receive(message)).kind).toBe("application");
}

const reinitTo = (cipherSuite: number, changes: Partial<ReInitProposal> = {}): ReInitProposal => ({
  proposalType: 5,
  groupId: utf8("the next group"),
  version: 1,
  cipherSuite,
  extensions: [{ extensionType: TEST_EXTENSION, extensionData: utf8("kept") }],
  ...changes,
});

describe("reinitialisation", () => {
  test.each([1, 2, 3])(
    "moves all members to suite %i, whoever makes the new group (R-11.2-1, R-11.2-2, R-11.2-3, R-12.4.1-13, A-11)",
    async (id) => {
      const group = await Group.of(["alice", "bob", "carol"]);
      await group.commit(group.member("alice"), { proposals: [reinitTo(id)] });
      const [alice, bob, carol] = await clients(group.members, await getCipherSuite(id));
      if (!alice || !bob || !carol) throw new Error("three members");
      const made = await reinitGroup(bob.old, optionsFor(bob, [alice, carol]));
      expect(made.state.context).toMatchObject({ groupId: utf8("the next group"), cipherSuite: id, version: 1 });
      expect(made.state.context.extensions).toEqual(reinitTo(id).extensions);
      await expectTogether(bob, [alice, carol], made);
    },
  );

  test("works from states that were stored", async () => {
    const group = await Group.of(["alice", "bob"]);
    await group.commit(group.member("alice"), { proposals: [reinitTo(1)] });
    const [alice, bob] = await clients(group.members, suite);
    if (!alice || !bob) throw new Error("two members");
    const again = async (client: Client): Promise<Client> => ({
      ...client,
      old: await decodeGroupState(encodeGroupState(client.old)),
    });
    const made = await reinitGroup((await again(alice)).old, optionsFor(alice, [bob]));
    await expectTogether(alice, [await again(bob)], made);
  });

  test("needs a ReInit that was committed, and its suite (R-11.2-1, R-11.2-2, R-12.1.5-2)", async () => {
    const group = await Group.of(["alice", "bob"]);
    const alice = group.member("alice");
    const [early, bobEarly] = await clients(group.members, suite);
    if (!early || !bobEarly) throw new Error("two members");
    await expectRefusal(alice, { code: "ERR_MLS_STATE", requirement: "R-11.2-1" }, () =>
      reinitGroup(early.old, optionsFor(early, [bobEarly])),
    );
    await group.commit(alice, { proposals: [reinitTo(3)] });
    const [late, bobLate] = await clients(group.members, suite);
    if (!late || !bobLate) throw new Error("two members");
    await expectRefusal(alice, { code: "ERR_MLS_VERSION", requirement: "R-11.2-2" }, () =>
      reinitGroup(late.old, optionsFor(late, [bobLate])),
    );
    await expectRefusal(alice, { code: "ERR_MLS_STATE", requirement: "R-12.4.2-13" }, () =>
      branchGroup(late.old, optionsFor(late, [bobLate])),
    );
  });
});

describe("branching", () => {
  test("makes a group of some of the members (R-11.3-1)", async () => {
    const group = await Group.of(["alice", "bob", "carol", "dave", "erin"]);
    await group.commit(group.member("carol"));
    const some = ["dave", "alice", "erin"].map((name) => group.member(name));
    const [dave, alice, erin] = await clients(some, suite);
    if (!dave || !alice || !erin) throw new Error("three members");
    const made = await branchGroup(dave.old, optionsFor(dave, [alice, erin]));
    expect(toHex(made.state.context.groupId)).not.toBe(toHex(dave.old.context.groupId));
    await expectTogether(dave, [alice, erin], made);
    await group.chat(group.member("bob"), "the old group goes on");
  });

  test("can be joined after the old group has moved on", async () => {
    const group = await Group.of(["alice", "bob", "carol"]);
    const [alice] = await clients([group.member("alice")], suite);
    if (!alice) throw new Error("one member");
    const bob = group.member("bob");
    const own = await bob.keyPackage();
    const next = { old: bob.state, next: bob, own };
    const made = await branchGroup(alice.old, optionsFor(alice, [next]));
    await group.commit(group.member("carol"));
    const state = await join({ ...next, old: bob.state }, made.welcome);
    expect(toHex(state.secrets.epochAuthenticator)).toBe(toHex(made.state.secrets.epochAuthenticator));
  });
});

describe("what joiners refuse (adversarial 35)", () => {
  /** An old group that is reinitialised to suite 1, one that is not, and a client who forges their successors. */
  const old = {} as Record<"reinit" | "branch", { alice: Client; bob: Client; carol: Client; mallory: Client }>;

  beforeAll(async () => {
    const mallory = await Member.create("mallory");
    for (const usage of ["reinit", "branch"] as const) {
      const group = await Group.of(["alice", "bob", "carol"]);
      if (usage === "reinit") await group.commit(group.member("alice"), { proposals: [reinitTo(1)] });
      const [alice, bob, carol] = await clients(group.members, suite);
      if (!alice || !bob || !carol) throw new Error("three members");
      old[usage] = { alice, bob, carol, mallory: { old: alice.old, next: mallory, own: await mallory.keyPackage() } };
    }
  });

  interface Edits {
    readonly group?: Partial<CreateGroupOptions>;
    readonly id?: Partial<SuccessionPskId>;
    readonly psk?: Uint8Array<ArrayBuffer>;
    readonly invited?: readonly ("bob" | "carol" | "mallory")[];
    readonly commits?: number;
  }

  /** What Alice would send if her client checked nothing. */
  async function forge(usage: "reinit" | "branch", edits: Edits): Promise<Uint8Array> {
    const { alice, ...others } = old[usage];
    const invited = edits.invited ?? ["bob", "carol"];
    const options = optionsFor(
      alice,
      invited.map((name) => others[name]),
    );
    const { reinit, context, secrets } = alice.old;
    const announced = reinit === undefined ? {} : { groupId: reinit.groupId, extensions: reinit.extensions };
    let state = await createGroup({ ...options, ...announced, ...edits.group });
    for (let i = 0; i < (edits.commits ?? 0); i++) {
      alice.next.state = state;
      alice.next.adopt(await alice.next.commit());
      state = alice.next.state;
    }
    const id: SuccessionPskId = {
      ...{
        pskType: "resumption",
        usage,
        pskGroupId: context.groupId,
        pskEpoch: context.epoch,
        pskNonce: randomBytes(32),
      },
      ...edits.id,
    };
    const proposals = options.keyPackages.map((keyPackage) => ({ proposalType: 1 as const, keyPackage }));
    const { rules, signer } = options;
    const psk = edits.psk ?? secrets.resumptionPsk;
    const made = await createFirstCommit(state, { rules, signer, proposals }, { id, psk });
    adoptCommit(made.state, made.staged, rules);
    return made.staged.welcome ?? new Uint8Array(0);
  }

  /** Neither the old group's state nor the key package changes. */
  async function joinRefused(
    client: Client,
    welcome: Uint8Array,
    expected: Expected,
    changes: Partial<JoinOptions> = {},
  ): Promise<void> {
    const kept = (): string => toHex(encodeGroupState(client.old)) + toHex(encodeOwnKeyPackage(client.own));
    const before = kept();
    await expect(join(client, welcome, changes)).rejects.toMatchObject({ name: "CoppiceError", ...expected });
    expect(kept() === before).toBe(true);
  }

  async function refuses(usage: "reinit" | "branch", expected: Expected, edits: Edits): Promise<void> {
    const { bob } = old[usage];
    await joinRefused(bob, await forge(usage, edits), expected);
    await join(bob, await forge(usage, {}));
  }

  const welcomeRefused = (requirement: string): Expected => ({ code: "ERR_MLS_WELCOME", requirement });

  test("a reinitialised group that is not the one announced (R-11.2-2, R-12.4.3.1-18)", async () => {
    await refuses("reinit", welcomeRefused("R-11.2-2"), { group: { groupId: utf8("another") } });
    await refuses("reinit", welcomeRefused("R-11.2-2"), { group: { extensions: [] } });
  });

  test("a reinitialised group of another suite (R-11.2-2)", async () => {
    const group = await Group.of(["alice", "bob"]);
    await group.commit(group.member("alice"), { proposals: [reinitTo(3)] });
    const [alice, bob] = await clients(group.members, suite);
    if (!alice || !bob) throw new Error("two members");
    // As if Alice's ReInit had named suite 1.
    const pretended = { ...alice.old, reinit: { ...reinitTo(3), cipherSuite: 1 } };
    const { welcome } = await reinitGroup(pretended, optionsFor(alice, [bob]));
    await joinRefused(bob, welcome, welcomeRefused("R-11.2-2"));
  });

  test("a group of another version than that of the ReInit, or of the group branched from (R-11.2-2, R-11.3-2)", async () => {
    const { bob } = old.reinit;
    const reinit = bob.old.reinit && { ...bob.old.reinit, version: 2 };
    const announced = { findGroup: () => ({ ...bob.old, reinit }) };
    await joinRefused(bob, await forge("reinit", {}), welcomeRefused("R-11.2-2"), announced);
    const branched = old.branch.bob;
    const context = { ...branched.old.context, version: 2 };
    const from = { findGroup: () => ({ ...branched.old, context }) };
    await joinRefused(branched, await forge("branch", {}), welcomeRefused("R-11.3-2"), from);
  });

  test("a reinitialised group without a member of the old one, or with somebody else (R-12.4.3.1-18, R-12.4.1-13)", async () => {
    await refuses("reinit", welcomeRefused("R-12.4.3.1-18"), { invited: ["bob"] });
    await refuses("reinit", welcomeRefused("R-12.4.3.1-18"), { invited: ["bob", "carol", "mallory"] });
    const { alice, bob } = old.reinit;
    const before = toHex(encodeGroupState(alice.old));
    await expect(reinitGroup(alice.old, optionsFor(alice, [bob]))).rejects.toMatchObject(
      welcomeRefused("R-12.4.3.1-18"),
    );
    expect(toHex(encodeGroupState(alice.old)) === before).toBe(true);
  });

  test("a group that says it replaces one that was not reinitialised (R-12.4.3.1-18, R-11.2-4)", async () => {
    await refuses("branch", welcomeRefused("R-12.4.3.1-18"), { id: { usage: "reinit" } });
  });

  test("a reinitialised group tied to an earlier epoch than the ReInit's (R-11.2-3, T-24)", async () => {
    const { alice } = old.reinit;
    const pskEpoch = alice.old.context.epoch - 1n;
    const psk = alice.old.resumptionPsks.get(pskEpoch);
    if (psk === undefined) throw new Error("the epoch before");
    await refuses("reinit", welcomeRefused("R-12.4.3.1-18"), { id: { pskEpoch }, psk });
  });

  test("a PSK of an epoch that nobody here was in, or of another value (R-12.4.3.1-4, R-11.2-3)", async () => {
    await refuses("reinit", { code: "ERR_MLS_PSK", requirement: "R-12.4.3.1-4" }, { id: { pskEpoch: 99n } });
    await refuses("reinit", { code: "ERR_MLS_AEAD" }, { psk: randomBytes(32) });
    await refuses("branch", { code: "ERR_MLS_AEAD" }, { psk: randomBytes(32) });
  });

  test("a subgroup with somebody who was not in the group (R-11.3-3, R-12.4.3.1-19)", async () => {
    await refuses("branch", welcomeRefused("R-11.3-3"), { invited: ["bob", "mallory"] });
    const { alice, bob, mallory } = old.branch;
    const before = toHex(encodeGroupState(alice.old));
    await expect(branchGroup(alice.old, optionsFor(alice, [bob, mallory]))).rejects.toMatchObject(
      welcomeRefused("R-11.3-3"),
    );
    expect(toHex(encodeGroupState(alice.old)) === before).toBe(true);
  });

  test("a subgroup of another suite (R-11.3-2, R-12.4.3.1-19)", async () => {
    const three = await getCipherSuite(3);
    const { alice, bob } = old.branch;
    const [aliceThree, bobThree] = [
      { ...alice, next: await Member.create("alice", { suite: three }) },
      await Member.create("bob", { suite: three }),
    ];
    const own = await bobThree.keyPackage();
    const pretended = { ...alice.old, suite: three, context: { ...alice.old.context, cipherSuite: 3 } };
    const { welcome } = await branchGroup(pretended, optionsFor(aliceThree, [{ ...bob, own }]));
    await joinRefused({ ...bob, next: bobThree, own }, welcome, welcomeRefused("R-11.3-2"));
  });

  test.each(["reinit", "branch"] as const)(
    "a %s that does not begin at epoch 1 (R-12.4.3.1-17, R-11.2-2, R-11.3-2)",
    async (usage) => {
      await refuses(usage, welcomeRefused("R-12.4.3.1-17"), { commits: 1 });
    },
  );

  test("a subgroup of an epoch whose members are no longer known (R-11.3-3)", async () => {
    const { bob } = old.branch;
    const welcome = await forge("branch", {});
    const later: GroupState = {
      ...bob.old,
      context: { ...bob.old.context, epoch: bob.old.context.epoch + 1n },
      resumptionPsks: new Map([[bob.old.context.epoch, bob.old.secrets.resumptionPsk]]),
      pastEpochs: [],
    };
    await joinRefused(bob, welcome, welcomeRefused("R-11.3-3"), { findGroup: () => later });
  });
});

test("who matches whom is for the application to say (R-11.3-3, R-12.4.3.1-18)", async () => {
  const devices = (a: Credential): string =>
    ("identity" in a ? new TextDecoder().decode(a.identity).split("/")[0] : "") ?? "";
  const rules = testRules({
    authentication: { validate: () => Promise.resolve(), sameIdentity: (a, b) => devices(a) === devices(b) },
  });
  const group = await Group.of(["alice/phone", "bob/phone"], { rules });
  const [phone, bob] = await clients(group.members, suite);
  if (!phone || !bob) throw new Error("two members");
  const laptop = await Member.create("alice/laptop", { rules });
  const made = await branchGroup(
    bob.old,
    optionsFor(bob, [{ old: phone.old, next: laptop, own: await laptop.keyPackage() }]),
  );
  expect([...made.state.tree.members()].length).toBe(2);
  expect(at([...made.state.tree.members()], 1)[1].credential).toEqual(basicCredential("alice/laptop"));
});

test("a member who was removed has no PSK to prove a successor with: an empty one is none (R-12.4.3.1-4, T-24)", async () => {
  const group = await Group.of(["alice", "bob", "carol"]);
  const bob = group.member("bob");
  await group.commit(group.member("alice"), { proposals: [{ proposalType: 3, removed: bob.state.leafIndex }] });
  expect(bob.state.status).toBe("removed");
  const { context } = bob.state;
  const mallory = await Member.create("alice");
  const [victim] = await clients([bob], suite);
  if (!victim) throw new Error("one member");
  // The epoch and suite are public; of the secret only that it is empty.
  const id: SuccessionPskId = {
    ...{ pskType: "resumption", usage: "branch", pskGroupId: context.groupId, pskEpoch: context.epoch },
    pskNonce: randomBytes(32),
  };
  const { rules, signer, capabilities } = mallory;
  const credential = basicCredential("alice");
  const founded = await createGroup({ suite, rules, signer, capabilities, credential, lifetime: LIFETIME });
  const proposals = [{ proposalType: 1 as const, keyPackage: victim.own.keyPackage }];
  const made = await createFirstCommit(founded, { rules, signer, proposals }, { id, psk: new Uint8Array(0) });
  expect(findSuccessionPsk(bob.state, id)).toBeUndefined();
  const refusal = { code: "ERR_MLS_PSK", requirement: "R-12.4.3.1-4" } as const;
  const welcome = made.staged.welcome ?? new Uint8Array(0);
  await expectRefusal(bob, refusal, () => join(victim, welcome));
  // Nor does a store get by that keeps the cleared state for an active one.
  const old = { ...bob.state, status: "active" as const };
  await expectRefusal(bob, refusal, () => join({ ...victim, old }, welcome));
});

test("a group that was reinitialised keeps what its successor and late messages need, and hands the rest over (T-24, R-9.2-2)", async () => {
  const group = await Group.of(["alice", "bob"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  const made = await alice.commit({ proposals: [reinitTo(1)], forcePath: true });
  const { secrets: next } = made.staged.next;
  const adopted = adoptCommit(alice.state, made.staged, alice.rules);
  const received = await bob.peek(made.staged.commit);
  const erased = ["initSecret", "exporterSecret", "externalSecret", "confirmationKey", "membershipKey"] as const;
  for (const { state, consumed } of [adopted, received]) {
    for (const name of erased) {
      expect(state.secrets[name]).toHaveLength(0);
      expect(consumed).toContainEqual(next[name]);
    }
    expect(state.privateKeys.size).toBe(0);
    expect(state.secrets.resumptionPsk).toEqual(next.resumptionPsk);
    expect(state.secrets.senderDataSecret).toEqual(next.senderDataSecret);
    expect(state.secrets.epochAuthenticator).toEqual(next.epochAuthenticator);
    expect(consumed).not.toContainEqual(next.resumptionPsk);
    expect(state.pastEpochs[0]?.context.epoch).toBe(made.staged.epoch);
    expect(encodeGroupState(await decodeGroupState(encodeGroupState(state)))).toEqual(encodeGroupState(state));
  }
  for (const { privateKey } of made.staged.next.privateKeys.values()) expect(adopted.consumed).toContain(privateKey);
});
