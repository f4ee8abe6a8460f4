/** Sending (RFC 9420 §15): padding, wire formats, and what a state refuses to send. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, utf8 } from "../../src/codec/bytes.ts";
import { nothing } from "../../src/codec/codec.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import { externalSenders, ExtensionType, makeExtension, requiredCapabilities } from "../../src/extensions/extension.ts";
import type { Proposal, UpdateProposal } from "../../src/framing/proposal.ts";
import { createExternalProposal } from "../../src/group/propose-from-outside.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { defineProposalType } from "../../src/proposal/custom-proposal.ts";
import type { LeafNode } from "../../src/tree/leaf-node.ts";
import { forgeKeyPackage } from "../support/forge-join.ts";
import { forgePublic } from "../support/forge-message.ts";
import type { Expected } from "../support/group.ts";
import { decodeMessageOf } from "../../src/framing/mls-message.ts";
import type { SendApplicationOptions } from "../../src/group/send.ts";
import { createApplicationMessage, createProposal, createUpdateProposal } from "../../src/group/send.ts";
import { decodeGroupState, encodeGroupState } from "../../src/group/serialise.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { noPadding, padme, padToBlocks } from "../../src/framing/padding.ts";
import { expectRefusal, Group, Member, TEST_EXTENSION, testRules } from "../support/group.ts";

const group = await Group.of(["alice", "bob", "carol"]);
const [alice, bob] = [group.member("alice"), group.member("bob")];
const poll = defineProposalType({
  ...{ customType: 0xf001, body: nothing, external: false, pathRequired: false, order: "last" },
});

/** Length of data and padding together, from the length of a ciphertext. */
async function paddedLength(length: number, options: SendApplicationOptions = alice): Promise<number> {
  const { message } = await createApplicationMessage(alice.state, new Uint8Array(length), options);
  const { ciphertext } = decodeMessageOf("mls_private_message", message).privateMessage;
  const [lengthHeader, signature, tag] = [length < 64 ? 1 : length < 16_384 ? 2 : 4, 2 + 64, 16];
  return ciphertext.length - lengthHeader - signature - tag;
}

describe("the padding of application messages (R-15.1-1)", () => {
  test("is Padmé's by default, else that of the rules, else that of the message", async () => {
    for (const length of [0, 32, 100, 70_001]) expect(await paddedLength(length)).toBe(padme(length));
    const blocks = { ...alice, rules: testRules({ padding: padToBlocks(1000) }) };
    expect(await paddedLength(100, blocks)).toBe(1000);
    expect(await paddedLength(100, { ...blocks, padding: noPadding })).toBe(100);
  });

  test("is bounded before it is allocated, and so is the message", async () => {
    const expected = { code: "ERR_MLS_LIMIT", requirement: "R-15.1-1" } as const;
    const send = (bytes: number, options: SendApplicationOptions): Promise<unknown> =>
      createApplicationMessage(alice.state, new Uint8Array(bytes), options);
    await expectRefusal(alice, expected, () => send(10, { ...alice, padding: () => 2 ** 40 }));
    const rules = testRules({ limits: { ...DEFAULT_LIMITS, messageBytes: 1000 }, padding: noPadding });
    await send(700, { ...alice, rules });
    await expectRefusal(alice, expected, () => send(999, { ...alice, rules }));
    const remove = createProposal(
      alice.state,
      { proposalType: 3, removed: 2 },
      {
        ...{ signer: alice.signer, wireFormat: "mls_public_message" },
        rules: testRules({ limits: { ...DEFAULT_LIMITS, messageBytes: 50 } }),
      },
    );
    await expect(remove).rejects.toMatchObject(expected);
  });

  test("is at least as long as the data", async () => {
    for (const padded of [9, 10.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const sending = createApplicationMessage(alice.state, new Uint8Array(10), { ...alice, padding: () => padded });
      await expect(sending).rejects.toThrow(RangeError);
    }
  });
});

test("R-15.2-1: a member sends so many messages in an epoch, then it has to commit", async () => {
  const all = await Group.of(["dave", "erin", "frank"]);
  const [dave, erin] = [all.member("dave"), all.member("erin")];
  dave.rules = testRules({ limits: { ...DEFAULT_LIMITS, messagesPerEpoch: 3 } });
  for (const text of ["one", "two", "three"]) await all.chat(dave, text);
  await expectRefusal(dave, { code: "ERR_MLS_LIMIT", requirement: "R-15.2-1" }, () => dave.send("four"));
  const stored = await decodeGroupState(encodeGroupState(dave.state));
  await expect(createApplicationMessage(stored, utf8("four"), dave)).rejects.toMatchObject({ requirement: "R-15.2-1" });
  await all.chat(erin, "others are counted for themselves");
  await all.commit(dave);
  for (const text of ["four", "five", "six"]) await all.chat(dave, text);
  await expectRefusal(dave, { code: "ERR_MLS_LIMIT", requirement: "R-15.2-1" }, () => dave.send("seven"));
});

describe("proposals", () => {
  test("that are sent are cached by their sender too (R-12.1-2)", async () => {
    const { state, ref } = await createProposal(alice.state, { proposalType: 3, removed: 2 }, alice);
    expect([...state.proposals.values()].map((cached) => cached.ref)).toEqual([ref]);
  });

  test.each<[string, Expected, (stranger: Member) => Promise<Exclude<Proposal, UpdateProposal>>]>([
    [
      "an extension that a member does not support",
      { code: "ERR_MLS_CAPABILITIES", requirement: "R-12.1.7-3" },
      () => Promise.resolve({ proposalType: 7, extensions: [{ extensionType: 0xf00d, extensionData: EMPTY }] }),
    ],
    [
      "required capabilities that a member lacks",
      { code: "ERR_MLS_CAPABILITIES", requirement: "R-12.1.7-1" },
      () => {
        const needed = { extensionTypes: [0xf00d], proposalTypes: [], credentialTypes: [] };
        const extensions = [makeExtension(ExtensionType.requiredCapabilities, requiredCapabilities, needed)];
        return Promise.resolve({ proposalType: 7, extensions });
      },
    ],
    [
      "an external sender whose key is none",
      { code: "ERR_MLS_CREDENTIAL", requirement: "R-5.1.1-2" },
      () => {
        const listed = [{ signatureKey: EMPTY, credential: basicCredential("a server") }];
        const extensions = [makeExtension(ExtensionType.externalSenders, externalSenders, listed)];
        return Promise.resolve({ proposalType: 7, extensions });
      },
    ],
    [
      "a custom type that a member does not list",
      { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-13" },
      () => Promise.resolve(poll.propose({})),
    ],
    [
      "a key package that was changed",
      { code: "ERR_MLS_SIGNATURE", requirement: "R-7.3-3" },
      async (stranger) => {
        const renamed = { signedLeaf: (leaf: LeafNode) => ({ ...leaf, credential: basicCredential("mallory") }) };
        return { proposalType: 1, keyPackage: (await forgeKeyPackage(stranger, renamed)).keyPackage };
      },
    ],
    [
      "a key package that lacks what the group has",
      { code: "ERR_MLS_CAPABILITIES", requirement: "R-13.4-4" },
      async (stranger) => ({ proposalType: 1, keyPackage: (await stranger.keyPackage()).keyPackage }),
    ],
    [
      "a ReInit to a suite that is not known (R-11.2-2)",
      { code: "ERR_MLS_VERSION", requirement: "R-11.2-2" },
      () => Promise.resolve({ proposalType: 5, groupId: EMPTY, version: 1, cipherSuite: 0x7777, extensions: [] }),
    ],
    [
      "a ReInit to a version that is not known (R-11.2-2)",
      { code: "ERR_MLS_VERSION", requirement: "R-11.2-2" },
      () => Promise.resolve({ proposalType: 5, groupId: EMPTY, version: 2, cipherSuite: 1, extensions: [] }),
    ],
  ])(
    "that no Commit could cover are not made, for all would wait for one (R-12.4-3): %s",
    async (_, expected, make) => {
      const rules = testRules({ proposalTypes: [poll] });
      const extensions = [{ extensionType: TEST_EXTENSION, extensionData: EMPTY }];
      const erin = (await Group.of(["erin", "frank"], { extensions })).member("erin");
      const stranger = await Member.create("stranger", { rules: testRules({ supportedExtensions: [] }) });
      const proposal = await make(stranger);
      await expectRefusal(erin, expected, () => createProposal(erin.state, proposal, { ...erin, rules }));
      await expectRefusal(erin, {}, () => erin.commit({ rules, proposals: [proposal] }));
    },
  );

  test("of a ReInit to a suite that is not known are left out of a Commit, and made by nobody (R-11.2-2)", async () => {
    const moderator = await Member.create("moderator");
    const listed = [{ signatureKey: moderator.signer.publicKey, credential: basicCredential("moderator") }];
    const extensions = [makeExtension(ExtensionType.externalSenders, externalSenders, listed)];
    const small = await Group.of(["erin", "frank"], { extensions });
    const [erin, frank] = [small.member("erin"), small.member("frank")];
    const reinit = { proposalType: 5, groupId: EMPTY, version: 1, cipherSuite: 0x7777, extensions: [] } as const;
    const expected: Expected = { code: "ERR_MLS_VERSION", requirement: "R-11.2-2" };
    await erin.receive(await forgePublic(frank, { contentType: "proposal", proposal: reinit }));
    const { staged } = await erin.commit();
    expect(staged.refused).toMatchObject([{ reason: expected }]);
    expect(staged.next.status).toBe("active");
    const outside = { signer: moderator.signer, senderIndex: 0 };
    await expectRefusal(erin, expected, () => createExternalProposal(erin.state.context, reinit, outside));
  });

  test("of an epoch are bounded for their sender too (adversarial 8)", async () => {
    const rules = testRules({ limits: { ...DEFAULT_LIMITS, pendingProposals: 1 } });
    const before = bob.state;
    bob.state = (await createProposal(bob.state, { proposalType: 3, removed: 2 }, { ...bob, rules })).state;
    const expected = { code: "ERR_MLS_LIMIT" } as const;
    await expectRefusal(bob, expected, () => createUpdateProposal(bob.state, { ...bob, rules }));
    await expectRefusal(bob, expected, () =>
      createProposal(bob.state, { proposalType: 3, removed: 0 }, { ...bob, rules }),
    );
    bob.state = before;
  });

  test("of an epoch are bounded in bytes for their sender too (adversarial 8)", async () => {
    const limits = { ...DEFAULT_LIMITS, proposalBytes: 1000, pendingProposalBytes: 1000 };
    const options = { ...bob, rules: testRules({ limits }) };
    const reinit = (length: number) =>
      ({ proposalType: 5, groupId: new Uint8Array(length), version: 1, cipherSuite: 1, extensions: [] }) as const;
    const before = bob.state;
    const expected = { code: "ERR_MLS_LIMIT" } as const;
    await expectRefusal(bob, expected, () => createProposal(bob.state, reinit(1000), options));
    bob.state = (await createProposal(bob.state, reinit(900), options)).state;
    await expectRefusal(bob, expected, () => createUpdateProposal(bob.state, options));
    bob.state = before;
  });

  test("of a member to remove itself are for others to commit (T-11)", async () => {
    const small = await Group.of(["dave", "erin"]);
    const [dave, erin] = [small.member("dave"), small.member("erin")];
    const leave = await createProposal(erin.state, { proposalType: 3, removed: erin.state.leafIndex }, erin);
    erin.state = leave.state;
    await dave.receive(leave.message);
    expect((await erin.commit()).staged.refused).toHaveLength(1);
    await small.commit(dave);
    expect(erin.state.status).toBe("removed");
    await expectRefusal(erin, { code: "ERR_MLS_STATE" }, () => erin.send("still here"));
  });
});

test("each message takes its own key, and the state without it is what is returned (R-6.3.1-5, R-9.1-3)", async () => {
  const one = await createApplicationMessage(alice.state, utf8("one"), alice);
  const two = await createApplicationMessage(one.state, utf8("two"), alice);
  bob.state = (await bob.peek(two.message)).state;
  await expect(bob.peek(one.message)).resolves.toMatchObject({ data: utf8("one"), generation: 0 });
  await expectRefusal(bob, { code: "ERR_MLS_REPLAY" }, () => bob.peek(two.message));
  expect(one.consumed.length).toBeGreaterThan(0);
});

test.each([
  ["arrays", utf8],
  // Of a Buffer, `slice` is no copy.
  ["Buffers", (text: string): Bytes => Buffer.from(utf8(text))],
])(
  "what the caller does to its %s while a message is made changes nothing, and what was signed is wiped",
  async (_kind, make) => {
    const seen: Bytes[] = [];
    const sign: Signer["sign"] = (message) => {
      seen.push(message);
      return alice.signer.sign(message);
    };
    const [data, authenticatedData] = [make("hello"), make("in clear")];
    const sending = createApplicationMessage(alice.state, data, {
      ...alice,
      signer: { ...alice.signer, sign },
      authenticatedData,
    });
    data.fill(0);
    authenticatedData.fill(0);
    const { message } = await sending;
    await expect(bob.peek(message)).resolves.toMatchObject({
      data: utf8("hello"),
      authenticatedData: utf8("in clear"),
    });
    expect(seen).toHaveLength(1);
    expect(seen[0]?.every((byte) => byte === 0)).toBe(true);
  },
);
