/** Joining by external Commit (RFC 9420 §12.4.3.2). */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { utf8 } from "../../src/codec/bytes.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import { externalPub, ExtensionType, makeExtension } from "../../src/extensions/extension.ts";
import type { GroupInfo } from "../../src/framing/group-info.ts";
import { signGroupInfo } from "../../src/framing/group-info.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import type { ExternalJoin } from "../../src/group/external-join.ts";
import { createExternalCommit } from "../../src/group/external-join.ts";
import { processMessage } from "../../src/group/receive.ts";
import type { LeafIndex } from "../../src/tree/tree-math.ts";
import { forgeExternalCommit } from "../support/forge-commit.ts";
import { expectRefusal, Group, Member, TEST_EXTENSION, testRules } from "../support/group.ts";

test("a client lets itself in, also where the tree must grow (R-8.3-1, R-8.3-2, R-12.4.1-2, R-12.4.3.2-6)", async () => {
  const group = await Group.of(["alice", "bob"]);
  for (const name of ["carol", "dave"]) {
    const newcomer = await Member.create(name);
    await group.joinExternally(newcomer);
    await group.chat(newcomer, `${name} is in`);
    await group.chat(group.member("alice"), `welcome ${name}`);
  }
  await group.commit(group.member("bob"));
});

test("a client that lost its state replaces its own leaf (R-12.2-17)", async () => {
  const group = await Group.of(["alice", "bob", "carol"]);
  const bob = group.member("bob");
  const again = await Member.create("bob");
  await group.joinExternally(again, { replaces: bob.state.leafIndex });
  expect(bob.state.status).toBe("removed");
  await group.chat(again, "back again");
});

test("the first leaf is replaced like any other (R-12.2-17, adversarial 33)", async () => {
  const group = await Group.of(["alice", "bob", "carol"]);
  const alice = group.member("alice");
  const again = await Member.create("alice");
  await group.joinExternally(again, { replaces: alice.state.leafIndex });
  expect([alice.state.status, again.state.leafIndex]).toEqual(["removed", 0]);
  await group.chat(again, "back at the first leaf");
});

test.each([3, 4, 0xffff_ffff])(
  "leaf %i, which is blank or none, is not replaced (R-12.1.3-1, adversarial 3)",
  async (leaf) => {
    const alice = (await Group.of(["alice", "bob", "carol"])).member("alice");
    const { suite, rules, signer, capabilities } = await Member.create("dave");
    const options = { suite, rules, signer, capabilities, credential: basicCredential("dave") };
    const info = await createGroupInfo(alice.state, alice.signer);
    const replaces = leaf as LeafIndex;
    await expect(createExternalCommit(info, { ...options, replaces })).rejects.toMatchObject({
      code: "ERR_MLS_PROPOSAL",
      requirement: "R-12.1.3-1",
    });
  },
);

test("external PSKs of an external Commit are honoured (adversarial 31)", async () => {
  const psk = utf8("shared out of band");
  const rules = testRules({ findPsk: (id) => Promise.resolve(id.pskType === "external" ? psk : undefined) });
  const group = await Group.of(["alice", "bob"]);
  for (const member of group.members) member.rules = rules;
  await group.joinExternally(await Member.create("carol", { rules }), { psks: [{ pskId: utf8("id"), psk }] });

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
  await expectRefusal(alice, { code: "ERR_MLS_PSK", requirement: "R-12.4.2-5" }, () => alice.receive(joined.commit));
  alice.rules = testRules({ findPsk: () => Promise.resolve(utf8("another value")) });
  const confirmation = { code: "ERR_MLS_CONFIRMATION", requirement: "R-12.4.2-12" } as const;
  await expectRefusal(alice, confirmation, () => alice.receive(joined.commit));
  alice.rules = rules;
  await alice.receive(joined.commit);
  expect(alice.state.secrets.epochAuthenticator).toEqual(joined.state.secrets.epochAuthenticator);
});

test("the policy sees what the Commit covers, and who makes it (R-12.2-15)", async () => {
  const seen: unknown[] = [];
  const rules = testRules({
    allowProposals: ({ proposals, committer }) => {
      seen.push([committer, proposals.map(({ proposal: { proposalType }, sender }) => [proposalType, sender])]);
      return seen.length === 1 ? Promise.resolve() : Promise.reject(new Error("enough"));
    },
  });
  const group = await Group.of(["alice", "bob"]);
  const carol = await Member.create("bob", { rules });
  await group.joinExternally(carol, { replaces: group.member("bob").state.leafIndex });
  const committer = { senderType: "new_member_commit" };
  expect(seen).toEqual([
    [
      committer,
      [
        [6, committer],
        [3, committer],
      ],
    ],
  ]);
  await expect(group.joinExternally(await Member.create("dave", { rules }))).rejects.toMatchObject({
    code: "ERR_MLS_POLICY",
  });
});

test("a joiner has no past: nothing is kept of epochs that it was not in (T-24)", async () => {
  const group = await Group.of(["alice", "bob"]);
  const carol = await Member.create("carol");
  await group.joinExternally(carol);
  const { pastEpochs, resumptionPsks, proposals, pendingUpdates } = carol.state;
  expect([pastEpochs, [...resumptionPsks], [...proposals], [...pendingUpdates]]).toEqual([[], [], [], []]);
});

describe("a GroupInfo that cannot be used", () => {
  const setUp = async (): Promise<{
    host: Member;
    info: GroupInfo;
    join: (info: GroupInfo) => Promise<ExternalJoin>;
  }> => {
    const group = await Group.of(["alice", "bob"]);
    const host = group.member("alice");
    const { suite, rules, signer, capabilities } = await Member.create("carol");
    const credential = basicCredential("carol");
    const join = (info: GroupInfo): Promise<ExternalJoin> =>
      createExternalCommit(info, { suite, rules, signer, capabilities, credential });
    return { host, info: await createGroupInfo(host.state, host.signer), join };
  };
  const without = (info: GroupInfo, type: number): GroupInfo["extensions"] =>
    info.extensions.filter(({ extensionType }) => extensionType !== type);
  const external = (key: Bytes): GroupInfo["extensions"][number] =>
    makeExtension(ExtensionType.externalPub, externalPub, { externalPub: key });

  test("has no external_pub, or no tree (R-12.4.3.2-1, R-12.4.3.1-7)", async () => {
    const { host, info, join } = await setUp();
    for (const [type, requirement] of [
      [ExtensionType.externalPub, "R-12.4.3.2-1"],
      [ExtensionType.ratchetTree, "R-12.4.3.1-7"],
    ] as const) {
      const changed = await signGroupInfo({ ...info, extensions: without(info, type) }, host.signer);
      await expect(join(changed)).rejects.toMatchObject({ code: "ERR_MLS_GROUP_INFO", requirement });
    }
    await join(info);
  });

  test("is checked as that of a Welcome (R-12.4.3.2-2, R-12.4.3-4, R-12.4.3.3-5, R-13.4-5)", async () => {
    const { host, info, join } = await setUp();
    await expect(join({ ...info, confirmationTag: utf8("changed") })).rejects.toMatchObject({
      code: "ERR_MLS_SIGNATURE",
      requirement: "R-12.4.3-4",
    });
    const { groupContext } = info;
    for (const [change, expected] of [
      [{ treeHash: utf8("other") }, { code: "ERR_MLS_TREE", requirement: "R-12.4.3.3-5" }],
      [{ cipherSuite: 2 }, { code: "ERR_MLS_GROUP_INFO", requirement: "R-12.4.3.1-8" }],
      [
        { extensions: [{ extensionType: 0xf00d, extensionData: utf8("") }] },
        { code: "ERR_MLS_GROUP_INFO", requirement: "R-13.4-5" },
      ],
    ] as const) {
      const changed = await signGroupInfo({ ...info, groupContext: { ...groupContext, ...change } }, host.signer);
      await expect(join(changed)).rejects.toMatchObject(expected);
    }
  });

  test.each([3, 4, 0x7fff_ffff, 0xffff_ffff])(
    "is signed by leaf %i, which is blank or none (R-12.4.3-4, adversarial 3)",
    async (signer) => {
      const alice = (await Group.of(["alice", "bob", "carol"])).member("alice");
      const { suite, rules, signer: key, capabilities } = await Member.create("dave");
      const options = { suite, rules, signer: key, capabilities, credential: basicCredential("dave") };
      const info = await createGroupInfo(alice.state, alice.signer);
      const changed = await signGroupInfo({ ...info, signer }, alice.signer);
      await expect(createExternalCommit(changed, options)).rejects.toMatchObject({
        code: "ERR_MLS_GROUP_INFO",
        requirement: "R-12.4.3-4",
      });
      await createExternalCommit(info, options);
    },
  );

  test.each([0, 31, 32, 33])("has an external_pub of %i zero bytes (R-5.1.1-3, adversarial 15)", async (length) => {
    const { host, info, join } = await setUp();
    const extensions = [...without(info, ExtensionType.externalPub), external(new Uint8Array(length))];
    const changed = await signGroupInfo({ ...info, extensions }, host.signer);
    await expect(join(changed)).rejects.toMatchObject({ code: "ERR_MLS_CRYPTO" });
  });

  test("is of the last epoch that there can be", async () => {
    const { host, info, join } = await setUp();
    const groupContext = { ...info.groupContext, epoch: 2n ** 64n - 1n };
    const changed = await signGroupInfo({ ...info, groupContext }, host.signer);
    await expect(join(changed)).rejects.toMatchObject({ code: "ERR_MLS_LIMIT" });
  });

  test("is of an epoch that is over: the Commit is stale (R-12.4.3.2-9)", async () => {
    const group = await Group.of(["alice", "bob"]);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const { suite, rules, signer, capabilities } = await Member.create("carol");
    const info = await createGroupInfo(alice.state, alice.signer);
    const credential = basicCredential("carol");
    const joined = await createExternalCommit(info, { suite, rules, signer, capabilities, credential });
    await group.commit(alice);
    const expected = { code: "ERR_MLS_EPOCH", requirement: "R-12.4.2-1" } as const;
    await expectRefusal(bob, expected, () => bob.receive(joined.commit));
  });
});

test("the only member replaces its own leaf: for a moment the tree has no members (R-12.2-17, adversarial 33)", async () => {
  const group = await Group.of(["alice"]);
  const alice = group.member("alice");
  const again = await Member.create("alice");
  await group.joinExternally(again, { replaces: alice.state.leafIndex });
  expect([alice.state.status, again.state.leafIndex]).toEqual(["removed", 0]);
  await group.add(again, [await Member.create("bob")]);
  await group.chat(again, "alone no more");
});

test("a leaf that others would refuse is not made (R-7.3-9, R-13.4-3)", async () => {
  const alice = (await Group.of(["alice"])).member("alice");
  const info = await createGroupInfo(alice.state, alice.signer);
  const { suite, rules, signer, capabilities } = await Member.create("bob");
  const options = { suite, rules, signer, capabilities, credential: basicCredential("bob") };
  const list = (...types: number[]) => types.map((extensionType) => ({ extensionType, extensionData: utf8("x") }));
  const leafExtensions = list(0xf00d);
  await expectRefusal(alice, { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-9" }, () =>
    createExternalCommit(info, { ...options, leafExtensions }),
  );
  await expectRefusal(alice, { code: "ERR_MLS_DECODE", requirement: "R-13.4-3" }, () =>
    createExternalCommit(info, { ...options, leafExtensions: list(TEST_EXTENSION, TEST_EXTENSION) }),
  );
});

describe("secrets of the way in are erased by those who computed them (R-9.2-2)", () => {
  /** A suite that remembers secrets of external inits. */
  function watched(
    suite: CipherSuite,
    externalSecret?: Bytes,
  ): { readonly suite: CipherSuite; readonly secrets: Bytes[] } {
    const secrets: Bytes[] = [];
    const { hpke } = suite;
    const watch = <T extends object>(made: T, secret: Bytes): T => {
      expect(secret.some((byte) => byte !== 0)).toBe(true);
      secrets.push(secret);
      return made;
    };
    return {
      secrets,
      suite: {
        ...suite,
        hpke: {
          ...hpke,
          deriveKeyPair: (secret) =>
            hpke
              .deriveKeyPair(secret)
              .then((pair) => (secret === externalSecret ? watch(pair, pair.privateKey) : pair)),
          sendExport: (...args) => hpke.sendExport(...args).then((sent) => watch(sent, sent.secret)),
          receiveExport: (...args) => hpke.receiveExport(...args).then((secret) => watch(secret, secret)),
        },
      },
    };
  }
  const options = ({ suite, rules, signer, capabilities, name }: Member) => {
    return { suite, rules, signer, capabilities, credential: basicCredential(name) };
  };
  const isErased = (secret: Bytes): boolean => secret.every((byte) => byte === 0);

  test("by members, also if the Commit is refused; by who publishes a GroupInfo", async () => {
    const alice = (await Group.of(["alice"])).member("alice");
    const { suite, secrets } = watched(alice.suite, alice.state.secrets.externalSecret);
    const state = { ...alice.state, suite };
    const info = await createGroupInfo(state, alice.signer);
    expect([secrets.length, secrets.every(isErased)]).toEqual([1, true]);
    const bob = await Member.create("bob");
    const joining = await createExternalCommit(info, options(bob));
    secrets.length = 0;
    await processMessage(state, joining.commit, alice);
    expect([secrets.length, secrets.every(isErased)]).toEqual([2, true]);
    const wrongTag = { auth: { confirmationTag: new Uint8Array(32) } };
    const { message } = await forgeExternalCommit(alice, bob, wrongTag);
    secrets.length = 0;
    await expectRefusal(alice, { code: "ERR_MLS_CONFIRMATION" }, () => processMessage(state, message, alice));
    expect([secrets.length, secrets.every(isErased)]).toEqual([2, true]);
  });

  test("by the joiner, also if its Commit is not made", async () => {
    const alice = (await Group.of(["alice"])).member("alice");
    const info = await createGroupInfo(alice.state, alice.signer);
    const bob = await Member.create("bob");
    for (const rules of [bob.rules, testRules({ allowProposals: () => Promise.reject(new Error("no")) })]) {
      const { suite, secrets } = watched(bob.suite);
      const joining = createExternalCommit(info, { ...options(bob), suite, rules });
      if (rules === bob.rules) await joining;
      else await expect(joining).rejects.toMatchObject({ code: "ERR_MLS_POLICY" });
      expect([secrets.length, secrets.every(isErased)]).toEqual([1, true]);
    }
  });
});
