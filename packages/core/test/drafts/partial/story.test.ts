/** Partial members in the life of a group: they join, follow, send and receive, and become full members and partial ones again. */
import { expect, test } from "vitest";
import { EMPTY, toHex, utf8 } from "../../../src/codec/bytes.ts";
import { annotateCommit, annotateMessage, membershipProofOf } from "../../../src/drafts/partial/annotate.ts";
import { admitMember } from "../../../src/drafts/partial/partial-state.ts";
import { createPartialProposal, createPartialUpdateProposal } from "../../../src/drafts/partial/propose.ts";
import { processOutsideProposal } from "../../../src/drafts/partial/receive.ts";
import { downgradeToPartial, upgradeToFull } from "../../../src/drafts/partial/upgrade.ts";
import { externalSenders, ExtensionType, makeExtension } from "../../../src/extensions/extension.ts";
import { createGroupInfo, exportRatchetTree, exportSecret } from "../../../src/group/export.ts";
import { openMany } from "../../../src/group/open-many.ts";
import { createExternalProposal } from "../../../src/group/propose-from-outside.ts";
import { observeGroup, observeMessage } from "../../../src/group/public-group.ts";
import { createProposal, createUpdateProposal } from "../../../src/group/send.ts";
import { basicCredential } from "../../../src/identity/credential.ts";
import { ParentSlot } from "../../../src/tree/subtree.ts";
import type { NodeIndex } from "../../../src/tree/tree-math.ts";
import { at, Group, Member, TEST_EXTENSION, testRules } from "../../support/group.ts";
import { MixedGroup, PartialMember } from "../../support/mixed-group.ts";

const psk = { pskType: "external", pskId: utf8("psk"), pskNonce: new Uint8Array(32) } as const;
const rules = testRules({ findPsk: () => Promise.resolve(utf8("value")) });

async function mixed(full: readonly string[], partial: readonly string[]): Promise<MixedGroup> {
  const mix = new MixedGroup(await Group.of(full, { rules }));
  const clients = await Promise.all(partial.map((name) => Member.create(name, { rules })));
  if (clients.length > 0) await mix.addPartials(mix.host, clients);
  return mix;
}

test("partial members follow Commits of all kinds, and everybody reads everybody", async () => {
  const mix = await mixed(["alice", "bob", "carol"], ["pat", "pia", "pete"]);
  const [alice, bob, carol] = mix.group.members as [Member, Member, Member];
  const pat = at(mix.partials, 0);
  for (const wireFormat of ["mls_public_message", "mls_private_message"] as const) {
    await mix.commit(bob, { wireFormat });
    await mix.commit(carol, { wireFormat, forcePath: true });
    await mix.commit(alice, { wireFormat, proposals: [{ proposalType: 4, psk }] });
    await mix.addPartials(bob, [await Member.create(`new ${wireFormat}`, { rules })], { wireFormat });
  }
  const extensions = [{ extensionType: TEST_EXTENSION, extensionData: utf8("more") }];
  await mix.commit(alice, { proposals: [{ proposalType: 7, extensions }] });
  expect(pat.state.context.extensions).toEqual(extensions);
  await mix.joinExternally(await Member.create("eve", { rules }));
  for (const sender of [...mix.group.members, ...mix.partials]) await mix.chat(sender, "hello");
  const request = { label: "shared", context: EMPTY, length: 32 };
  expect(toHex(exportSecret(pat.state, request))).toBe(toHex(exportSecret(alice.state, request)));
});

test("who is added without a path is unmerged, and decrypts with its leaf's key", async () => {
  const mix = await mixed(["a", "b", "c", "d", "e", "f", "g", "h"], []);
  const [alice, , , , erin] = mix.group.members as [Member, Member, Member, Member, Member];
  for (const member of mix.group.members) await mix.commit(member, { forcePath: true });
  await mix.commit(alice, { proposals: [{ proposalType: 3, removed: 6 }] });
  await mix.commit(erin, { forcePath: true });
  await mix.addPartials(alice, [await Member.create("pat", { rules })]);
  const [pat] = mix.partials as [PartialMember];
  expect([pat.state.leafIndex, pat.state.privateKeys.size]).toEqual([6, 1]);
  // Erin's node is above it, and it does not have that key.
  const above = mix.host.state.tree.subtree(11 as NodeIndex);
  expect(above instanceof ParentSlot && above.parentNode?.unmergedLeaves).toEqual([6]);
  await mix.commit(alice, { forcePath: true });
  await mix.commit(erin, { forcePath: true });
  expect(pat.state.privateKeys.size).toBe(3);
});

test("a partial member is told by whom it was removed, and keeps no secret", async () => {
  const mix = await mixed(["alice", "bob"], ["pat", "pia"]);
  const [pat, pia] = mix.partials as [PartialMember, PartialMember];
  const { leafIndex } = pat.state;
  await mix.commit(mix.host, { proposals: [{ proposalType: 3, removed: leafIndex }] });
  expect(pat.state.status).toBe("removed");
  expect(pat.state.secrets.epochAuthenticator).toHaveLength(0);
  expect(mix.partials).toEqual([pia]);
  await mix.chat(pia, "he is gone");
});

test("a partial member renews its keys, and asks to leave", async () => {
  const mix = await mixed(["alice", "bob"], ["pat", "pia"]);
  const [pat, pia] = mix.partials as [PartialMember, PartialMember];
  const key = pat.state.tree.findLeaf(pat.state.leafIndex)?.encryptionKey;
  await mix.proposePartially(pat, await createPartialUpdateProposal(pat.state, pat.client));
  await mix.commit(mix.host);
  expect(pat.state.tree.findLeaf(pat.state.leafIndex)?.encryptionKey).not.toEqual(key);
  expect(pat.state.leafSince).toBe(pat.state.context.epoch);
  await mix.commit(at(mix.group.members, 1), { forcePath: true });
  await mix.chat(pat, "still here");

  const remove = { proposalType: 3, removed: pia.state.leafIndex } as const;
  await mix.proposePartially(pia, await createPartialProposal(pia.state, remove, pia.client));
  await mix.commit(mix.host);
  expect(pia.state.status).toBe("removed");
});

test("proposals of full members take effect for partial ones", async () => {
  const mix = await mixed(["alice", "bob", "carol"], ["pat"]);
  const [alice, bob, carol] = mix.group.members as [Member, Member, Member];
  await mix.propose(bob, await createUpdateProposal(bob.state, bob));
  const wireFormat = "mls_public_message";
  await mix.propose(
    carol,
    await createProposal(carol.state, { proposalType: 4, psk }, { ...carol, wireFormat, rules }),
  );
  await mix.commit(alice);
  await mix.chat(bob, "as before");
});

test("a partial member becomes a full one, commits, and becomes partial again", async () => {
  const mix = await mixed(["alice", "bob", "carol"], ["pat"]);
  const [pat] = mix.partials as [PartialMember];
  await mix.commit(mix.host, { forcePath: true });
  const full = await upgradeToFull(pat.state, exportRatchetTree(mix.host.state), { rules });
  expect(full.consumed.length).toBeGreaterThan(0);
  pat.client.state = full.state;
  mix.partials = [];
  mix.group.members.push(pat.client);
  await mix.commit(pat.client, { forcePath: true });
  await mix.commit(mix.host, { forcePath: true });

  mix.group.members.pop();
  const late = await mix.host.send("late");
  const before = mix.host.state;
  mix.partials = [new PartialMember(pat.client, downgradeToPartial(pat.client.state))];
  await mix.commit(at(mix.group.members, 1), { forcePath: true });
  const [again] = mix.partials as [PartialMember];
  const opened = await again.receive(annotateMessage(before, late, before.leafIndex), "mls_private_message");
  expect(opened.kind).toBe("application");
  await mix.chat(again, "partial again");
});

test("whoever was proven in an epoch is read without a proof", async () => {
  const mix = await mixed(["alice", "bob"], ["pat"]);
  const [pat] = mix.partials as [PartialMember];
  const bob = at(mix.group.members, 1);
  const message = await bob.send("plain");
  await expect(openMany(pat.state, [message], { rules })).rejects.toMatchObject({ code: "ERR_MLS_NOT_LOADED" });
  const state = await admitMember(pat.state, membershipProofOf(mix.host.state, bob.state.leafIndex), { rules });
  const { outcomes } = await openMany(state, [message], { rules });
  expect(outcomes[0]?.kind).toBe("application");
});

test("a message of the epoch before is read with a proof of that epoch", async () => {
  const mix = await mixed(["alice", "bob"], ["pat"]);
  const [pat] = mix.partials as [PartialMember];
  const bob = at(mix.group.members, 1);
  const message = await bob.send("late");
  const before = mix.host.state;
  await mix.commit(mix.host, { forcePath: true });
  const wrong = annotateMessage(mix.host.state, message, bob.state.leafIndex);
  await expect(pat.receive(wrong, "mls_private_message")).rejects.toMatchObject({ requirement: "P-7-1" });
  const opened = await pat.receive(annotateMessage(before, message, bob.state.leafIndex), "mls_private_message");
  expect(opened.kind).toBe("application");
});

test("a server that follows public handshakes annotates them", async () => {
  const mix = await mixed(["alice", "bob", "carol"], ["pat"]);
  const [pat] = mix.partials as [PartialMember];
  const carol = at(mix.group.members, 2);
  const info = await createGroupInfo(mix.host.state, mix.host.signer);
  let server = await observeGroup(info, { suite: carol.suite, rules });
  const added = await Member.create("dan", { rules });
  const { keyPackage } = await added.keyPackage();
  for (const proposals of [[], [{ proposalType: 1, keyPackage }], [{ proposalType: 3, removed: 1 }]] as const) {
    const made = await carol.commit({ wireFormat: "mls_public_message", proposals });
    carol.adopt(made);
    const observed = await observeMessage(server, made.staged.commit, { rules });
    if (observed.kind !== "commit") throw new TypeError("a Commit");
    const { committer, added: joiners } = observed.effect;
    const change = {
      commit: made.staged.commit,
      before: server,
      after: observed.state,
      committer: committer.leafIndex,
      added: joiners,
    };
    const { effect } = await pat.follow(annotateCommit(change, pat.state.leafIndex));
    server = observed.state;
    expect(toHex(pat.state.secrets.epochAuthenticator)).toBe(toHex(carol.state.secrets.epochAuthenticator));
    expect(effect.committer.leafIndex).toBe(carol.state.leafIndex);
    expect(effect.added).toHaveLength(joiners.length);
    expect(effect.removed).toEqual(observed.effect.removed.map(({ leafIndex }) => leafIndex));
  }
});

test("proposals from outside the group come without a proof", async () => {
  const mix = await mixed(["alice", "bob"], ["pat"]);
  const [pat] = mix.partials as [PartialMember];
  const outsider = await Member.create("moderator", { rules });
  const identity = { credential: basicCredential("moderator"), signatureKey: outsider.signer.publicKey };
  await mix.commit(mix.host, {
    proposals: [
      { proposalType: 7, extensions: [makeExtension(ExtensionType.externalSenders, externalSenders, [identity])] },
    ],
  });
  const { context } = mix.host.state;
  const remove = { proposalType: 3, removed: 1 } as const;
  const message = await createExternalProposal(context, remove, { signer: outsider.signer, senderIndex: 0 });
  const received = await processOutsideProposal(pat.state, message, { rules });
  if (received.kind !== "proposal") throw new TypeError("a proposal");
  pat.state = received.state;
  for (const member of mix.group.members) await member.receive(message);
  await mix.commit(mix.host);
  expect(mix.group.members).toHaveLength(1);
  expect(pat.state.status).toBe("active");
});
