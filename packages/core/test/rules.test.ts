/** What the application decides (RFC 9420 §5.3.1, §12.2), and what it is told for that. */
import { describe, expect, test } from "vitest";
import { utf8 } from "../src/codec/bytes.ts";
import { ExtensionType } from "../src/extensions/extension.ts";
import { CoppiceError } from "../src/errors.ts";
import { createProposal } from "../src/group/send.ts";
import { createKeyPackage } from "../src/framing/key-package.ts";
import { makeRules } from "../src/rules.ts";
import type { Rules } from "../src/rules.ts";
import { forgeCommit, forgeExternalCommit } from "./support/forge-commit.ts";
import { ANYBODY, expectRefusal, Group, LIFETIME, Member, testRules } from "./support/group.ts";
import { basicCredential } from "../src/identity/credential.ts";

test("authentication and clock have no default, all else has a safe one (R-7.2-9)", async () => {
  const rules = makeRules({ authentication: { validate: () => Promise.resolve() }, now: () => 5n });
  expect(rules.lifetime).toEqual({ maxSeconds: 84n * 86_400n + 3600n, checkOnReceive: true });
  expect(rules.supportedExtensions).toEqual([]);
  expect(rules.now()).toBe(5n);
  const id = { pskType: "external", pskId: utf8("x"), pskNonce: new Uint8Array(32) } as const;
  await expect(rules.findPsk(id)).resolves.toBeUndefined();
});

describe("expired credentials (R-5.3.2-1, R-5.3.2-2)", () => {
  /** Refuses whoever is called alice. */
  const expired: Rules["authentication"] = {
    validate: ({ credential }) =>
      credential.credentialType === 1 && new TextDecoder().decode(credential.identity) === "alice"
        ? Promise.reject(new Error("expired"))
        : Promise.resolve(),
    sameIdentity: () => true,
  };

  test("do not keep messages of a member from being read, nor a renewal from being accepted", async () => {
    const group = await Group.of(["alice", "bob"], { rules: testRules({ authentication: ANYBODY }) });
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const message = await alice.send("sent before");
    bob.rules = testRules({ authentication: expired });
    await expect(bob.receive(message)).resolves.toMatchObject({ data: utf8("sent before") });
    const renewal = await alice.commit({ leaf: { credential: basicCredential("alice until next year") } });
    await expect(bob.peek(renewal.staged.commit)).resolves.toMatchObject({ kind: "commit" });
    const kept = await alice.commit();
    await expectRefusal(bob, { code: "ERR_MLS_CREDENTIAL" }, () => bob.peek(kept.staged.commit));
  });
});

describe("the policy for proposals (R-12.2-15, R-12.4.3.2-8, R-16.5-1)", () => {
  const needsPsk: Rules["allowProposals"] = ({ proposals, committer }) =>
    committer.senderType === "new_member_commit" && !proposals.some(({ proposal }) => proposal.proposalType === 4)
      ? Promise.reject(new CoppiceError("ERR_MLS_POLICY", "a PSK is asked of who lets itself in"))
      : Promise.resolve();

  test("can demand a PSK of those who let themselves in", async () => {
    const group = await Group.of(["alice", "bob"]);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const value = utf8("shared");
    bob.rules = testRules({ allowProposals: needsPsk, findPsk: () => Promise.resolve(value) });
    const newcomer = await Member.create("newcomer");
    const { message } = await forgeExternalCommit(alice, newcomer);
    await expectRefusal(bob, { code: "ERR_MLS_POLICY" }, () => bob.peek(message));
    const psk = { pskType: "external", pskId: utf8("id"), pskNonce: new Uint8Array(32) } as const;
    const { message: proven } = await forgeExternalCommit(alice, newcomer, {
      proposals: [{ proposalType: 4, psk }],
      psks: [value],
    });
    await expect(bob.peek(proven)).resolves.toMatchObject({ kind: "commit" });
  });

  test("sees each proposal with its sender, when making a Commit and when receiving it", async () => {
    const group = await Group.of(["alice", "bob", "carol"]);
    const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
    const seen: unknown[] = [];
    const watching = testRules({
      allowProposals: ({ proposals, committer }) => {
        seen.push([committer, proposals.map(({ sender }) => sender)]);
        return Promise.resolve();
      },
    });
    const proposed = await createProposal(carol.state, { proposalType: 3, removed: 2 }, carol);
    for (const member of [alice, bob]) {
      member.rules = watching;
      await member.receive(proposed.message);
    }
    const psk = { pskType: "external", pskId: utf8("id"), pskNonce: new Uint8Array(32) } as const;
    const knowing = { ...watching, findPsk: () => Promise.resolve(utf8("value")) };
    for (const member of [alice, bob]) member.rules = knowing;
    const made = await alice.commit({ proposals: [{ proposalType: 4, psk }] });
    await bob.receive(made.staged.commit);
    const [byAlice, byCarol] = [0, 2].map((leafIndex) => ({ senderType: "member", leafIndex }));
    expect(seen).toEqual([
      [byAlice, [byCarol, byAlice]],
      [byAlice, [byCarol, byAlice]],
    ]);
  });

  test("that fails by a bug of its own refuses with that as the cause, and nothing changes (R-12.2-15, adversarial 42)", async () => {
    const group = await Group.of(["alice", "bob"]);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const { message } = await forgeCommit(alice);
    bob.rules = testRules({ allowProposals: () => Promise.reject(new TypeError("a bug")) });
    const before = bob.state;
    await expect(bob.receive(message)).rejects.toMatchObject({
      code: "ERR_MLS_POLICY",
      requirement: "R-12.2-15",
      cause: expect.any(TypeError) as TypeError,
    });
    expect(bob.state).toBe(before);
    bob.rules = testRules();
    await bob.receive(message);
  });
});

test("how long ago the own leaf was refreshed can be read (R-3.2-1)", async () => {
  const group = await Group.of(["alice", "bob"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  expect(bob.state.leafSince).toBe(1n);
  await group.commit(alice);
  await group.commit(alice);
  expect([alice.state.leafSince, bob.state.leafSince]).toEqual([3n, 1n]);
  await group.commit(bob);
  expect(bob.state.leafSince).toBe(bob.state.context.epoch);
});

test("two members may claim one application_id: it is not authenticated (R-5.3.3-2, R-5.3.3-3)", async () => {
  const group = await Group.of(["alice"]);
  const alice = group.member("alice");
  const leafExtensions = [{ extensionType: ExtensionType.applicationId, extensionData: utf8("same") }];
  const packages = await Promise.all(
    ["bob", "carol"].map(async (name) => {
      const { suite, signer, capabilities } = await Member.create(name);
      const credential = basicCredential(name);
      return createKeyPackage({ suite, signer, capabilities, credential, lifetime: LIFETIME, leafExtensions });
    }),
  );
  const made = await alice.commit({
    proposals: packages.map(({ keyPackage }) => ({ proposalType: 1, keyPackage })),
  });
  expect(made.staged.added).toHaveLength(2);
});
