/** A leaf keeps its identity: nobody takes another's name by a new credential (adversarial 50, R-5.3.1-8). */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import type { Credential } from "../../src/identity/credential.ts";
import { createCommit } from "../../src/commit/create.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { createExternalCommit } from "../../src/group/external-join.ts";
import { createUpdateProposal } from "../../src/group/send.ts";
import { branchGroup, reinitGroup } from "../../src/group/successor.ts";
import { observeGroup, observeMessage } from "../../src/group/public-group.ts";
import type { AuthenticationService } from "../../src/identity/authentication.ts";
import { forgeCommit, forgeExternalCommit } from "../support/forge-commit.ts";
import { ANYBODY, expectForgeryRefused, expectRefusal, Group, LIFETIME, Member, testRules } from "../support/group.ts";

const refused = { code: "ERR_MLS_CREDENTIAL", requirement: "R-5.3.1-8" } as const;
const grace = basicCredential("grace");

/** Takes credentials for the same whose identities agree up to a slash: a name, and what is renewed. */
const byName: AuthenticationService = {
  validate: () => Promise.resolve(),
  sameIdentity: (a, b) => nameOf(a) === nameOf(b),
};
const nameOf = (credential: Credential): string | undefined =>
  credential.credentialType === 1 ? new TextDecoder().decode(credential.identity).split("/")[0] : undefined;

async function threesome(): Promise<{ group: Group; alice: Member; bob: Member; carol: Member; genuine: Bytes }> {
  const group = await Group.of(["alice", "bob", "carol"]);
  const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
  return { group, alice, bob, carol, genuine: (await alice.commit()).staged.commit };
}

describe("another identity is refused by default, though the authentication service trusts everybody", () => {
  test("in the path of a Commit, by members and by observers", async () => {
    const { alice, bob, genuine } = await threesome();
    const { message } = await forgeCommit(alice, { leaf: (leaf) => ({ ...leaf, credential: grace }) });
    await expectForgeryRefused(bob, message, refused, genuine);
    const { suite, rules } = bob;
    const observer = await observeGroup(await createGroupInfo(bob.state, bob.signer), { suite, rules });
    await expect(observeMessage(observer, message, { rules })).rejects.toMatchObject(refused);
  });

  test("in an Update", async () => {
    const { alice, bob, carol, genuine } = await threesome();
    carol.rules = testRules({ authentication: ANYBODY });
    const update = await createUpdateProposal(carol.state, { ...carol, leaf: { credential: grace } });
    alice.rules = testRules({ authentication: ANYBODY });
    await alice.receive(update.message);
    const before = bob.state;
    await bob.receive(update.message);
    const { commit } = (await alice.commit()).staged;
    await expectRefusal(bob, refused, () => bob.peek(commit));
    // Bob himself leaves it out.
    const { refused: leftOut } = (await bob.commit()).staged;
    expect(leftOut.map(({ reason }) => reason)).toMatchObject([refused]);
    bob.state = before;
    await bob.peek(genuine);
  });

  test("in an external Commit in place of an earlier leaf", async () => {
    const { alice, bob, genuine } = await threesome();
    const eve = await Member.create("grace");
    const remove = { proposalType: 3, removed: 2 } as const;
    const { message } = await forgeExternalCommit(alice, eve, { proposals: [remove] });
    await expectForgeryRefused(bob, message, refused, genuine);
    const back = await forgeExternalCommit(alice, await Member.create("carol"), { proposals: [remove] });
    await expect(bob.peek(back.message)).resolves.toMatchObject({ kind: "commit", effect: { external: true } });
  });

  test("when it is made", async () => {
    const { alice } = await threesome();
    const leaf = { credential: grace };
    await expectRefusal(alice, refused, () => createCommit(alice.state, { ...alice, leaf }));
    await expectRefusal(alice, refused, () => createUpdateProposal(alice.state, { ...alice, leaf }));
    const info = await createGroupInfo(alice.state, alice.signer);
    const eve = await Member.create("grace");
    const { suite, rules, signer, capabilities } = eve;
    const joining = { suite, rules, signer, capabilities, credential: grace, replaces: 2 as never };
    await expectRefusal(alice, refused, () => createExternalCommit(info, joining));
  });

  test("in a group that succeeds this one", async () => {
    const { group, alice, bob } = await threesome();
    const eve = await Member.create("grace");
    const options = {
      ...{ rules: alice.rules, signer: alice.signer, capabilities: alice.capabilities, lifetime: LIFETIME },
      credential: basicCredential("alice"),
      keyPackages: [(await bob.keyPackage()).keyPackage, (await eve.keyPackage()).keyPackage],
    };
    const stranger = { code: "ERR_MLS_WELCOME" } as const;
    await expectRefusal(alice, stranger, () => branchGroup(alice.state, options));
    await group.commit(alice, {
      proposals: [{ proposalType: 5, groupId: new Uint8Array(4), version: 1, cipherSuite: 1, extensions: [] }],
    });
    await expectRefusal(alice, stranger, () => reinitGroup(alice.state, { ...options, suite: alice.suite }));
  });
});

describe("a renewal is accepted where the application tells that it is of the same identity", () => {
  test("and nothing else is", async () => {
    const rules = testRules({ authentication: byName });
    const group = await Group.of(["alice", "bob"], { rules });
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const renewed = basicCredential("alice/2027");
    await group.commit(alice, { leaf: { credential: renewed } });
    expect(bob.state.tree.leaf(alice.state.leafIndex)?.credential).toEqual(renewed);
    await expectRefusal(alice, refused, () => alice.commit({ leaf: { credential: grace } }));
    await group.propose(
      bob,
      await createUpdateProposal(bob.state, { ...bob, leaf: { credential: basicCredential("bob/2") } }),
    );
    await group.commit(alice);
    await group.joinExternally(await Member.create("bob", { rules }), { replaces: bob.state.leafIndex });
  });
});
