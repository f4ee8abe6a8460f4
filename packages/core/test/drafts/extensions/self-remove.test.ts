/** SelfRemove (draft-ietf-mls-extensions-10 §6.3). */
import { beforeEach, expect, test } from "vitest";
import { EMPTY, toHex } from "../../../src/codec/bytes.ts";
import { canSelfRemove, createSelfRemove } from "../../../src/drafts/extensions/self-remove.ts";
import { withExtensions } from "../../../src/drafts/extensions/with-extensions.ts";
import type { CustomProposal } from "../../../src/framing/proposal.ts";
import { createGroupInfo } from "../../../src/group/export.ts";
import { createExternalCommit } from "../../../src/group/external-join.ts";
import { observeGroup, observeMessage } from "../../../src/group/public-group.ts";
import { createProposal, createUpdateProposal } from "../../../src/group/send.ts";
import { forgeCommit, forgeExternalCommit, refHex } from "../../support/forge-commit.ts";
import { forgePrivate, forgePublic } from "../../support/forge-message.ts";
import { at, expectRefusal, Group, Member, testRules } from "../../support/group.ts";

const rules = withExtensions(testRules(), { components: [] });
const proposal: CustomProposal = { proposalType: "custom", customType: 10, data: EMPTY };
let group: Group;
let alice: Member;
let bob: Member;
let carol: Member;

beforeEach(async () => {
  group = await Group.of(["alice", "bob", "carol"], { rules });
  [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
});

const leave = async (member: Member): Promise<{ message: Uint8Array<ArrayBuffer>; ref: Uint8Array<ArrayBuffer> }> => {
  const sent = await createSelfRemove(member.state, member);
  await group.propose(member, sent);
  return sent;
};

test("a member leaves with the next Commit of anybody, which has a path", async () => {
  expect(canSelfRemove(bob.state)).toBe(true);
  await leave(bob);
  const made = await group.commit(carol);
  expect(bob.state.status).toBe("removed");
  expect(made.staged.removed.map(({ leafIndex }) => leafIndex)).toEqual([1]);
  expect(group.members).toEqual([alice, carol]);
  await group.chat(alice, "he has gone");
});

test("who joins by external Commit carries out what waits, several at once, and an observer follows", async () => {
  const observer = await observeGroup(await createGroupInfo(alice.state, alice.signer), { suite: alice.suite, rules });
  const messages = [(await leave(bob)).message, (await leave(carol)).message];
  let watched = observer;
  for (const message of messages) ({ state: watched } = await observeMessage(watched, message, { rules }));
  const info = await createGroupInfo(alice.state, alice.signer);
  const dave = await Member.create("dave", { rules });
  const joined = await createExternalCommit(info, { ...dave, capabilities: dave.capabilities, selfRemoves: messages });
  const seen = await observeMessage(watched, joined.commit, { rules });
  expect(seen.kind === "commit" && seen.effect.removed.map(({ leafIndex }) => leafIndex)).toEqual([1, 2]);

  const received = await alice.receive(joined.commit);
  expect(received.kind === "commit" && received.effect.external).toBe(true);
  // His leaf takes the place of the first who left, and is no successor of that member's.
  expect(received.kind === "commit" && received.effect.committer.leafIndex).toBe(1);
  for (const left of [bob, carol]) {
    const theirs = await left.receive(joined.commit);
    expect(theirs.kind === "commit" && theirs.effect.selfRemoved).toBe(true);
    expect(left.state.status).toBe("removed");
  }
  dave.state = joined.state;
  await Group.joined([alice, dave]).chat(dave, "hello");
});

test("who comes back by external Commit replaces the own leaf, not that of one who leaves", async () => {
  const { message } = await leave(bob);
  const again = await Member.create("carol", { rules });
  await group.joinExternally(again, { replaces: carol.state.leafIndex, selfRemoves: [message] });
  expect(group.members.map(({ name }) => name)).toEqual(["alice", "carol"]);
});

test("R-12.2-13: nobody leaves this way if a member does not support it", async () => {
  const old = await Member.create("old", {
    rules: { ...rules, proposalTypes: rules.proposalTypes.filter(({ customType }) => customType !== 10) },
  });
  await group.add(alice, [old]);
  expect(canSelfRemove(bob.state)).toBe(false);
  await expectRefusal(bob, { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-13" }, () =>
    createSelfRemove(bob.state, bob),
  );
});

test("X-6.3-1: a SelfRemove by value is refused", async () => {
  const { message } = await forgeCommit(alice, { proposals: [proposal] });
  await expectRefusal(bob, { code: "ERR_MLS_PROPOSAL_LIST", requirement: "X-6.3-1" }, () => bob.peek(message));
  const dave = await Member.create("dave", { rules });
  const external = await forgeExternalCommit(alice, dave, { proposals: [proposal] });
  await expectRefusal(bob, { code: "ERR_MLS_PROPOSAL_LIST", requirement: "X-6.3-1" }, () => bob.peek(external.message));
});

test("X-6.3-2: a SelfRemove in a private message is refused, sent and received", async () => {
  const expected = { code: "ERR_MLS_PROPOSAL", requirement: "X-6.3-2" } as const;
  await expectRefusal(bob, expected, () => createProposal(bob.state, proposal, bob));
  const hidden = await forgePrivate(bob, { contentType: "proposal", proposal });
  await expectRefusal(alice, expected, () => alice.peek(hidden));
});

test("X-6.3-3, R-12.1.8-3: nobody but a member sends one", async () => {
  const framed = { sender: { senderType: "new_member_proposal" } } as const;
  const message = await forgePublic(bob, { contentType: "proposal", proposal }, { framed });
  await expectRefusal(alice, { code: "ERR_MLS_SENDER" }, () => alice.peek(message));
});

test("X-6.3-4: who leaves commits nothing of the kind: a Commit that covers the own SelfRemove is refused", async () => {
  const { ref } = await leave(bob);
  const expected = { code: "ERR_MLS_PROPOSAL_LIST", requirement: "X-6.3-4" } as const;
  const { message } = await forgeCommit(bob, { proposals: [refHex(ref)] });
  await expectRefusal(alice, expected, () => alice.peek(message));
  // Made by bob, it is left out.
  const made = await bob.commit();
  expect(made.staged.refused.map(({ reason }) => reason.requirement)).toEqual(["X-6.3-4"]);
});

test("X-6.3-6: of a SelfRemove and a Remove of one leaf the Remove is left out; together they are refused", async () => {
  const { ref } = await leave(bob);
  const remove = await createProposal(carol.state, { proposalType: 3, removed: 1 }, carol);
  await group.propose(carol, remove);
  const expected = { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-4" } as const;
  const { message } = await forgeCommit(alice, { proposals: [refHex(ref), refHex(remove.ref)] });
  await expectRefusal(carol, expected, () => carol.peek(message));
  const made = await group.commit(alice);
  expect(made.staged.refused.map(({ proposal: left }) => toHex(left.ref))).toEqual([toHex(remove.ref)]);
  expect(bob.state.status).toBe("removed");
});

test("R-12.2-4: a SelfRemove and an Update of one leaf do not go together", async () => {
  await group.propose(bob, await createUpdateProposal(bob.state, bob));
  await leave(bob);
  const made = await group.commit(alice);
  expect(made.staged.refused).toHaveLength(1);
  expect(at(made.staged.refused, 0).proposal.proposal.proposalType).toBe(2);
  expect(bob.state.status).toBe("removed");
});

test("X-6.3-5: without a path it is refused", async () => {
  const { ref } = await leave(bob);
  const { message } = await forgeCommit(alice, { proposals: [refHex(ref)], withPath: false });
  await expectRefusal(carol, { code: "ERR_MLS_UPDATE_PATH", requirement: "R-12.4-6" }, () => carol.peek(message));
});

test("X-6.3-7: an external Commit refers to SelfRemoves alone, and a joiner checks them", async () => {
  const { message } = await leave(bob);
  const other = await createProposal(
    carol.state,
    { proposalType: 3, removed: 1 },
    { ...carol, wireFormat: "mls_public_message" },
  );
  await group.propose(carol, other);
  const dave = await Member.create("dave", { rules });
  const info = await createGroupInfo(alice.state, alice.signer);
  const join = (selfRemoves: Uint8Array[]): Promise<unknown> =>
    createExternalCommit(info, { ...dave, capabilities: dave.capabilities, selfRemoves });
  await expect(join([other.message])).rejects.toMatchObject({ code: "ERR_MLS_PROPOSAL", requirement: "X-6.3-7" });
  const forged = message.slice();
  forged[forged.length - 70] = (forged[forged.length - 70] ?? 0) ^ 1; // in the signature
  await expect(join([forged])).rejects.toMatchObject({ code: "ERR_MLS_SIGNATURE" });
  await expect(join([message, message])).rejects.toMatchObject({ code: "ERR_MLS_PROPOSAL_LIST" });
  const reference = await forgeExternalCommit(alice, dave, { proposals: [refHex(other.ref)] });
  await expectRefusal(alice, { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.4.3.2-4" }, () =>
    alice.peek(reference.message),
  );
  await group.commit(alice);
  await expect(
    createExternalCommit(await createGroupInfo(alice.state, alice.signer), {
      ...dave,
      capabilities: dave.capabilities,
      selfRemoves: [message],
    }),
  ).rejects.toMatchObject({ code: "ERR_MLS_EPOCH" });
});

test("X-6.3-8: one SelfRemove is enough for an epoch", async () => {
  await leave(bob);
  await expectRefusal(bob, { code: "ERR_MLS_STATE", requirement: "X-6.3-8" }, () => createSelfRemove(bob.state, bob));
});

test("R-13.5-3: without the option it is refused", async () => {
  const plain = await Group.of(["ann", "ben"]);
  const ben = plain.member("ben");
  const message = await forgePublic(plain.member("ann"), { contentType: "proposal", proposal });
  await expectRefusal(ben, { code: "ERR_MLS_PROPOSAL", requirement: "R-13.5-3" }, () => ben.peek(message));
});
