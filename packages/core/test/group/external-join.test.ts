/** Joining by external Commit (RFC 9420 §12.4.3.2). */
import { expect, test } from "vitest";
import { utf8 } from "../../src/codec/bytes.ts";
import { basicCredential } from "../../src/credential.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import type { ExternalJoinOptions } from "../../src/group/external-join.ts";
import { createExternalCommit } from "../../src/group/external-join.ts";
import { Group, Member, testRules } from "../support/group.ts";

async function joinExternally(
  group: Group,
  newcomer: Member,
  options: Partial<ExternalJoinOptions> = {},
): Promise<void> {
  const [host] = group.members;
  if (host === undefined) throw new Error("an empty group");
  const info = await createGroupInfo(host.state, host.signer);
  const { suite, rules, signer, capabilities, name } = newcomer;
  const credential = basicCredential(name);
  const joined = await createExternalCommit(info, { suite, rules, signer, capabilities, credential, ...options });
  for (const member of group.members) {
    const received = await member.receive(joined.commit);
    expect(received.kind === "commit" && received.effect.external).toBe(true);
  }
  newcomer.state = joined.state;
  group.members = [...group.members.filter(({ state }) => state.status === "active"), newcomer];
  group.expectAgreement();
}

test("a client lets itself in, also where the tree must grow (R-8.3-1, R-8.3-2, R-12.4.1-2, R-12.4.3.2-6)", async () => {
  const group = await Group.of(["alice", "bob"]);
  for (const name of ["carol", "dave"]) {
    const newcomer = await Member.create(name);
    await joinExternally(group, newcomer);
    await group.chat(newcomer, `${name} is in`);
    await group.chat(group.member("alice"), `welcome ${name}`);
  }
  await group.commit(group.member("bob"));
});

test("a client that lost its state replaces its own leaf (R-12.2-17)", async () => {
  const group = await Group.of(["alice", "bob", "carol"]);
  const bob = group.member("bob");
  const again = await Member.create("bob");
  await joinExternally(group, again, { replaces: bob.state.leafIndex });
  expect(bob.state.status).toBe("removed");
  await group.chat(again, "back again");
});

test("external PSKs of an external Commit are honoured (adversarial 31)", async () => {
  const psk = utf8("shared out of band");
  const rules = testRules({ findPsk: (id) => Promise.resolve(id.pskType === "external" ? psk : undefined) });
  const group = await Group.of(["alice", "bob"]);
  for (const member of group.members) member.rules = rules;
  await joinExternally(group, await Member.create("carol", { rules }), { psks: [{ pskId: utf8("id"), psk }] });

  const [alice] = group.members;
  if (alice === undefined) throw new Error("alice");
  alice.rules = testRules();
  const info = await createGroupInfo(alice.state, alice.signer);
  const dave = await Member.create("dave");
  const { suite, signer, capabilities } = dave;
  const credential = basicCredential("dave");
  const joined = await createExternalCommit(info, {
    ...{ suite, signer, capabilities, credential },
    rules: dave.rules,
    psks: [{ pskId: utf8("id"), psk }],
  });
  await expect(alice.receive(joined.commit)).rejects.toMatchObject({ code: "ERR_MLS_PSK" });
});
