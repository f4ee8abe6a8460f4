/** Proposals from outside the group (RFC 9420 §12.1.8): made, judged, committed. */
import { expect, test } from "vitest";
import { utf8 } from "../../src/codec/bytes.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { externalSenders, ExtensionType, makeExtension } from "../../src/extensions/extension.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import { createExternalProposal, createNewMemberProposal } from "../../src/group/propose-from-outside.ts";
import type { Rules } from "../../src/rules.ts";
import { at, Group, Member, testRules } from "../support/group.ts";

const moderator = await Member.create("moderator");
const listed = { signatureKey: moderator.signer.publicKey, credential: basicCredential("moderator") };
const other = { signatureKey: (await Member.create("other")).signer.publicKey, credential: basicCredential("other") };
const extensions = [makeExtension(ExtensionType.externalSenders, externalSenders, [other, listed])];
const options = { signer: moderator.signer, senderIndex: 1 };

const grow = async (rules?: Rules): Promise<Group> =>
  Group.of(["alice", "bob", "carol"], { extensions, ...(rules === undefined ? {} : { rules }) });

test("an external sender proposes and a member commits (R-12.1.8-1, R-12.1.8-2, R-12.1.8-3)", async () => {
  const group = await grow();
  const dave = await Member.create("dave");
  const own = await dave.keyPackage();
  const { context } = at(group.members, 0).state;
  const psk = { pskType: "external", pskId: utf8("id"), pskNonce: new Uint8Array(32) } as const;
  for (const member of group.members) {
    member.rules = testRules({ findPsk: () => Promise.resolve(utf8("value")) });
    dave.rules = member.rules;
  }
  const wanted: Proposal[] = [
    { proposalType: 3, removed: group.member("bob").state.leafIndex },
    { proposalType: 1, keyPackage: own.keyPackage },
    { proposalType: 4, psk },
  ];
  for (const proposal of wanted) {
    const message = await createExternalProposal(context, proposal, options);
    for (const member of group.members) {
      const received = await member.receive(message);
      expect(received.kind === "proposal" && received.sender).toEqual({ senderType: "external", senderIndex: 1 });
    }
  }
  const made = await group.commit(group.member("carol"));
  expect([made.staged.added.length, made.staged.removed.length, made.staged.refused]).toEqual([1, 1, []]);
  await dave.join(made.staged.welcome, own);
  group.members.push(dave);
  await group.chat(dave, "moderated");
});

test("nobody else can: not at another index, with another key, or in a group that lists nobody (R-12.1.8-2)", async () => {
  const { context } = at((await grow()).members, 0).state;
  const remove: Proposal = { proposalType: 3, removed: 1 };
  const refusal = { code: "ERR_MLS_SENDER", requirement: "R-12.1.8-2" };
  for (const senderIndex of [0, 2, -1]) {
    await expect(createExternalProposal(context, remove, { ...options, senderIndex })).rejects.toMatchObject(refusal);
  }
  const closed = at((await Group.of(["alice"])).members, 0).state.context;
  await expect(createExternalProposal(closed, remove, options)).rejects.toMatchObject(refusal);
});

test("an external sender cannot propose an ExternalInit (R-12.1.8-3)", async () => {
  const { context } = at((await grow()).members, 0).state;
  const proposal: Proposal = { proposalType: 6, kemOutput: new Uint8Array(32) };
  await expect(createExternalProposal(context, proposal, options)).rejects.toMatchObject({
    code: "ERR_MLS_SENDER",
    requirement: "R-12.1.8-3",
  });
});

test("a client asks to be added, and a policy may refuse it (R-12.1.8-4)", async () => {
  const allowOutsideProposal = (): Promise<void> => Promise.resolve();
  const group = await grow(testRules({ allowOutsideProposal }));
  const erin = await Member.create("erin");
  const own = await erin.keyPackage();
  const { context } = at(group.members, 0).state;
  const message = await createNewMemberProposal(context, own.keyPackage, erin);
  for (const member of group.members) await member.receive(message);
  const made = await group.commit(group.member("alice"));
  await erin.join(made.staged.welcome, own);
  group.members.push(erin);
  await group.chat(erin, "let in");

  const guarded = testRules({
    allowOutsideProposal,
    allowProposals: ({ proposals }) =>
      proposals.some(({ sender }) => sender.senderType === "new_member_proposal")
        ? Promise.reject(new Error("ask a member"))
        : Promise.resolve(),
  });
  const strict = await grow(guarded);
  const alice = strict.member("alice");
  const frank = await Member.create("frank");
  const asking = await createNewMemberProposal(alice.state.context, (await frank.keyPackage()).keyPackage, frank);
  await alice.receive(asking);
  // It is left out, and keeps nobody from committing.
  const { staged } = await alice.commit();
  expect(staged.added).toEqual([]);
  expect(staged.refused.map(({ reason }) => [reason.code, reason.requirement])).toEqual([
    ["ERR_MLS_POLICY", "R-12.2-15"],
  ]);
});

test("a client asks with a key package of its own and of the group's suite (R-12.1.8-4)", async () => {
  const { context } = at((await grow()).members, 0).state;
  const refusal = { code: "ERR_MLS_KEY_PACKAGE", requirement: "R-12.1.8-4" };
  const erin = await Member.create("erin");
  const { keyPackage } = await erin.keyPackage();
  await expect(createNewMemberProposal(context, keyPackage, moderator)).rejects.toMatchObject(refusal);
  const foreign = await Member.create("erin", { suite: await getCipherSuite(3) });
  const another = await foreign.keyPackage();
  await expect(createNewMemberProposal(context, another.keyPackage, foreign)).rejects.toMatchObject(refusal);
});
