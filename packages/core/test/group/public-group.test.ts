/** Following a group from its public handshakes: the same judgement as a member's, without a secret. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { utf8 } from "../../src/codec/bytes.ts";
import { encode } from "../../src/codec/codec.ts";
import type { CreateCommitOptions } from "../../src/commit/create.ts";
import type { Content } from "../../src/framing/framed-content.ts";
import { ratchetTree } from "../../src/framing/group-info.ts";
import { encodeMessage } from "../../src/framing/mls-message.ts";
import type { PublicMessage } from "../../src/framing/public-message.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { createNewMemberProposal } from "../../src/group/propose-from-outside.ts";
import { createProposal, createUpdateProposal } from "../../src/group/send.ts";
import type { PublicGroupState } from "../../src/state/group-state.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { observeGroup, observeMessage } from "../../src/group/public-group.ts";
import { editNode, forgeCommit } from "../support/forge-commit.ts";
import { forgePublic, signedContent } from "../support/forge-message.ts";
import type { Expected } from "../support/group.ts";
import { expectRefusal, Group, Member, testRules } from "../support/group.ts";

const rules = testRules();
const open = { wireFormat: "mls_public_message" } as const;

let group: Group;
let alice: Member;
let bob: Member;
let observer: PublicGroupState;

beforeEach(async () => {
  group = await Group.of(["alice", "bob", "carol"]);
  [alice, bob] = [group.member("alice"), group.member("bob")];
  const info = await createGroupInfo(alice.state, alice.signer);
  observer = await observeGroup(info, { suite: alice.suite, rules });
  group.onHandshake = async (message) => {
    observer = (await observeMessage(observer, message, { rules })).state;
  };
});

const view = ({ context, interimTranscriptHash, status, reinit, proposals }: PublicGroupState): object => ({
  ...{ context, interimTranscriptHash, status, reinit, proposals },
});

test("an observer sees what members see, through all kinds of handshakes", async () => {
  const dave = await Member.create("dave");
  await group.add(alice, [dave], open);
  await group.propose(bob, await createUpdateProposal(bob.state, { ...bob, ...open }));
  expect(view(observer)).toEqual(view(alice.state));
  await group.commit(alice, open);
  await group.joinExternally(await Member.create("erin"));
  await group.propose(dave, await createProposal(dave.state, { proposalType: 3, removed: 1 }, { ...dave, ...open }));
  await group.commit(group.member("erin"), open);
  expect(view(observer)).toEqual(view(alice.state));
  await group.commit(alice, {
    ...open,
    proposals: [{ proposalType: 5, groupId: utf8("next"), version: 1, cipherSuite: 1, extensions: [] }],
  });
  expect(view(observer)).toEqual(view(alice.state));
  expect(observer.status).toBe("reinitialised");
});

describe("an observer refuses what a member refuses, and stays where it was", () => {
  async function bothRefuse(message: Bytes, expected: Expected): Promise<void> {
    const before = structuredClone(view(observer));
    await expectRefusal(bob, expected, () => bob.peek(message));
    await expect(observeMessage(observer, message, { rules })).rejects.toMatchObject(expected);
    expect(view(observer)).toEqual(before);
    const { message: genuine } = await forgeCommit(alice);
    await observeMessage(observer, genuine, { rules });
  }

  test("a signature of another key", async () => {
    const { message } = await forgeCommit(alice, { signer: bob.signer });
    await bothRefuse(message, { code: "ERR_MLS_SIGNATURE" });
  });

  test("a path leaf that was signed for another place", async () => {
    const { message } = await forgeCommit(alice, { leafPlace: { leafIndex: bob.state.leafIndex } });
    await bothRefuse(message, { code: "ERR_MLS_SIGNATURE", requirement: "R-7.3-3" });
  });

  test("a path that lacks a ciphertext", async () => {
    const { message } = await forgeCommit(alice, {
      path: (path) => editNode(path, 0, (node) => ({ ...node, encryptedPathSecret: [] })),
    });
    await bothRefuse(message, { code: "ERR_MLS_UPDATE_PATH", requirement: "R-7.6-2" });
  });

  test("a list of proposals that is none", async () => {
    const { message } = await forgeCommit(alice, { proposals: [{ proposalType: 3, removed: 0 }] });
    await bothRefuse(message, { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-3" });
  });

  test("a proposal to remove nobody", async () => {
    const message = await forgePublic(alice, {
      contentType: "proposal",
      proposal: { proposalType: 3, removed: 7 },
    });
    await bothRefuse(message, { code: "ERR_MLS_PROPOSAL", requirement: "R-12.1.3-1" });
  });

  test("a client that asks to be added, unless the application allows it (R-12.1.8-4)", async () => {
    const erin = await Member.create("erin");
    const message = await createNewMemberProposal(observer.context, (await erin.keyPackage()).keyPackage, erin);
    await bothRefuse(message, { code: "ERR_MLS_POLICY", requirement: "R-12.1.8-4" });
    const lenient = testRules({ allowOutsideProposal: () => Promise.resolve() });
    await expect(observeMessage(observer, message, { rules: lenient })).resolves.toMatchObject({ kind: "proposal" });
  });

  test("a Commit to proposals that were not seen", async () => {
    const { message } = await forgeCommit(alice, { proposals: ["00".repeat(32)] });
    await bothRefuse(message, { code: "ERR_MLS_PROPOSAL_REF", requirement: "R-12.4-2" });
  });

  test("a message of another epoch or group", async () => {
    const later = await forgeCommit(alice, { framed: { epoch: 99n } });
    await bothRefuse(later.message, { code: "ERR_MLS_EPOCH", requirement: "R-6-8" });
    const elsewhere = await forgeCommit(alice, { framed: { groupId: utf8("elsewhere") } });
    await bothRefuse(elsewhere.message, { code: "ERR_MLS_EPOCH", requirement: "R-6-8" });
    const earlier = await forgeCommit(alice, { framed: { epoch: observer.context.epoch - 1n } });
    await bothRefuse(earlier.message, { code: "ERR_MLS_EPOCH", requirement: "R-12.4.2-1" });
  });

  test("application data among handshakes (R-6-1)", async () => {
    const content: Content = { contentType: "application", applicationData: utf8("in the clear") };
    const { content: framed, auth } = await signedContent(alice, content, "mls_public_message");
    const message = (made: PublicMessage): PublicMessage => ({ ...made, content: framed, auth });
    const remove: Content = { contentType: "proposal", proposal: { proposalType: 3, removed: 1 } };
    await bothRefuse(await forgePublic(alice, remove, { message }), { code: "ERR_MLS_SENDER", requirement: "R-6-1" });
  });

  test("what is longer than the limits (adversarial 8)", async () => {
    const { message } = await forgeCommit(alice, { framed: { authenticatedData: new Uint8Array(100) } });
    const long = { authenticatedDataBytes: 99 };
    for (const [limit, expected] of [
      [long, { code: "ERR_MLS_LIMIT", requirement: "R-6.3.1-10", detail: long }],
      [{ messageBytes: message.length - 1 }, { code: "ERR_MLS_LIMIT" }],
    ] as const) {
      const tight = testRules({ limits: { ...DEFAULT_LIMITS, ...limit } });
      await expect(observeMessage(observer, message, { rules: tight })).rejects.toMatchObject(expected);
      bob.rules = tight;
      await expectRefusal(bob, expected, () => bob.peek(message));
    }
    const exact = { authenticatedDataBytes: 100, messageBytes: message.length };
    const wide = testRules({ limits: { ...DEFAULT_LIMITS, ...exact } });
    await expect(observeMessage(observer, message, { rules: wide })).resolves.toMatchObject({ kind: "commit" });
  });

  test("anything after a ReInit (R-12.4.2-13)", async () => {
    const { message } = await forgeCommit(alice);
    const reinit: PublicGroupState = { ...observer, status: "reinitialised" };
    await expect(observeMessage(reinit, message, { rules })).rejects.toMatchObject({
      code: "ERR_MLS_STATE",
      requirement: "R-12.4.2-13",
    });
  });
});

test("what is encrypted cannot be followed", async () => {
  for (const message of [await alice.send("hello"), (await alice.commit()).staged.commit]) {
    await expect(observeMessage(observer, message, { rules })).rejects.toMatchObject({
      code: "ERR_MLS_DECODE",
      detail: { received: "mls_private_message" },
    });
  }
});

test("what is not sent to a group is refused (adversarial 18)", async () => {
  const groupInfo = await createGroupInfo(alice.state, alice.signer);
  const { keyPackage } = await alice.keyPackage();
  for (const message of [
    { wireFormat: "mls_key_package", keyPackage },
    { wireFormat: "mls_group_info", groupInfo },
  ] as const) {
    await expect(observeMessage(observer, encodeMessage(message), { rules })).rejects.toMatchObject({
      code: "ERR_MLS_DECODE",
      detail: { received: message.wireFormat },
    });
  }
});

test("a GroupInfo is checked as a joiner checks it (R-12.4.3-4, R-12.4.3.1-7)", async () => {
  const info = await createGroupInfo(alice.state, alice.signer);
  const { suite } = alice;
  await expect(observeGroup({ ...info, confirmationTag: utf8("changed") }, { suite, rules })).rejects.toMatchObject({
    code: "ERR_MLS_SIGNATURE",
    requirement: "R-12.4.3-4",
  });
  const bare = await createGroupInfo(alice.state, alice.signer, { tree: false });
  await expect(observeGroup(bare, { suite, rules })).rejects.toMatchObject({
    code: "ERR_MLS_GROUP_INFO",
    requirement: "R-12.4.3.1-7",
  });
  const tree = encode(ratchetTree, alice.state.tree.toWire());
  expect(view(await observeGroup(bare, { suite, rules, ratchetTree: tree }))).toEqual(view(alice.state));
});

test("an observer cannot see whether a path holds what it says, members can", async () => {
  const options: Partial<CreateCommitOptions> = { ...open, forcePath: true };
  const made = await alice.commit(options);
  const { message } = await forgeCommit(alice, { auth: { confirmationTag: new Uint8Array(32) } });
  await expect(bob.peek(message)).rejects.toMatchObject({ code: "ERR_MLS_CONFIRMATION" });
  await observeMessage(observer, message, { rules });
  await observeMessage(observer, made.staged.commit, { rules });
});
