/** Application data in messages and Commits (draft-ietf-mls-extensions-10 §4.6 to §4.8). */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../../src/codec/bytes.ts";
import { concat, EMPTY, toHex, utf8 } from "../../../src/codec/bytes.ts";
import { encode } from "../../../src/codec/codec.ts";
import { appData, appDataWithGrease, encodeComponents, readAppData } from "../../../src/drafts/extensions/app-data.ts";
import type { Component } from "../../../src/drafts/extensions/app-data-update.ts";
import {
  proposeAppData,
  proposeAppDataRemoval,
  proposeEphemeral,
  readAppDataUpdate,
  readAppEphemeral,
} from "../../../src/drafts/extensions/app-data-update.ts";
import { ComponentId } from "../../../src/drafts/extensions/component.ts";
import { isLastResort, lastResort } from "../../../src/drafts/extensions/key-package.ts";
import { leafExtensions, supported } from "../../../src/drafts/extensions/negotiation.ts";
import { withExtensions } from "../../../src/drafts/extensions/with-extensions.ts";
import { makeExtension, requiredCapabilities } from "../../../src/extensions/extension.ts";
import { createKeyPackage } from "../../../src/framing/key-package.ts";
import type { CustomProposal, Proposal } from "../../../src/framing/proposal.ts";
import { proposal as wireProposal } from "../../../src/framing/proposal.ts";
import { createExternalProposal } from "../../../src/group/propose-from-outside.ts";
import { createProposal } from "../../../src/group/send.ts";
import { externalSenders } from "../../../src/extensions/extension.ts";
import { forgeCommit } from "../../support/forge-commit.ts";
import { at, expectRefusal, Group, LIFETIME, Member, testRules } from "../../support/group.ts";

const NOTES = 0x8001;
const COUNT = 0x8002;
const calls: string[] = [];
const components: Component[] = [
  {
    componentId: NOTES,
    // Appends; refuses the word "no".
    update: ({ current, updates }) => {
      calls.push("update");
      if (updates.some(({ update }) => toHex(update) === toHex(utf8("no")))) throw new Error("no");
      return concat(current ?? EMPTY, ...updates.map(({ update }) => update));
    },
    checkRemove: ({ current }) => {
      if (current?.length === 1) throw new Error("too short to go");
    },
    checkEphemeral: ({ data }) => {
      calls.push("ephemeral");
      if (data.length === 0) throw new Error("nothing");
    },
  },
  { componentId: COUNT },
];
const rules = withExtensions(testRules(), { components });
const options = { rules, leafExtensions: leafExtensions({ components: [NOTES, COUNT] }) };
const notes = ({ state }: Member): string | undefined => {
  const data = readAppData(state.context.extensions).get(NOTES);
  return data && new TextDecoder().decode(data);
};
const bodyOf = (...bytes: number[]): CustomProposal => ({
  proposalType: "custom",
  customType: 8,
  data: Uint8Array.from(bytes),
});

describe("the dictionary", () => {
  const dictionary = (...ids: number[]): Bytes =>
    Uint8Array.from([ids.length * 3, ...ids.flatMap((id) => [id >> 8, id & 0xff, 0])]);

  test.each([
    ["two entries of one id", [5, 5]],
    ["a descending order", [6, 5]],
  ])("X-4.6-1: %s are refused", (_, ids) => {
    const extension = { extensionType: 6, extensionData: dictionary(...ids) };
    expect(() => readAppData([extension])).toThrow(
      expect.objectContaining({ code: "ERR_MLS_DECODE", requirement: "X-4.6-1" }),
    );
  });

  test("it is written in ascending order, and unknown ids are kept", () => {
    const { extensionData } = appData(new Map([6, 5, 0x0a0a].map((id) => [id, EMPTY])));
    expect(extensionData).toEqual(dictionary(5, 6, 0x0a0a));
    expect([...readAppData([{ extensionType: 6, extensionData }]).keys()]).toEqual([5, 6, 0x0a0a]);
  });

  test("X-5.1-2: GREASE stands in leaves, key packages and GroupInfos, outside the private range", () => {
    for (let i = 0; i < 50; i++) {
      const [grease = 0, ...others] = [...readAppData([appDataWithGrease(new Map([[0x8001, EMPTY]]))]).keys()];
      expect(others).toEqual([0x8001]);
      expect(grease & 0x0f0f).toBe(0x0a0a);
      expect(grease >> 12).toBe((grease >> 4) & 0xf);
    }
    expect([...readAppData([appData(new Map([[NOTES, EMPTY]]))]).keys()]).toEqual([NOTES]);
  });

  test.each(["leaf", "key package", "group context"])(
    "X-4.6-1: a %s with a malformed one is refused",
    async (where) => {
      const group = await Group.of(["alice", "bob"], options);
      const [alice, bob] = [group.member("alice"), group.member("bob")];
      const broken = { extensionType: 6, extensionData: dictionary(6, 5) };
      const expected = { code: "ERR_MLS_DECODE", requirement: "X-4.6-1" } as const;
      if (where === "group context") {
        const change = { proposalType: 7, extensions: [broken] } as const;
        await expectRefusal(alice, expected, () => alice.commit({ proposals: [change] }));
        const { message } = await forgeCommit(alice, { proposals: [change] });
        await expectRefusal(bob, expected, () => bob.peek(message));
        return;
      }
      const carol = await Member.create("carol", { rules });
      const { keyPackage } = await createKeyPackage({
        ...{ suite: carol.suite, credential: carol.credential, signer: carol.signer, lifetime: LIFETIME },
        capabilities: carol.capabilities,
        leafExtensions: where === "leaf" ? [broken] : options.leafExtensions,
        extensions: where === "leaf" ? [] : [broken],
      });
      const add: Proposal = { proposalType: 1, keyPackage };
      await expectRefusal(alice, expected, () => alice.commit({ proposals: [add] }));
      const { message } = await forgeCommit(alice, { proposals: [add] });
      await expectRefusal(bob, expected, () => bob.peek(message));
    },
  );
});

describe("AppDataUpdate", () => {
  test("updates by component, in the order of the Commit and without a path; newcomers have the data", async () => {
    const group = await Group.of(["alice", "bob"], options);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    await group.propose(bob, await createProposal(bob.state, proposeAppData(NOTES, utf8("a")), bob));
    const made = await group.commit(alice, { proposals: [proposeAppData(NOTES, utf8("b"))] });
    expect(notes(bob)).toBe("ab");
    expect(made.staged.custom.map(({ proposal }) => readAppDataUpdate(proposal)?.op)).toEqual(["update", "update"]);
    expect(alice.state.leafSince).toBe(0n); // no path
    const carol = await Member.create("carol", options);
    carol.leafExtensions = options.leafExtensions;
    await group.add(bob, [carol]);
    expect(notes(carol)).toBe("ab");
    await group.commit(carol, { proposals: [proposeAppDataRemoval(NOTES)] });
    expect(notes(alice)).toBeUndefined();
  });

  test("ephemeral data come before updates (§4.8), and stand in the effect in the order of the Commit", async () => {
    const group = await Group.of(["alice", "bob"], options);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const made = await alice.commit({
      proposals: [
        proposeAppData(NOTES, utf8("x")),
        proposeEphemeral(NOTES, utf8("1")),
        proposeEphemeral(NOTES, utf8("2")),
      ],
    });
    calls.length = 0;
    const received = await bob.receive(made.staged.commit);
    expect(calls).toEqual(["ephemeral", "ephemeral", "update"]);
    const effect = received.kind === "commit" ? received.effect.custom : [];
    expect(effect.map(({ proposal }) => readAppEphemeral(proposal)?.data)).toEqual([undefined, utf8("1"), utf8("2")]);
  });

  test("who joins by external Commit and an external sender may update", async () => {
    const group = await Group.of(["alice", "bob"], options);
    const alice = group.member("alice");
    const dave = await Member.create("dave", { rules });
    dave.leafExtensions = options.leafExtensions;
    await group.joinExternally(dave, {
      proposals: [proposeAppData(NOTES, utf8("hi")), proposeEphemeral(NOTES, utf8("e"))],
    });
    expect(notes(alice)).toBe("hi");

    const moderator = await Member.create("moderator", { rules });
    const list = [{ signatureKey: moderator.signer.publicKey, credential: moderator.credential }];
    const extensions = [...alice.state.context.extensions, makeExtension(5, externalSenders, list)];
    await group.commit(alice, { proposals: [{ proposalType: 7, extensions }] });
    const message = await createExternalProposal(alice.state.context, proposeAppData(NOTES, utf8("!")), {
      ...{ signer: moderator.signer, senderIndex: 0, proposalTypes: rules.proposalTypes },
    });
    for (const member of group.members) await member.receive(message);
    await group.commit(alice);
    expect(notes(dave)).toBe("hi!");
  });

  const cases: readonly (readonly [id: string, what: string, code: string, proposals: readonly Proposal[]])[] = [
    ["X-4.7-1", "an update of an unknown component", "ERR_MLS_PROPOSAL", [proposeAppData(0x9999, EMPTY)]],
    ["X-4.7-1", "a removal of an unknown component", "ERR_MLS_PROPOSAL", [proposeAppDataRemoval(0x9999)]],
    ["X-4.7-2", "a removal of what is not there", "ERR_MLS_PROPOSAL", [proposeAppDataRemoval(COUNT)]],
    [
      "X-4.7-3",
      "two removals of one component",
      "ERR_MLS_PROPOSAL_LIST",
      [proposeAppDataRemoval(NOTES), proposeAppDataRemoval(NOTES)],
    ],
    [
      "X-4.7-3",
      "an update and a removal of one component",
      "ERR_MLS_PROPOSAL_LIST",
      [proposeAppData(NOTES, utf8("x")), proposeAppDataRemoval(NOTES)],
    ],
    ["X-4.7-4", "an update that the component refuses", "ERR_MLS_PROPOSAL", [proposeAppData(NOTES, utf8("no"))]],
    ["X-4.7-4", "an update of a component that takes none", "ERR_MLS_PROPOSAL", [proposeAppData(COUNT, EMPTY)]],
    ["X-4.7-4", "a removal that the component refuses", "ERR_MLS_PROPOSAL", [proposeAppDataRemoval(NOTES)]],
    ["R-12.3-4", "an operation of 3", "ERR_MLS_PROPOSAL", [bodyOf(0x80, 1, 3, 0)]],
    ["R-12.3-4", "an operation of 0", "ERR_MLS_PROPOSAL", [bodyOf(0x80, 1, 0, 0)]],
    ["X-4.8-1", "ephemeral data of an unknown component", "ERR_MLS_PROPOSAL", [proposeEphemeral(0x9999, EMPTY)]],
    ["X-4.8-2", "ephemeral data that the component refuses", "ERR_MLS_PROPOSAL", [proposeEphemeral(NOTES, EMPTY)]],
    ["X-4.8-2", "ephemeral data where none are taken", "ERR_MLS_PROPOSAL", [proposeEphemeral(COUNT, utf8("x"))]],
    ["X-4.7-1", "GREASE, which no group context has", "ERR_MLS_PROPOSAL", [proposeAppData(0x1a1a, EMPTY)]],
  ];

  test.each(cases)("%s: %s is refused, made and received", async (requirement, _, code, proposals) => {
    const group = await Group.of(["alice", "bob"], {
      ...options,
      extensions: [appData(new Map([[NOTES, utf8("a")]]))],
    });
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const expected = { code, requirement } as Parameters<typeof expectRefusal>[1];
    await expectRefusal(alice, expected, () => alice.commit({ proposals }));
    const { message } = await forgeCommit(alice, { proposals });
    await expectRefusal(bob, expected, () => bob.peek(message));
  });

  test("X-4.7-6: in a group that requires AppDataUpdate a GroupContextExtensions leaves the data alone", async () => {
    const required = makeExtension(3, requiredCapabilities, {
      ...{ extensionTypes: supported.extensions, proposalTypes: supported.proposals, credentialTypes: [] },
    });
    const data = appData(new Map([[NOTES, utf8("a")]]));
    const group = await Group.of(["alice", "bob"], { ...options, extensions: [required, data] });
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const expected = { code: "ERR_MLS_PROPOSAL", requirement: "X-4.7-6" } as const;
    for (const extensions of [[required], [required, appData(new Map())], [appData(new Map([[COUNT, EMPTY]]))]]) {
      const change = { proposalType: 7, extensions } as const;
      await expectRefusal(alice, expected, () => alice.commit({ proposals: [change] }));
      const { message } = await forgeCommit(alice, { proposals: [change] });
      await expectRefusal(bob, expected, () => bob.peek(message));
    }
    const other = { extensionType: 0xf0aa, extensionData: EMPTY };
    const proposals = [
      { proposalType: 7, extensions: [required, data, other] } as const,
      proposeAppData(NOTES, utf8("b")),
    ];
    await group.commit(alice, { proposals });
    expect(notes(bob)).toBe("ab");
    expect(bob.state.context.extensions).toHaveLength(3);
  });

  test("the lists of what a group requires are components that everybody knows", async () => {
    const group = await Group.of(["alice", "bob"], options);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const list = encodeComponents([NOTES]);
    await group.commit(alice, { proposals: [proposeAppData(ComponentId.appComponents, list)] });
    expect(readAppData(bob.state.context.extensions).get(ComponentId.appComponents)).toEqual(list);
    const broken = proposeAppData(ComponentId.appComponents, Uint8Array.of(1, 0));
    await expectRefusal(alice, { code: "ERR_MLS_PROPOSAL", requirement: "X-4.7-4" }, () =>
      alice.commit({ proposals: [broken] }),
    );
  });

  test("an update that asks for more than the group can bear is bounded like any proposal", () => {
    expect(encode(wireProposal, proposeAppData(NOTES, EMPTY))).toEqual(Uint8Array.of(0, 8, 0x80, 1, 1, 0));
    expect(encode(wireProposal, proposeAppDataRemoval(NOTES))).toEqual(Uint8Array.of(0, 8, 0x80, 1, 2));
    expect(encode(wireProposal, proposeEphemeral(NOTES, EMPTY))).toEqual(Uint8Array.of(0, 9, 0x80, 1, 0));
  });
});

test("a key package of last resort says so, in the Add too (§6.4)", async () => {
  const group = await Group.of(["alice", "bob"], options);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  const carol = await Member.create("carol", { rules });
  const own = await createKeyPackage({
    ...{ suite: carol.suite, credential: carol.credential, signer: carol.signer, lifetime: LIFETIME },
    ...{ capabilities: carol.capabilities, leafExtensions: options.leafExtensions, extensions: lastResort() },
  });
  expect(isLastResort(own.keyPackage)).toBe(true);
  expect(isLastResort((await carol.keyPackage()).keyPackage)).toBe(false);
  const made = await alice.commit({ proposals: [{ proposalType: 1, keyPackage: own.keyPackage }] });
  const received = await bob.receive(made.staged.commit);
  const added = received.kind === "commit" ? received.effect.added : [];
  expect(isLastResort(at(added, 0).keyPackage)).toBe(true);
});
