/** Making a Commit (RFC 9420 §12.4.1, §7.4, §14): it changes nothing until it is adopted. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, erase, toHex, utf8 } from "../../src/codec/bytes.ts";
import { encode } from "../../src/codec/codec.ts";
import { adoptCommit, createCommit, discardCommit } from "../../src/commit/create.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { deriveSecret, makeKeyPackageRef } from "../../src/crypto/labels.ts";
import { decodeMessage, decodeMessageOf } from "../../src/framing/mls-message.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import { epochSecretsOf } from "../../src/state/group-state.ts";
import { createGroup } from "../../src/group/create.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { createExternalCommit } from "../../src/group/external-join.ts";
import { createApplicationMessage, createProposal, createUpdateProposal } from "../../src/group/send.ts";
import { decodeStagedCommit, encodeGroupState, encodeStagedCommit } from "../../src/group/serialise.ts";
import { createKeyPackage, keyPackage as keyPackageCodec } from "../../src/framing/key-package.ts";
import { secretsOf } from "../../src/schedule/secret-tree.ts";
import type { LeafIndex, NodeIndex } from "../../src/tree/tree-math.ts";
import type { UnsignedLeafNode } from "../../src/tree/leaf-node.ts";
import { derivePath, generatePath } from "../../src/tree/treekem.ts";
import { forgePrivate } from "../support/forge-message.ts";
import type { CreateCommitOptions } from "../../src/commit/create.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { forgeKeyPackage } from "../support/forge-join.ts";
import type { Expected } from "../support/group.ts";
import { ANYBODY, expectRefusal, Group, LIFETIME, Member, TEST_EXTENSION, testRules } from "../support/group.ts";

const snapshot = (state: GroupState): string => toHex(encodeGroupState(state));

describe("a staged Commit (R-14-3, R-14-4, R-14-5, R-3.2-3)", () => {
  test("leaves the epoch as it is, but for the key that encrypted it", async () => {
    const group = await Group.of(["alice", "bob"]);
    const alice = group.member("alice");
    const before = alice.state;
    const made = await createCommit(before, alice);
    expect(made.state.context).toBe(before.context);
    expect(made.state.tree).toBe(before.tree);
    expect(made.state.secrets).toBe(before.secrets);
    expect(made.state.secretTree).not.toBe(before.secretTree);
    expect(made.staged.next.context.epoch).toBe(before.context.epoch + 1n);

    const shown = snapshot(before);
    const open = await createCommit(before, { ...alice, wireFormat: "mls_public_message" });
    expect(snapshot(open.state)).toBe(shown);
  });

  test("is dropped when another one wins, and cannot be adopted after that (adversarial 11)", async () => {
    const group = await Group.of(["alice", "bob", "carol"]);
    const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
    const lost = await bob.commit();
    await group.commit(alice);
    await expectRefusal(bob, { code: "ERR_MLS_EPOCH", requirement: "R-14-5" }, () =>
      Promise.resolve().then(() => adoptCommit(bob.state, lost.staged, bob.rules)),
    );
    await expectRefusal(carol, { code: "ERR_MLS_EPOCH", requirement: "R-12.4.2-1" }, () =>
      carol.receive(lost.staged.commit),
    );
    const again = await group.commit(bob);
    expect(toHex(again.staged.commit)).not.toBe(toHex(lost.staged.commit));
    await group.chat(bob, "after the race");
  });

  test("made twice from one state is two Commits with nothing in common that is secret", async () => {
    const group = await Group.of(["alice", "bob"]);
    const alice = group.member("alice");
    const [one, two] = [await createCommit(alice.state, alice), await createCommit(alice.state, alice)];
    const secrets = new Set(Object.values(one.staged.next.secrets).map(toHex));
    expect(Object.values(two.staged.next.secrets).some((secret) => secrets.has(toHex(secret)))).toBe(false);
  });
});

describe("the wire format (R-6-2)", () => {
  test("is private unless asked otherwise, for Commits and proposals", async () => {
    const group = await Group.of(["alice", "bob"]);
    const alice = group.member("alice");
    expect(decodeMessage((await createCommit(alice.state, alice)).staged.commit).wireFormat).toBe(
      "mls_private_message",
    );
    const proposed = await createUpdateProposal(alice.state, alice);
    expect(decodeMessage(proposed.message).wireFormat).toBe("mls_private_message");
    const open = await createCommit(alice.state, { ...alice, wireFormat: "mls_public_message" });
    expect(decodeMessage(open.staged.commit).wireFormat).toBe("mls_public_message");
  });

  test("has own proposals inline and received ones by reference (R-12.4-1)", async () => {
    const group = await Group.of(["alice", "bob", "carol"]);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    await alice.receive((await createUpdateProposal(bob.state, bob)).message);
    const { staged } = await createCommit(alice.state, {
      ...alice,
      wireFormat: "mls_public_message",
      proposals: [{ proposalType: 3, removed: 2 }],
    });
    const { content } = decodeMessageOf("mls_public_message", staged.commit).publicMessage.content;
    const types = content.contentType === "commit" ? content.commit.proposals.map(({ type }) => type) : [];
    expect(types).toEqual(["reference", "proposal"]);
  });
});

describe("the path", () => {
  test("chains secrets by one step per node, the commit secret one past the last (R-7.4-1, R-7.4-2, R-12.4.1-3, T-9)", async () => {
    const { suite } = (await Group.of(["alice"])).member("alice");
    const first = new Uint8Array(32).fill(1);
    const { secrets, keys, commitSecret } = await derivePath(suite, first, [1, 3] as NodeIndex[]);
    const second = deriveSecret(suite, first, "path");
    expect(secrets.map(({ pathSecret }) => pathSecret)).toEqual([first, second]);
    expect(commitSecret).toEqual(deriveSecret(suite, second, "path"));
    expect(keys.get(3 as NodeIndex)).toEqual(await suite.hpke.deriveKeyPair(deriveSecret(suite, second, "node")));
  });

  test("has a leaf key that does not follow from its secrets (R-7.4-3)", async () => {
    const alice = (await Group.of(["alice", "bob"])).member("alice");
    const { tree, context } = alice.state;
    const content = tree.leaf(0 as LeafIndex);
    if (content === undefined) throw new RangeError("alice has a leaf");
    const { groupId } = context;
    const made = await generatePath(alice.suite, tree, {
      leaf: 0 as LeafIndex,
      content,
      groupId,
      signer: alice.signer,
    });
    const leafKey = made.privateKeys.get(0 as NodeIndex);
    for (const { pathSecret } of made.path.secrets) {
      for (const label of ["node", "path"]) {
        const pair = await alice.suite.hpke.deriveKeyPair(deriveSecret(alice.suite, pathSecret, label));
        expect(pair.publicKey).not.toEqual(leafKey?.publicKey);
      }
    }
  });

  test("gives each member the keys above the meeting point, and none elsewhere (R-4.2-1, R-4.2-2, R-7.5-11, R-7.5-13)", async () => {
    const group = await Group.of(["a", "b", "c", "d", "e", "f"]);
    for (const member of group.members) await group.commit(member);
    await group.add(group.member("a"), [await Member.create("g")]);
    await group.commit(group.member("c"));
    for (const { state } of group.members) {
      const own = 2 * state.leafIndex;
      for (const [node, pair] of state.privateKeys) {
        expect(state.tree.encryptionKey(node)).toEqual(pair.publicKey);
        expect(node === own || state.tree.filteredDirectPath(state.leafIndex).some((at) => at.node === node)).toBe(
          true,
        );
      }
    }
    const g = group.member("g").state;
    expect(g.privateKeys.has(7 as NodeIndex)).toBe(true);
  });

  test("replaces keys: what was replaced or blanked is handed over for erasing (R-7.5-12, R-9.2-2, R-14-2, adversarial 12)", async () => {
    const group = await Group.of(["alice", "bob", "carol"]);
    for (const member of group.members) await group.commit(member);
    const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
    const removed: Proposal = { proposalType: 3, removed: carol.state.leafIndex };
    const made = await alice.commit({ proposals: [removed] });
    const before = bob.state;
    const { consumed, state } = await bob.peek(made.staged.commit);
    const gone = new Set(consumed);
    const kept = new Set([...state.privateKeys.values()].map(({ privateKey }) => privateKey));
    for (const [node, { privateKey }] of before.privateKeys) {
      expect(gone.has(privateKey)).toBe(!kept.has(privateKey));
      expect(kept.has(privateKey)).toBe(node === 2);
    }
    for (const name of [
      "initSecret",
      "exporterSecret",
      "externalSecret",
      "confirmationKey",
      "membershipKey",
    ] as const) {
      expect(gone.has(before.secrets[name])).toBe(true);
    }

    const left = await carol.peek(made.staged.commit);
    const all = new Set(left.consumed);
    expect(epochSecretsOf(carol.state).every((secret) => all.has(secret))).toBe(true);
    expect(epochSecretsOf(left.state).every(({ length }) => length === 0)).toBe(true);
    expect(left.state.resumptionPsks.size).toBe(0);
  });

  test.each(["Remove", "Update"])(
    "beside a blanking %s leaves nobody a key of a blank node, which no path replaces (R-7.5-12, R-14-2, adversarial 12)",
    async (kind) => {
      const group = await Group.of(["a", "b", "c", "d", "e"]);
      for (const member of group.members) await group.commit(member);
      const [a, c, d] = [group.member("a"), group.member("c"), group.member("d")];
      await group.commit(c);
      if (kind === "Update") await group.propose(d, await createUpdateProposal(d.state, d));
      const proposals: Proposal[] = kind === "Update" ? [] : [{ proposalType: 3, removed: d.state.leafIndex }];

      // The parent of c and d: a's path meets c's and d's above it.
      const parent = 5 as NodeIndex;
      const old = c.state.privateKeys.get(parent)?.privateKey;
      if (old === undefined) throw new RangeError("c has the key of its parent");
      const made = await group.commit(a, { proposals });
      expect(made.staged.next.tree.encryptionKey(parent)).toBeUndefined();
      for (const { state } of group.members) {
        expect(snapshot(state).includes(toHex(old))).toBe(false);
        for (const [node, { publicKey }] of state.privateKeys) {
          expect(state.tree.encryptionKey(node)).toEqual(publicKey);
        }
      }
    },
  );

  test("hands the key of a blanked node over for erasing (R-7.5-12, R-14-2, adversarial 12)", async () => {
    const group = await Group.of(["a", "b", "c", "d"]);
    for (const member of group.members) await group.commit(member);
    const [a, c, d] = [group.member("a"), group.member("c"), group.member("d")];
    const old = c.state.privateKeys.get(5 as NodeIndex)?.privateKey;
    if (old === undefined) throw new RangeError("c has the key of its parent");
    const made = await a.commit({ proposals: [{ proposalType: 3, removed: d.state.leafIndex }] });
    const { consumed, state } = await c.peek(made.staged.commit);
    expect(consumed.includes(old)).toBe(true);
    expect(state.privateKeys.has(5 as NodeIndex)).toBe(false);
  });

  test("that blanks a node of the committer leaves it no key of it (R-7.5-12, adversarial 12)", async () => {
    const group = await Group.of(["a", "b", "c", "d", "e"]);
    for (let round = 0; round < 2; round++) for (const member of group.members) await group.commit(member);
    const d = group.member("d");
    const root = 7 as NodeIndex;
    const old = d.state.privateKeys.get(root)?.privateKey;
    if (old === undefined) throw new RangeError("d has the key of the root");
    // Without e the tree is half as large: the root of before is no node any more.
    const made = await d.commit({ proposals: [{ proposalType: 3, removed: group.member("e").state.leafIndex }] });
    const adopted = adoptCommit(d.state, made.staged, d.rules);
    expect(adopted.state.tree.leafCount).toBe(4);
    expect(adopted.state.privateKeys.has(root)).toBe(false);
    expect(adopted.consumed.includes(old)).toBe(true);
    expect(snapshot(adopted.state).includes(toHex(old))).toBe(false);
  });

  test("of the only member is empty: the commit secret is fresh all the same (A-10, adversarial 33)", async () => {
    const group = await Group.of(["alice"]);
    const alice = group.member("alice");
    const [one, two] = [await createCommit(alice.state, alice), await createCommit(alice.state, alice)];
    expect(one.staged.next.secrets.epochAuthenticator).not.toEqual(two.staged.next.secrets.epochAuthenticator);
    await group.commit(alice);
    await group.add(alice, [await Member.create("bob")]);
    await group.chat(alice, "no longer alone");
  });
});

describe("changes to the own leaf (R-7.5-4, R-12.4.1-9, T-10, adversarial 32)", () => {
  test("a new signature key signs leaf and GroupInfo, the old one the Commit; with an Add in the same Commit", async () => {
    const group = await Group.of(["alice", "bob"], { rules: testRules({ authentication: ANYBODY }) });
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const renewed = await Member.create("alice");
    const carol = await Member.create("carol");
    const own = await carol.keyPackage();
    const made = await alice.commit({
      proposals: [{ proposalType: 1, keyPackage: own.keyPackage }],
      leaf: { signer: renewed.signer, credential: basicCredential("alice, renewed") },
    });
    const received = await bob.receive(made.staged.commit);
    expect(received.kind === "commit" && received.effect.committer.leafNode.signatureKey).toEqual(
      alice.signer.publicKey,
    );
    alice.adopt(made);
    await carol.join(made.staged.welcome, own);
    expect(bob.state.tree.leaf(0 as LeafIndex)).toMatchObject({
      signatureKey: renewed.signer.publicKey,
      credential: basicCredential("alice, renewed"),
    });
    renewed.state = alice.state;
    const message = await renewed.send("under the new key");
    await expect(carol.peek(message)).resolves.toMatchObject({ data: utf8("under the new key") });
    const old = await forgePrivate(alice, { contentType: "application", applicationData: utf8("under the old key") });
    await expectRefusal(carol, { code: "ERR_MLS_SIGNATURE" }, () => carol.peek(old));
  });

  test("must list the extensions that the leaf has, once each: others would refuse it (R-7.3-9, R-13.4-3)", async () => {
    const alice = (await Group.of(["alice", "bob"])).member("alice");
    const list = (...types: number[]) => types.map((extensionType) => ({ extensionType, extensionData: EMPTY }));
    const unlisted = { extensions: list(0xf00d) };
    const refusal = { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-9", detail: { extensionType: 0xf00d } } as const;
    await expectRefusal(alice, refusal, () => alice.commit({ leaf: unlisted }));
    await expectRefusal(alice, refusal, () => createUpdateProposal(alice.state, { ...alice, leaf: unlisted }));
    const twice = list(TEST_EXTENSION, TEST_EXTENSION);
    const repeated = { code: "ERR_MLS_DECODE", requirement: "R-13.4-3" } as const;
    await expectRefusal(alice, repeated, () => alice.commit({ leaf: { extensions: twice } }));
    await expectRefusal(alice, repeated, () => alice.commit({ proposals: [{ proposalType: 7, extensions: twice }] }));
    const update = { ...alice, leaf: { extensions: twice } };
    await expectRefusal(alice, repeated, () => createUpdateProposal(alice.state, update));
    await alice.commit({ leaf: { extensions: list(TEST_EXTENSION) } });
  });

  test("must keep what the group needs (R-7.3-5, R-12.1.7-3)", async () => {
    const extensions = [{ extensionType: TEST_EXTENSION, extensionData: EMPTY }];
    const group = await Group.of(["alice", "bob"], { extensions });
    const alice = group.member("alice");
    const capabilities = { ...alice.capabilities, extensions: [] };
    await expectRefusal(alice, { code: "ERR_MLS_CAPABILITIES" }, () => alice.commit({ leaf: { capabilities } }));
  });
});

test("a signer of another key than the leaf's is refused, whatever it is to sign (R-6.1-4, R-6.1-8)", async () => {
  const alice = (await Group.of(["alice", "bob"])).member("alice");
  const { signer } = await Member.create("alice");
  const options = { ...alice, signer };
  const { state } = alice;
  const attempts = [
    () => createCommit(state, options),
    () => createUpdateProposal(state, options),
    () => createProposal(state, { proposalType: 3, removed: 1 }, options),
    () => createApplicationMessage(state, utf8("hello"), options),
    () => createGroupInfo(state, signer),
  ];
  for (const attempt of attempts) {
    await expectRefusal(alice, { code: "ERR_MLS_STATE", requirement: "R-6.1-4" }, attempt);
  }
});

test("a leaf is not made with the key of another suite (R-5.1.1-2, R-5.1.2-1)", async () => {
  const alice = (await Group.of(["alice", "bob"])).member("alice");
  const { signer } = await Member.create("alice", { suite: await getCipherSuite(2) });
  const { suite, rules, capabilities, state } = alice;
  const credential = basicCredential("alice");
  const made = { suite, rules, signer, capabilities, credential, lifetime: LIFETIME };
  const info = await createGroupInfo(state, alice.signer);
  const attempts = [
    () => createCommit(state, { ...alice, leaf: { signer } }),
    () => createUpdateProposal(state, { ...alice, leaf: { signer } }),
    () => createKeyPackage(made),
    () => createGroup(made),
    () => createExternalCommit(info, made),
  ];
  for (const attempt of attempts) {
    await expectRefusal(alice, { code: "ERR_MLS_LEAF_NODE", requirement: "R-5.1.1-2" }, attempt);
  }
});

describe("a staged Commit that is dropped (R-14-2)", () => {
  test("hands over its secrets, and none that the state has", async () => {
    const group = await Group.of(["alice", "bob", "carol", "dave"]);
    for (const member of group.members) await group.commit(member);
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    // Without a path: the private keys are those of the state.
    const own = await (await Member.create("erin")).keyPackage();
    for (const options of [{}, { proposals: [{ proposalType: 1, keyPackage: own.keyPackage } as const] }]) {
      const { staged } = await alice.commit(options);
      const before = snapshot(alice.state);
      const discarded = new Set(discardCommit(alice.state, staged));
      const { epochAuthenticator: _, ...secret } = staged.next.secrets;
      for (const each of [...Object.values(secret), ...secretsOf(staged.next.secretTree)]) {
        expect(discarded.has(each)).toBe(true);
      }
      const kept = new Set([...alice.state.privateKeys.values()].map(({ privateKey }) => privateKey));
      for (const { privateKey } of staged.next.privateKeys.values()) {
        expect(discarded.has(privateKey)).toBe(!kept.has(privateKey));
      }
      erase(...discarded);
      expect(snapshot(alice.state)).toBe(before);
    }
    await group.commit(bob);
    await group.commit(alice);
    await group.chat(alice, "goes on");
  });

  test("was stored: what was read again is erased all the same", async () => {
    const alice = (await Group.of(["alice", "bob"])).member("alice");
    const { staged } = await alice.commit();
    const stored = await decodeStagedCommit(alice.state, encodeStagedCommit(alice.state, staged, alice.rules));
    const before = snapshot(alice.state);
    erase(...discardCommit(alice.state, stored));
    expect(stored.next.secrets.initSecret.every((byte) => byte === 0)).toBe(true);
    expect(snapshot(alice.state)).toBe(before);
  });

  test("after it was adopted has nothing to erase", async () => {
    const alice = (await Group.of(["alice", "bob"])).member("alice");
    const made = await alice.commit();
    alice.adopt(made);
    expect(discardCommit(alice.state, made.staged)).toEqual([]);
  });
});

describe("the Welcome (R-12.4.1-12)", () => {
  test("has an entry for each added member, named by its key package (R-5.2-1, R-5.2-2, T-30)", async () => {
    const group = await Group.of(["alice"]);
    const alice = group.member("alice");
    const packages = await Promise.all(["bob", "carol"].map(async (name) => (await Member.create(name)).keyPackage()));
    const { staged } = await createCommit(alice.state, {
      ...alice,
      proposals: packages.map(({ keyPackage }) => ({ proposalType: 1, keyPackage })),
    });
    const { secrets } = decodeMessageOf("mls_welcome", staged.welcome ?? EMPTY).welcome;
    expect(secrets.map(({ newMember }) => toHex(newMember))).toEqual(packages.map(({ ref }) => toHex(ref)));
    const [first] = packages;
    if (first === undefined) throw new RangeError("two packages");
    const label = utf8("MLS 1.0 KeyPackage Reference");
    const value = encode(keyPackageCodec, first.keyPackage);
    const header = Uint8Array.of(0x40 | (value.length >> 8), value.length & 0xff);
    const input: Bytes = Uint8Array.from([label.length, ...label, ...header, ...value]);
    expect(makeKeyPackageRef(alice.suite, value)).toEqual(alice.suite.hash.digest(input));
  });

  test("is not made, nor the Commit, where those who join would refuse it as too long (R-2.1.2-8, adversarial 8)", async () => {
    const alice = (await Group.of(["alice", "bob"])).member("alice");
    const joiner = await Member.create("carol");
    const own = await joiner.keyPackage();
    const proposals = [{ proposalType: 1, keyPackage: own.keyPackage } as const];
    const welcomeExtensions = [{ extensionType: 0xf0bb, extensionData: new Uint8Array(4000) }];
    const { staged } = await alice.commit({ proposals, welcomeExtensions });
    const messageBytes = staged.welcome?.length ?? 0;
    expect(staged.commit.length).toBeLessThan(messageBytes);
    const expected: Expected = { code: "ERR_MLS_LIMIT", requirement: "R-2.1.2-8" };
    const within = (bytes: number): Partial<CreateCommitOptions> => ({
      ...{ proposals, welcomeExtensions },
      rules: testRules({ limits: { ...DEFAULT_LIMITS, messageBytes: bytes } }),
    });
    await expectRefusal(alice, expected, () => alice.commit(within(messageBytes - 1)));
    const fits = await alice.commit(within(messageBytes));
    joiner.rules = within(messageBytes).rules ?? joiner.rules;
    await joiner.join(fits.staged.welcome, own);
  });

  test("is not made where those who join would refuse what is in it: more vectors than groups have (R-2.1.2-8, adversarial 8)", async () => {
    const alice = (await Group.of(["alice", "bob"])).member("alice");
    const types = (length: number) => Array.from({ length }, (_, i) => 0xf000 + i);
    const many = (length: number) => types(length).map((extensionType) => ({ extensionType, extensionData: EMPTY }));
    const expected: Expected = { code: "ERR_MLS_LIMIT", requirement: "R-2.1.2-8" };
    const { keyPackage } = await (await Member.create("carol")).keyPackage();
    const add: Proposal = { proposalType: 1, keyPackage };
    await expectRefusal(alice, expected, () => alice.commit({ proposals: [add], welcomeExtensions: many(3000) }));

    // Two leaves that are read one by one, and not in one tree.
    const crowded = await Promise.all(
      ["dave", "erin"].map(async (name): Promise<Proposal> => {
        const leaf = (made: UnsignedLeafNode): UnsignedLeafNode => ({
          ...made,
          capabilities: { ...made.capabilities, extensions: types(1400) },
          extensions: many(1400),
        });
        return { proposalType: 1, keyPackage: (await forgeKeyPackage(await Member.create(name), { leaf })).keyPackage };
      }),
    );
    alice.adopt(await alice.commit({ proposals: crowded.slice(0, 1) }));
    await expectRefusal(alice, expected, () => alice.commit({ proposals: crowded.slice(1) }));
    const { staged } = await alice.commit({ proposals: crowded.slice(1), treeInWelcome: false });
    expect(staged.added).toHaveLength(1);
  });

  test("is not made when nobody is added", async () => {
    const group = await Group.of(["alice", "bob"]);
    expect((await createCommit(group.member("alice").state, group.member("alice"))).staged.welcome).toBeUndefined();
  });

  test("works without the tree in it, and after each way to make room (R-12.4.1-10, T-22, adversarial 33)", async () => {
    const group = await Group.of(["alice", "bob", "carol", "dave"]);
    const alice = group.member("alice");
    for (const name of ["erin", "frank"]) await group.add(alice, [await Member.create(name)], { forcePath: true });
    await group.commit(alice, { proposals: [{ proposalType: 3, removed: 1 }] });
    await group.add(group.member("erin"), [await Member.create("grace")], { forcePath: true });
    expect(group.member("grace").state.leafIndex).toBe(1);
    await group.commit(group.member("grace"));
    await group.chat(group.member("grace"), "in bob's old place");
  });
});

test("an own Update takes effect with its own key, once only (R-12.1.2-2, R-14-5, R-16.6-1, T-13)", async () => {
  const group = await Group.of(["alice", "bob", "carol"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  const { state, message } = await createUpdateProposal(bob.state, bob);
  bob.state = state;
  expect(bob.state.pendingUpdates.size).toBe(1);
  for (const member of group.members) if (member !== bob) await member.receive(message);
  const before = bob.state;
  await group.commit(alice, { includeCached: false });
  expect(bob.state.pendingUpdates.size).toBe(0);
  expect(bob.state.leafSince).toBe(before.leafSince);

  const again = await createUpdateProposal(bob.state, bob);
  bob.state = { ...again.state, pendingUpdates: new Map() };
  await alice.receive(again.message);
  const { staged } = await alice.commit();
  await expectRefusal(bob, { code: "ERR_MLS_STATE", requirement: "R-12.1.2-2" }, () => bob.receive(staged.commit));
  bob.state = again.state;
  await expect(bob.receive(staged.commit)).resolves.toMatchObject({ kind: "commit" });
  expect(bob.state.leafSince).toBe(bob.state.context.epoch);
});

test("an own Update of the first leaf takes effect like any other (R-12.1.2-2, adversarial 33)", async () => {
  const group = await Group.of(["alice", "bob"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  const before = alice.state.tree.leaf(0 as LeafIndex);
  await group.propose(alice, await createUpdateProposal(alice.state, alice));
  const made = await group.commit(bob);
  expect(made.staged.updated.map(({ leafIndex }) => leafIndex)).toEqual([0]);
  expect(alice.state.tree.leaf(0 as LeafIndex)?.encryptionKey).not.toEqual(before?.encryptionKey);
  expect(alice.state.leafSince).toBe(alice.state.context.epoch);
  await group.commit(alice);
  await group.chat(alice, "with a new leaf key");
});

test("group id, version and suite stay for life, the epoch counts Commits (R-8.1-2)", async () => {
  const group = await Group.of(["alice", "bob"]);
  const { version, cipherSuite, groupId, epoch } = group.member("alice").state.context;
  for (let i = 1n; i <= 3n; i++) {
    await group.commit(group.member(i % 2n === 0n ? "alice" : "bob"));
    expect(group.member("bob").state.context).toMatchObject({ version, cipherSuite, groupId, epoch: epoch + i });
  }
});
