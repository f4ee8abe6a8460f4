/** Proposal types of the application (RFC 9420 §12.3): order, path, external senders, and what their proposals do. */
import { describe, expect, test } from "vitest";
import { EMPTY, utf8 } from "../../src/codec/bytes.ts";
import { opaque, struct } from "../../src/codec/codec.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import type { CustomProposalType, ProposalTypeDefinition } from "../../src/proposal/custom-proposal.ts";
import { defineProposalType } from "../../src/proposal/custom-proposal.ts";
import type { Extension } from "../../src/extensions/extension.ts";
import { externalSenders, ExtensionType, makeExtension, requiredCapabilities } from "../../src/extensions/extension.ts";
import type { CustomProposal, Proposal } from "../../src/framing/proposal.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { createExternalProposal } from "../../src/group/propose-from-outside.ts";
import { createProposal } from "../../src/group/send.ts";
import { decodeStagedCommit, encodeStagedCommit } from "../../src/group/serialise.ts";
import { observeGroup, observeMessage } from "../../src/group/public-group.ts";
import { forgeCommit, forgeExternalCommit, refHex } from "../support/forge-commit.ts";
import { forgePublic } from "../support/forge-message.ts";
import { at, expectForgeryRefused, expectRefusal, Group, Member, TEST_EXTENSION, testRules } from "../support/group.ts";

interface Topic {
  readonly topic: Uint8Array<ArrayBuffer>;
}

const body = struct<Topic>({ topic: opaque });

function define(changes: Partial<ProposalTypeDefinition<Topic>> = {}): CustomProposalType<Topic> {
  return defineProposalType({
    ...{ customType: 0xf001, body, external: false, pathRequired: false, order: "first" },
    ...changes,
  });
}

/** Puts the topic into the group context; one at a time. */
const setTopic = define({
  apply: ({ proposals, extensions }) => {
    const [first, second] = proposals;
    if (first === undefined || second !== undefined) throw new Error("one topic at a time");
    const kept = extensions.filter(({ extensionType }) => extensionType !== TEST_EXTENSION);
    return [...kept, { extensionType: TEST_EXTENSION, extensionData: first.body.topic }];
  },
});

/** Does nothing by itself; the application sees it. */
const poll = define({ customType: 0xf002, order: "last", pathRequired: true });

const rules = testRules({ proposalTypes: [setTopic, poll] });
const group = (names: readonly string[], extensions?: readonly Extension[]): Promise<Group> =>
  Group.of(names, { rules, ...(extensions && { extensions }) });

const topicOf = (member: Member): string | undefined => {
  const found = member.state.context.extensions.find(({ extensionType }) => extensionType === TEST_EXTENSION);
  return found && new TextDecoder().decode(found.extensionData);
};

describe("a proposal type of the application (R-12.3-4)", () => {
  test("takes effect by value and by reference, and is reported with its sender", async () => {
    const all = await group(["alice", "bob", "carol"]);
    const [alice, bob, carol] = [all.member("alice"), all.member("bob"), all.member("carol")];
    await all.propose(bob, await createProposal(bob.state, poll.propose({ topic: utf8("tea?") }), bob));
    const made = await alice.commit({ proposals: [setTopic.propose({ topic: utf8("plans") })] });
    for (const member of [bob, carol]) {
      const received = await member.receive(made.staged.commit);
      if (received.kind !== "commit") throw new TypeError("a Commit");
      const { custom, extensions } = received.effect;
      expect(custom).toEqual(made.staged.custom);
      expect(custom.map(({ sender }) => sender)).toEqual([
        { senderType: "member", leafIndex: 1 },
        { senderType: "member", leafIndex: 0 },
      ]);
      expect(custom.map(({ proposal }) => poll.read(proposal)?.topic)).toEqual([utf8("tea?"), undefined]);
      expect(setTopic.read(at(custom, 1).proposal)).toEqual({ topic: utf8("plans") });
      expect(extensions).toEqual([{ extensionType: TEST_EXTENSION, extensionData: utf8("plans") }]);
    }
    alice.adopt(made);
    all.expectAgreement();
    expect(all.members.map(topicOf)).toEqual(["plans", "plans", "plans"]);
    await all.chat(carol, "still here");
  });

  test("says whether its Commits need a path (R-12.4-6, R-12.4-7)", async () => {
    const all = await group(["alice", "bob"]);
    const [alice, bob] = [all.member("alice"), all.member("bob")];
    const since = alice.state.leafSince;
    await all.commit(alice, { proposals: [setTopic.propose({ topic: utf8("one") })] });
    expect(alice.state.leafSince).toBe(since);
    await all.commit(alice, { proposals: [poll.propose({ topic: utf8("two") })] });
    expect(alice.state.leafSince).toBe(alice.state.context.epoch);

    const genuine = (await alice.commit()).staged.commit;
    const proposals = [poll.propose({ topic: utf8("three") })];
    const { message } = await forgeCommit(alice, { proposals, withPath: false });
    const expected = { code: "ERR_MLS_UPDATE_PATH", requirement: "R-12.4-6" } as const;
    await expectForgeryRefused(bob, message, expected, genuine);
  });

  test("has its place: the first see members and extensions before, the last after Updates, Removes and Adds", async () => {
    const seen: [string, number, number][] = [];
    const watch = (customType: number, order: "first" | "last"): CustomProposalType<Topic> =>
      define({
        ...{ customType, order },
        apply: ({ tree, extensions, proposals }) => {
          seen.push([`${order} ${String(proposals.length)}`, tree.summary.leafCount, extensions.length]);
          const extensionType = TEST_EXTENSION + extensions.length;
          return [...extensions, { extensionType, extensionData: utf8("") }];
        },
      });
    const types = [watch(0xf004, "last"), watch(0xf003, "first"), watch(0xf002, "last"), watch(0xf001, "first")];
    const supported = [0, 1, 2, 3].map((i) => TEST_EXTENSION + i);
    const watching = testRules({ proposalTypes: types, supportedExtensions: supported });
    const make = (name: string): Promise<Member> => Member.create(name, { rules: watching });
    const alice = await make("alice");
    await alice.found();
    const proposals: Proposal[] = types.map((type) => type.propose({ topic: utf8("") }));
    const newcomers = await Promise.all(["bob", "carol"].map(make));
    const added = await Promise.all(newcomers.map((newcomer) => newcomer.keyPackage()));
    for (const { keyPackage } of added) proposals.push({ proposalType: 1, keyPackage });
    const made = await alice.commit({ proposals });
    expect(seen).toEqual([
      ["first 1", 1, 0],
      ["first 1", 1, 1],
      ["last 1", 3, 2],
      ["last 1", 3, 3],
    ]);
    alice.adopt(made);
    await at(newcomers, 0).join(made.staged.welcome, at(added, 0));
    expect(alice.state.context.extensions.map(({ extensionType }) => extensionType)).toEqual(supported);
  });

  test("that changes extensions at first changes what Adds are judged by (R-12.3-1, R-7.3-4)", async () => {
    const all = await group(["alice", "bob"]);
    const alice = all.member("alice");
    const required = makeExtension(ExtensionType.requiredCapabilities, requiredCapabilities, {
      ...{ extensionTypes: [], proposalTypes: [0xf001], credentialTypes: [] },
    });
    const demand = define({ apply: () => [required] });
    const stranger = await Member.create("stranger");
    const { keyPackage } = await stranger.keyPackage();
    const proposals: Proposal[] = [demand.propose({ topic: utf8("") }), { proposalType: 1, keyPackage }];
    const demanding = testRules({ proposalTypes: [demand, poll] });
    const expected = { code: "ERR_MLS_CAPABILITIES", requirement: "R-7.3-4" } as const;
    await expectRefusal(alice, expected, () => alice.commit({ proposals, rules: demanding }));
    await alice.commit({ proposals, rules });
  });

  test("that refuses its proposals keeps the Commit from being made or accepted, and its reason is the cause", async () => {
    const all = await group(["alice", "bob"]);
    const [alice, bob] = [all.member("alice"), all.member("bob")];
    const genuine = (await alice.commit()).staged.commit;
    const proposals = ["one", "two"].map((topic) => setTopic.propose({ topic: utf8(topic) }));
    const expected = { code: "ERR_MLS_PROPOSAL", requirement: "R-12.3-4" } as const;
    await expectRefusal(alice, expected, () => alice.commit({ proposals }));
    const { message } = await forgeCommit(alice, { proposals });
    await expectForgeryRefused(bob, message, expected, genuine);
    await expect(bob.peek(message)).rejects.toMatchObject({ cause: new Error("one topic at a time") });
  });

  test("whose received proposals do not fit together has the older ones left out (adversarial 27)", async () => {
    const all = await group(["alice", "bob", "carol"]);
    for (const name of ["bob", "carol"]) {
      const proposer = all.member(name);
      await all.propose(
        proposer,
        await createProposal(proposer.state, setTopic.propose({ topic: utf8(name) }), proposer),
      );
    }
    const made = await all.commit(all.member("alice"));
    expect(made.staged.refused.map(({ reason }) => reason.code)).toEqual(["ERR_MLS_PROPOSAL"]);
    expect(topicOf(all.member("bob"))).toBe("carol");
  });

  test("decodes its body before a proposal is cached", async () => {
    const all = await group(["alice", "bob"]);
    const [alice, bob] = [all.member("alice"), all.member("bob")];
    const malformed: CustomProposal = { proposalType: "custom", customType: 0xf001, data: utf8("?") };
    const expected = { code: "ERR_MLS_PROPOSAL", requirement: "R-12.3-4" } as const;
    const genuine = (await alice.commit()).staged.commit;
    const message = await forgePublic(alice, { contentType: "proposal", proposal: malformed });
    await expectForgeryRefused(bob, message, expected, genuine);
    await expectRefusal(alice, expected, () => createProposal(alice.state, malformed, alice));
  });

  test("survives storing, as a waiting proposal and in a staged Commit", async () => {
    const all = await group(["alice", "bob"]);
    const [alice, bob] = [all.member("alice"), all.member("bob")];
    await all.propose(bob, await createProposal(bob.state, setTopic.propose({ topic: utf8("kept") }), bob));
    const made = await alice.commit();
    const staged = await decodeStagedCommit(alice.state, encodeStagedCommit(alice.state, made.staged, rules));
    expect(staged.custom).toEqual(made.staged.custom);
    alice.adopt({ ...made, staged });
    await bob.receive(made.staged.commit);
    all.expectAgreement();
  });

  test("is followed by observers who know it, and refused by those who do not", async () => {
    const all = await group(["alice", "bob"]);
    const [alice, bob] = [all.member("alice"), all.member("bob")];
    const info = await createGroupInfo(alice.state, alice.signer);
    const observer = await observeGroup(info, { suite: alice.suite, rules });
    const open = { wireFormat: "mls_public_message" } as const;
    const proposals = [setTopic.propose({ topic: utf8("seen") })];
    const { staged } = await all.commit(bob, { ...open, proposals });
    const observed = await observeMessage(observer, staged.commit, { rules });
    expect(observed.kind === "commit" && observed.effect.custom).toEqual(staged.custom);
    expect(observed.state.context).toEqual(alice.state.context);
    await expect(observeMessage(observer, staged.commit, { rules: testRules() })).rejects.toMatchObject({
      ...{ code: "ERR_MLS_PROPOSAL", requirement: "R-13.5-3" },
    });
  });
});

describe("who may propose a custom type (R-12.1.8-3, R-12.2-18)", () => {
  const announced = define({ customType: 0xf005, external: true, order: "last" });
  const open = testRules({ proposalTypes: [setTopic, announced] });

  test("external senders, where the type says so", async () => {
    const moderator = await Member.create("moderator");
    const listed = { signatureKey: moderator.signer.publicKey, credential: basicCredential("moderator") };
    const extensions = [makeExtension(ExtensionType.externalSenders, externalSenders, [listed])];
    const all = await Group.of(["alice", "bob"], { rules: open, extensions });
    const [alice, bob] = [all.member("alice"), all.member("bob")];
    const options = { signer: moderator.signer, senderIndex: 0, proposalTypes: open.proposalTypes };
    const { context } = alice.state;

    const own = setTopic.propose({ topic: utf8("theirs") });
    const refusal = { code: "ERR_MLS_SENDER", requirement: "R-12.1.8-3" } as const;
    await expect(createExternalProposal(context, own, options)).rejects.toMatchObject(refusal);
    const forced = [define({ external: true })];
    const forged = await createExternalProposal(context, own, { ...options, proposalTypes: forced });
    const message = await createExternalProposal(context, announced.propose({ topic: utf8("news") }), options);
    await expectForgeryRefused(bob, forged, refusal, message);

    for (const member of [alice, bob]) await member.receive(message);
    const made = await all.commit(alice);
    expect(made.staged.custom.map(({ sender }) => sender)).toEqual([{ senderType: "external", senderIndex: 0 }]);
  });

  test("not those who let themselves in", async () => {
    const all = await Group.of(["alice", "bob"], { rules: open });
    const [alice, bob] = [all.member("alice"), all.member("bob")];
    const genuine = (await alice.commit()).staged.commit;
    const newcomer = await Member.create("newcomer", { rules: open });
    const proposals = [announced.propose({ topic: utf8("mine") })];
    const { message } = await forgeExternalCommit(alice, newcomer, { proposals });
    const expected = { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-18" } as const;
    await expectForgeryRefused(bob, message, expected, genuine);
  });
});

describe("support for a custom type", () => {
  const proposals: Proposal[] = [poll.propose({ topic: utf8("anyone?") })];

  test("R-12.2-13: a type that a member does not list is refused, made and received", async () => {
    const all = await group(["alice", "bob", "carol"]);
    const [alice, bob] = [all.member("alice"), all.member("bob")];
    const stranger = await Member.create("stranger", { rules: testRules() });
    await all.add(alice, [stranger]);
    const expected = { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-13" } as const;
    const genuine = (await alice.commit()).staged.commit;
    await expectRefusal(alice, expected, () => alice.commit({ proposals }));
    const { message } = await forgeCommit(alice, { proposals });
    await expectForgeryRefused(bob, message, expected, genuine);

    // Who is added or removed by the Commit itself does not have to.
    const { keyPackage } = await (await Member.create("another stranger", { rules: testRules() })).keyPackage();
    const removed = stranger.state.leafIndex;
    const made = await alice.commit({
      proposals: [...proposals, { proposalType: 3, removed }, { proposalType: 1, keyPackage }],
    });
    await expect(bob.peek(made.staged.commit)).resolves.toMatchObject({ kind: "commit" });
    await expectRefusal(stranger, { code: "ERR_MLS_PROPOSAL", requirement: "R-13.5-3" }, () =>
      stranger.peek(made.staged.commit),
    );
  });

  test("a cached one that a member does not list is left out of a Commit (R-12.2-13, adversarial 27)", async () => {
    const all = await group(["alice", "bob"]);
    const [alice, bob] = [all.member("alice"), all.member("bob")];
    await all.add(alice, [await Member.create("stranger")]);
    await alice.receive(await forgePublic(bob, { contentType: "proposal", proposal: at(proposals, 0) }));
    const made = await alice.commit();
    expect(made.staged.refused.map(({ reason }) => reason.requirement)).toEqual(["R-12.2-13"]);
  });

  test("R-13.5-3: a type without a definition is refused, alone and in a Commit, GREASE or not (R-13.5-4, adversarial 7)", async () => {
    const all = await group(["alice", "bob"]);
    const [alice, bob] = [all.member("alice"), all.member("bob")];
    const genuine = (await alice.commit()).staged.commit;
    for (const customType of [10, 11, 0x0a0a, 0xf00f]) {
      const data = customType === 10 ? EMPTY : utf8("x"); // the body of a SelfRemove is empty
      const proposal: CustomProposal = { proposalType: "custom", customType, data };
      const expected = { code: "ERR_MLS_PROPOSAL", requirement: "R-13.5-3" } as const;
      await expectForgeryRefused(
        bob,
        await forgePublic(alice, { contentType: "proposal", proposal }),
        expected,
        genuine,
      );
      const { message } = await forgeCommit(alice, { proposals: [proposal] });
      await expectForgeryRefused(bob, message, expected, genuine);
      await expectRefusal(alice, expected, () => alice.commit({ proposals: [proposal] }));
      await expectRefusal(alice, expected, () => createProposal(alice.state, proposal, alice));
    }
  });

  test("a definition is of a type that others may use: neither registered nor GREASE (R-13.5-3)", () => {
    for (const customType of [-1, 0, 1, 7, 0x0a0a, 0xeaea, 0x1_0000]) {
      expect(() => define({ customType })).toThrow(RangeError);
    }
    expect(define({ customType: 8 }).read(poll.propose({ topic: utf8("") }))).toBeUndefined();
  });
});

test("a Commit by reference to a custom proposal that was not seen is refused as any other (R-12.4-2)", async () => {
  const all = await group(["alice", "bob"]);
  const [alice, bob] = [all.member("alice"), all.member("bob")];
  const genuine = (await bob.commit()).staged.commit;
  const sent = await createProposal(bob.state, poll.propose({ topic: utf8("unseen") }), bob);
  bob.state = sent.state;
  const { message } = await forgeCommit(bob, { proposals: [refHex(sent.ref)] });
  await expectForgeryRefused(alice, message, { code: "ERR_MLS_PROPOSAL_REF", requirement: "R-12.4-2" }, genuine);
});
