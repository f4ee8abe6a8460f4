/** Applying proposals (RFC 9420 §12.1, §12.3): what they bring in is judged, in the order of the RFC. */
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, toHex, utf8 } from "../../src/codec/bytes.ts";
import { encode } from "../../src/codec/codec.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import type { Extension, RequiredCapabilities } from "../../src/extensions/extension.ts";
import { externalSenders, ExtensionType, makeExtension, requiredCapabilities } from "../../src/extensions/extension.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import { leafNode, signLeafNode } from "../../src/tree/leaf-node.ts";
import type { LeafNode, UnsignedLeafNode } from "../../src/tree/leaf-node.ts";
import { RatchetTree } from "../../src/tree/ratchet-tree.ts";
import type { LeafIndex, NodeIndex } from "../../src/tree/tree-math.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { DEFAULT_MAX_LIFETIME_SECONDS } from "../../src/rules.ts";
import { forgeCommit, forgeExternalCommit, keyAt, refHex } from "../support/forge-commit.ts";
import type { KeyPackageEdits } from "../support/forge-join.ts";
import { forgeKeyPackage, forgeUpdateLeaf } from "../support/forge-join.ts";
import { forgePublic } from "../support/forge-message.ts";
import type { Expected } from "../support/group.ts";
import {
  ANYBODY,
  expectForgeryRefused,
  expectRefusal,
  Group,
  LIFETIME,
  Member,
  NOW,
  TEST_EXTENSION,
  testRules,
} from "../support/group.ts";

afterEach(() => vi.restoreAllMocks());

const required = (changes: Partial<RequiredCapabilities>): Extension =>
  makeExtension(ExtensionType.requiredCapabilities, requiredCapabilities, {
    extensionTypes: [],
    proposalTypes: [],
    credentialTypes: [],
    ...changes,
  });

const group = await Group.of(["alice", "bob", "carol"], {
  extensions: [required({ extensionTypes: [TEST_EXTENSION] }), { extensionType: TEST_EXTENSION, extensionData: EMPTY }],
});
const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
await group.commit(carol);
const newcomer = await Member.create("newcomer");
const genuine = (await alice.commit()).staged.commit;

/** Received by bob, and made by alice, whose check may name another requirement. */
async function refused(proposals: readonly Proposal[], expected: Expected, made: Expected = expected): Promise<void> {
  const { message } = await forgeCommit(alice, { proposals });
  await expectForgeryRefused(bob, message, expected, genuine);
  await expectRefusal(alice, made, () => alice.commit({ proposals }));
}

async function add(edits: KeyPackageEdits = {}, owner: Member = newcomer): Promise<Proposal> {
  return { proposalType: 1, keyPackage: (await forgeKeyPackage(owner, edits)).keyPackage };
}
const withCapabilities = (changes: Partial<LeafNode["capabilities"]>): KeyPackageEdits => ({
  leaf: (leaf) => ({ ...leaf, capabilities: { ...leaf.capabilities, ...changes } }),
});
const flip = (bytes: Bytes): Bytes => bytes.map((byte, i) => (i === 10 ? byte ^ 1 : byte));

describe("an Add (R-12.1.1-1, R-10.1-1, R-10.1-3, R-12.2-1, adversarial 25)", () => {
  test("that nothing was changed in is accepted; its leaf becomes the key package's (R-12.1.1-4)", async () => {
    const proposal = await add();
    const { message } = await forgeCommit(alice, { proposals: [proposal] });
    const received = await bob.peek(message);
    const leaf = received.state.tree.leaf(3 as LeafIndex);
    if (leaf === undefined || proposal.proposalType !== 1) throw new RangeError("a new leaf");
    expect(encode(leafNode, leaf)).toEqual(encode(leafNode, proposal.keyPackage.leafNode));
  });

  test.each<[string, Expected["code"], string, KeyPackageEdits]>([
    ["R-10.1-2", "ERR_MLS_VERSION", "another version", { content: (content) => ({ ...content, version: 2 }) }],
    ["R-10.1-2", "ERR_MLS_VERSION", "another suite", { content: (content) => ({ ...content, cipherSuite: 3 }) }],
    [
      "R-10.1-5",
      "ERR_MLS_KEY_PACKAGE",
      "an init key that is the leaf's key",
      { content: (content) => ({ ...content, initKey: content.leafNode.encryptionKey }) },
    ],
    ["R-10-3", "ERR_MLS_KEY_PACKAGE", "an empty init key", { content: (content) => ({ ...content, initKey: EMPTY }) }],
    [
      "R-10-3",
      "ERR_MLS_KEY_PACKAGE",
      "an init key of 33 bytes",
      { content: (content) => ({ ...content, initKey: new Uint8Array(33) }) },
    ],
    [
      "R-10-3",
      "ERR_MLS_KEY_PACKAGE",
      "an init key of small order (adversarial 15)",
      { content: (content) => ({ ...content, initKey: new Uint8Array(32) }) },
    ],
    [
      "R-10.1-4",
      "ERR_MLS_SIGNATURE",
      "a changed signature (R-10-5)",
      { keyPackage: (made) => ({ ...made, signature: flip(made.signature) }) },
    ],
    [
      "R-10.1-4",
      "ERR_MLS_SIGNATURE",
      "no signature (R-10-5)",
      { keyPackage: (made) => ({ ...made, signature: EMPTY }) },
    ],
    [
      "R-7.3-3",
      "ERR_MLS_SIGNATURE",
      "a leaf with a changed signature",
      { signedLeaf: (leaf) => ({ ...leaf, signature: flip(leaf.signature) }) },
    ],
    [
      "R-7.3-3",
      "ERR_MLS_SIGNATURE",
      "a leaf that was changed without a new signature (R-7.2-10)",
      { signedLeaf: (leaf) => ({ ...leaf, credential: basicCredential("mallory") }) },
    ],
    [
      "R-7.3-10",
      "ERR_MLS_LEAF_NODE",
      "a leaf of source update",
      { leaf: (leaf) => ({ ...leaf, source: { leafNodeSource: "update" } }) },
    ],
    [
      "R-7.3-10",
      "ERR_MLS_LEAF_NODE",
      "a leaf of source commit",
      { leaf: (leaf) => ({ ...leaf, source: { leafNodeSource: "commit", parentHash: EMPTY } }) },
    ],
    ["R-7.3-15", "ERR_MLS_CAPABILITIES", "a leaf that lacks the version", withCapabilities({ versions: [] })],
    ["R-7.3-15", "ERR_MLS_CAPABILITIES", "a leaf that lacks the suite", withCapabilities({ cipherSuites: [2] })],
    ["R-7.2-6", "ERR_MLS_LEAF_NODE", "a leaf that lacks its credential's type", withCapabilities({ credentials: [] })],
    [
      "R-7.3-9",
      "ERR_MLS_LEAF_NODE",
      "a leaf with an extension that it does not list",
      { leaf: (leaf) => ({ ...leaf, extensions: [{ extensionType: 0xf001, extensionData: EMPTY }] }) },
    ],
    [
      "R-7.3-9",
      "ERR_MLS_LEAF_NODE",
      "a leaf with an unlisted GREASE extension (R-13.5-2, R-13.5-4)",
      { leaf: (leaf) => ({ ...leaf, extensions: [{ extensionType: 0x1a1a, extensionData: EMPTY }] }) },
    ],
    [
      "R-7.3-4",
      "ERR_MLS_CAPABILITIES",
      "a leaf that lacks a required extension (R-11.1-3)",
      withCapabilities({ extensions: [] }),
    ],
    [
      "R-5.1.1-1",
      "ERR_MLS_LEAF_NODE",
      "an encryption key of 31 bytes (R-10-4)",
      { leaf: (leaf) => ({ ...leaf, encryptionKey: new Uint8Array(31) }) },
    ],
    [
      "R-5.1.1-2",
      "ERR_MLS_LEAF_NODE",
      "a signature key of another suite (R-10-4, R-5.1.2-1)",
      { leaf: (leaf) => ({ ...leaf, signatureKey: new Uint8Array(65).fill(4) }) },
    ],
  ])("%s: %s for %s", async (requirement, code, _, edits) => {
    const expected: Expected = { requirement, ...(code === undefined ? {} : { code }) };
    await refused([await add(edits)], expected);
  });

  test("lifetimes are inclusive on both ends (R-7.2-8, R-7.3-7, R-7.3-8)", async () => {
    const at = (notBefore: bigint, notAfter: bigint) =>
      add({
        leaf: (leaf) => ({ ...leaf, source: { leafNodeSource: "key_package", lifetime: { notBefore, notAfter } } }),
      });
    const invalid = (requirement: string): Expected => ({ code: "ERR_MLS_LEAF_NODE", requirement });
    for (const [from, until] of [
      [NOW + 1n, NOW + 10n],
      [NOW - 10n, NOW - 1n],
      [NOW + 1n, NOW - 1n],
    ] as const) {
      await refused([await at(from, until)], invalid("R-7.3-8"), invalid("R-7.3-7"));
    }
    await refused([await at(NOW - DEFAULT_MAX_LIFETIME_SECONDS - 1n, NOW)], invalid("R-7.2-8"));
    await refused([await at(0n, 2n ** 64n - 1n)], invalid("R-7.2-8"));
    for (const [from, until] of [
      [NOW, NOW],
      [NOW - DEFAULT_MAX_LIFETIME_SECONDS, NOW],
    ] as const) {
      await alice.commit({ proposals: [await at(from, until)] }).then(({ staged }) => bob.peek(staged.commit));
    }
    const expired = await forgeCommit(alice, { proposals: [await at(NOW - 10n, NOW - 1n)] });
    bob.rules = testRules({ lifetime: { maxSeconds: DEFAULT_MAX_LIFETIME_SECONDS, checkOnReceive: false } });
    await expect(bob.peek(expired.message)).resolves.toMatchObject({ kind: "commit" });
    bob.rules = testRules();
  });

  test("has a lifetime that is not too long, whether or not the time is checked, and the refusal says whose and how long (R-7.2-8)", async () => {
    const seconds = 1000n * 31_557_600n;
    const lifetime = { notBefore: NOW, notAfter: NOW + seconds };
    const endless = await add({ leaf: (leaf) => ({ ...leaf, source: { leafNodeSource: "key_package", lifetime } }) });
    const { message } = await forgeCommit(alice, { proposals: [endless] });
    const maxSeconds = DEFAULT_MAX_LIFETIME_SECONDS;
    for (const checkOnReceive of [true, false]) {
      bob.rules = testRules({ lifetime: { maxSeconds, checkOnReceive } });
      const detail = { seconds, maxSeconds, signatureKey: toHex(newcomer.signer.publicKey) };
      await expectRefusal(bob, { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.2-8", detail }, () => bob.peek(message));
    }
    bob.rules = testRules({ lifetime: { maxSeconds: seconds, checkOnReceive: false } });
    await expect(bob.peek(message)).resolves.toMatchObject({ kind: "commit" });
    bob.rules = testRules();
  });

  test("is put to the authentication service, by who adds and by who receives (R-5.3.1-1, R-5.3.1-2, R-5.3.1-4, R-7.3-2)", async () => {
    const asked: unknown[] = [];
    const refusing = testRules({
      authentication: {
        validate: ({ moment, credential, signatureKey, previous }) => {
          asked.push({ moment, credential, signatureKey, previous });
          return Promise.reject(new Error("unknown"));
        },
      },
    });
    const proposal = await add();
    const { message } = await forgeCommit(alice, { proposals: [proposal], withPath: false });
    const { rules } = bob;
    for (const member of [alice, bob]) member.rules = refusing;
    const expected: Expected = { code: "ERR_MLS_CREDENTIAL", requirement: "R-5.3.1-1" };
    await expectRefusal(bob, expected, () => bob.peek(message));
    await expectRefusal(alice, expected, () => alice.commit({ proposals: [proposal] }));
    for (const member of [alice, bob]) member.rules = rules;
    const identity = {
      credential: basicCredential("newcomer"),
      signatureKey: newcomer.signer.publicKey,
      previous: undefined,
    };
    expect(asked).toEqual([
      { moment: "add", ...identity },
      { moment: "key_package", ...identity },
    ]);
    await bob.peek(message);
  });

  test("of a member is refused, unless the Commit removes it too (R-12.2-7, adversarial 26)", async () => {
    const expected: Expected = { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-7" };
    const again = await add({}, carol);
    await refused([again], expected);
    await refused([await add({}, alice)], expected);
    const made = await alice.commit({ proposals: [again, { proposalType: 3, removed: carol.state.leafIndex }] });
    await expect(bob.peek(made.staged.commit)).resolves.toMatchObject({
      effect: { removed: [{ leafIndex: 2 }], added: [{ leafIndex: 2 }] },
    });
  });

  test("of a member by another key is refused where the application says so (R-12.2-7)", async () => {
    const { keyPackage } = await (await Member.create("carol")).keyPackage();
    const { message } = await forgeCommit(alice, { proposals: [{ proposalType: 1, keyPackage }] });
    await expect(bob.peek(message)).resolves.toMatchObject({ kind: "commit" });
    const { authentication } = bob.rules;
    const sameClient = (a: { credential: unknown }, b: { credential: unknown }): boolean =>
      JSON.stringify(a.credential) === JSON.stringify(b.credential);
    bob.rules = testRules({ authentication: { ...authentication, sameClient } });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_PROPOSAL_LIST", requirement: "R-12.2-7" }, genuine);
    bob.rules = testRules();
  });

  test("of an encryption key that the tree or another Add has is refused (R-7.3-14, R-16.7-1, R-12.2-14, adversarial 19)", async () => {
    const expected: Expected = { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-14" };
    for (const encryptionKey of [keyAt(alice, 2), keyAt(alice, 3)]) {
      await refused([await add({ leaf: (leaf) => ({ ...leaf, encryptionKey }) })], expected);
    }
    const { publicKey: encryptionKey } = await alice.suite.hpke.generateKeyPair();
    const leaf = (unsigned: UnsignedLeafNode): UnsignedLeafNode => ({ ...unsigned, encryptionKey });
    await refused([await add({ leaf }), await add({ leaf }, await Member.create("another"))], expected);
  });

  test("of a client without a credential type in use, or with one that a member lacks, is refused (R-7.3-5, R-7.3-6, adversarial 24)", async () => {
    const expected: Expected = { code: "ERR_MLS_CAPABILITIES", requirement: "R-7.3-5" };
    const small = await Group.of(["kim", "leo"], { rules: testRules({ authentication: ANYBODY }) });
    const [kim, leo] = [small.member("kim"), small.member("leo")];
    await small.commit(leo, { leaf: { capabilities: { ...leo.capabilities, credentials: [1] } } });
    const credential = { credentialType: 2, certificates: [utf8("a certificate")] } as const;
    const foreign = await add({ leaf: (leaf) => ({ ...leaf, credential }) });
    const { message } = await forgeCommit(kim, { proposals: [foreign] });
    await expectRefusal(leo, expected, () => leo.peek(message));

    await small.commit(leo, { leaf: { capabilities: leo.capabilities } });
    await small.commit(kim, { leaf: { credential } });
    const narrow = await add(withCapabilities({ credentials: [1] }));
    const { message: other } = await forgeCommit(kim, { proposals: [narrow] });
    await expectRefusal(leo, expected, () => leo.peek(other));
    await expectRefusal(kim, expected, () => kim.commit({ proposals: [narrow] }));
  });

  test("may have unknown values where lists have them: they are ignored (R-7.2-7, R-13.4-2, R-13.5-4, adversarial 7)", async () => {
    const unknown = [0x0a0a, 0xf00d];
    const proposal = await add({
      leaf: (leaf) => ({
        ...leaf,
        capabilities: {
          versions: [...unknown, ...leaf.capabilities.versions],
          cipherSuites: [...unknown, ...leaf.capabilities.cipherSuites],
          extensions: [...unknown, ...leaf.capabilities.extensions],
          proposals: unknown,
          credentials: [...unknown, ...leaf.capabilities.credentials],
        },
        extensions: unknown.map((extensionType) => ({ extensionType, extensionData: utf8("?") })),
      }),
      content: (content) => ({ ...content, extensions: [{ extensionType: 0x5a5a, extensionData: utf8("?") }] }),
    });
    const made = await alice.commit({ proposals: [proposal] });
    await expect(bob.peek(made.staged.commit)).resolves.toMatchObject({ kind: "commit" });
  });

  test("beyond the leaves that a group may have is refused (adversarial 8)", async () => {
    const limited = testRules({ limits: { ...DEFAULT_LIMITS, treeLeaves: 4 } });
    for (const member of [alice, bob]) member.rules = limited;
    const [one, two] = [await add(), await add({}, await Member.create("one too many"))];
    await alice.commit({ proposals: [one] }).then(({ staged }) => bob.peek(staged.commit));
    await refused([one, two], { code: "ERR_MLS_LIMIT" });
    for (const member of [alice, bob]) member.rules = testRules();
  });
});

test("a client that lets itself in beyond the leaves that a group may have is refused (adversarial 8)", async () => {
  bob.rules = testRules({ limits: { ...DEFAULT_LIMITS, treeLeaves: 4 } });
  const outsider = await Member.create("outsider");
  const { message } = await forgeExternalCommit(alice, outsider);
  await expect(bob.peek(message)).resolves.toMatchObject({ kind: "commit" });
  const full = await Group.of(["a", "b", "c", "d"]);
  const [a, b] = [full.member("a"), full.member("b")];
  b.rules = bob.rules;
  const { message: fifth } = await forgeExternalCommit(a, outsider);
  await expectRefusal(b, { code: "ERR_MLS_LIMIT" }, () => b.peek(fifth));
  bob.rules = testRules();
});

describe("a client that lets itself in", () => {
  test("without what the group context has or needs, or with a credential that a member lacks, is refused (R-7.3-4, R-13.4-4, R-7.3-5, adversarial 24)", async () => {
    const outsider = await Member.create("outsider");
    const lacks = (extensions: readonly number[]) => (leaf: UnsignedLeafNode) => ({
      ...leaf,
      capabilities: { ...leaf.capabilities, extensions },
    });
    const { message } = await forgeExternalCommit(alice, outsider, { leaf: lacks([]) });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_CAPABILITIES", requirement: "R-7.3-4" }, genuine);

    const extensions = [{ extensionType: TEST_EXTENSION, extensionData: EMPTY }];
    const small = await Group.of(["kim", "leo"], { extensions });
    const [kim, leo] = [small.member("kim"), small.member("leo")];
    const { message: unsupported } = await forgeExternalCommit(kim, outsider, { leaf: lacks([]) });
    const good = (await kim.commit()).staged.commit;
    const expected: Expected = { code: "ERR_MLS_CAPABILITIES", requirement: "R-13.4-4" };
    await expectForgeryRefused(leo, unsupported, expected, good);

    await small.commit(leo, { leaf: { capabilities: { ...leo.capabilities, credentials: [1] } } });
    const credential = { credentialType: 2, certificates: [utf8("a certificate")] } as const;
    const { message: foreign } = await forgeExternalCommit(kim, outsider, {
      leaf: (leaf) => ({ ...leaf, credential }),
    });
    const next = (await kim.commit()).staged.commit;
    await expectForgeryRefused(leo, foreign, { code: "ERR_MLS_CAPABILITIES", requirement: "R-7.3-5" }, next);
  });

  test("with a member's signature or encryption key, whom it does not replace, is refused (R-7.3-13, R-7.3-14, adversarial 19)", async () => {
    const expected: Expected = { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-14" };
    const { message } = await forgeExternalCommit(alice, carol);
    await expectForgeryRefused(bob, message, expected, genuine);
    const proposals: Proposal[] = [{ proposalType: 3, removed: carol.state.leafIndex }];
    const { message: replacing } = await forgeExternalCommit(alice, carol, { proposals });
    await expect(bob.peek(replacing)).resolves.toMatchObject({ kind: "commit" });
    const outsider = await Member.create("outsider");
    const { message: taken } = await forgeExternalCommit(alice, outsider, {
      leaf: (leaf) => ({ ...leaf, encryptionKey: keyAt(alice, 2) }),
    });
    await expectForgeryRefused(bob, taken, { code: "ERR_MLS_UPDATE_PATH", requirement: "R-12.4.2-10" }, genuine);
  });
});

describe("an Update (R-12.1.2-1, R-12.1.2-2)", () => {
  /** Lets carol propose `leaf` and alice cover it. */
  async function update(leaf: LeafNode): Promise<{ readonly commit: Bytes; readonly restore: () => void }> {
    const before = [alice, bob].map(({ state }) => state);
    const proposal: Proposal = { proposalType: 2, leafNode: leaf };
    const forged = await forgePublic(carol, { contentType: "proposal", proposal });
    const refs: string[] = [];
    for (const member of [alice, bob]) {
      const received = await member.receive(forged);
      if (received.kind === "proposal") refs.push(refHex(received.ref));
    }
    const { message } = await forgeCommit(alice, { proposals: refs.slice(0, 1) });
    const restore = (): void => {
      for (const [i, member] of [alice, bob].entries()) member.state = before[i] ?? member.state;
    };
    return { commit: message, restore };
  }

  async function updateRefused(leaf: LeafNode, expected: Expected): Promise<void> {
    const { commit, restore } = await update(leaf);
    await expectForgeryRefused(bob, commit, expected, genuine);
    restore();
  }

  test("that nothing was changed in is accepted: the proposer's leaf changes, its ancestors become blank", async () => {
    const leaf = await forgeUpdateLeaf(carol);
    const before = bob.state.tree;
    expect(before.encryptionKey(5 as NodeIndex)).toBeUndefined();
    const { commit, restore } = await update(leaf);
    const received = await bob.peek(commit);
    expect(received.state.tree.leaf(carol.state.leafIndex)).toEqual(leaf);
    restore();
  });

  test.each<[string, (leaf: UnsignedLeafNode) => UnsignedLeafNode]>([
    ["of source commit", (leaf) => ({ ...leaf, source: { leafNodeSource: "commit", parentHash: EMPTY } })],
    ["of source key_package", (leaf) => ({ ...leaf, source: { leafNodeSource: "key_package", lifetime: LIFETIME } })],
    ["with the encryption key that the leaf had", (leaf) => ({ ...leaf, encryptionKey: keyAt(carol, 4) })],
  ])("%s is refused (R-7.3-11)", async (_, edit) => {
    await updateRefused(await forgeUpdateLeaf(carol, edit), { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-11" });
  });

  test("that is signed for another place or group is refused (R-7.2-3, R-7.3-3)", async () => {
    for (const place of [{ leafIndex: 0 as LeafIndex }, { groupId: utf8("other") }]) {
      const leaf = await forgeUpdateLeaf(carol, undefined, place);
      await updateRefused(leaf, { code: "ERR_MLS_SIGNATURE", requirement: "R-7.3-3" });
    }
  });

  test("that takes a key of the tree is refused (R-7.3-13, R-7.3-14, R-16.7-1)", async () => {
    const leaf = await forgeUpdateLeaf(carol, (unsigned) => ({ ...unsigned, encryptionKey: keyAt(carol, 2) }));
    await updateRefused(leaf, { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-14" });
  });

  test("that takes another member's signature key is refused (R-7.3-13, R-16.7-1, adversarial 19)", async () => {
    const { signature: _, ...own } = await forgeUpdateLeaf(carol);
    const place = { groupId: carol.state.context.groupId, leafIndex: carol.state.leafIndex };
    // As if bob had signed it: the leaf verifies under the key that it names.
    const leaf = await signLeafNode({ ...own, signatureKey: bob.signer.publicKey }, bob.signer, place);
    await updateRefused(leaf, { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-14" });
  });

  test("that lacks a required capability is refused (R-7.3-4)", async () => {
    const leaf = await forgeUpdateLeaf(carol, (unsigned) => ({
      ...unsigned,
      capabilities: { ...unsigned.capabilities, extensions: [] },
    }));
    await updateRefused(leaf, { code: "ERR_MLS_CAPABILITIES", requirement: "R-7.3-4" });
  });

  test("is put to the authentication service, with the old identity if it changes (R-5.3.1-5, R-5.3.1-8)", async () => {
    for (const [name, previous] of [
      ["carol", undefined],
      ["caroline", basicCredential("carol")],
    ] as const) {
      const asked: unknown[] = [];
      const leaf = await forgeUpdateLeaf(carol, (unsigned) => ({ ...unsigned, credential: basicCredential(name) }));
      const { commit, restore } = await update(leaf);
      bob.rules = testRules({
        authentication: {
          validate: (request) => {
            if (request.moment === "update") asked.push([request.credential, request.previous?.credential]);
            return request.moment === "update" ? Promise.reject(new Error("no")) : Promise.resolve();
          },
        },
      });
      const requirement = previous === undefined ? "R-5.3.1-1" : "R-5.3.1-8";
      await expectForgeryRefused(bob, commit, { code: "ERR_MLS_CREDENTIAL", requirement }, genuine);
      expect(asked).toEqual([[basicCredential(name), previous]]);
      bob.rules = testRules();
      restore();
    }
  });
});

describe("a GroupContextExtensions (R-12.1.7-1, R-12.1.7-2, R-12.1.7-3, adversarial 29)", () => {
  const change = (...extensions: Extension[]): Proposal => ({ proposalType: 7, extensions });

  test("replaces the whole list: what it leaves out is gone", async () => {
    const kept = { extensionType: TEST_EXTENSION, extensionData: utf8("new") };
    for (const extensions of [[kept], []]) {
      const made = await alice.commit({ proposals: [change(...extensions)] });
      const received = await bob.peek(made.staged.commit);
      expect(received.state.context.extensions).toEqual(extensions);
      expect(received.kind === "commit" && received.effect.extensions).toEqual(extensions);
    }
  });

  test("with an extension that a member does not support is refused", async () => {
    await refused([change({ extensionType: 0xf00d, extensionData: EMPTY })], {
      code: "ERR_MLS_CAPABILITIES",
      requirement: "R-12.1.7-3",
    });
  });

  test("with GREASE is refused as any unknown extension (R-13.5-3, adversarial 7)", async () => {
    const extensionType = 0x0a0a;
    await refused([change({ extensionType, extensionData: EMPTY })], {
      code: "ERR_MLS_CAPABILITIES",
      requirement: "R-12.1.7-3",
    });
  });

  test.each<[string, Partial<RequiredCapabilities>]>([
    ["extension", { extensionTypes: [0xf00d] }],
    ["proposal", { proposalTypes: [0xf00d] }],
    ["credential", { credentialTypes: [0xf00d] }],
  ])("that requires a %s that a member lacks is refused (R-11.1-2)", async (_, lacking) => {
    await refused([change(required(lacking))], { code: "ERR_MLS_CAPABILITIES", requirement: "R-12.1.7-1" });
  });

  test("that requires default types is accepted: they are not listed (R-7.2-5, R-11.1-2, A-3, T-31)", async () => {
    const proposal = change(required({ extensionTypes: [1, 2, 3, 4, 5], proposalTypes: [1, 2, 3, 4, 5, 6, 7] }));
    const made = await alice.commit({ proposals: [proposal] });
    await expect(bob.peek(made.staged.commit)).resolves.toMatchObject({ kind: "commit" });
  });

  test("counts members who are added, not those who are removed (R-12.3-1, adversarial 24, adversarial 26)", async () => {
    const small = await Group.of(["kim", "leo", "mia"]);
    const [kim, leo, mia] = [small.member("kim"), small.member("leo"), small.member("mia")];
    await small.commit(mia, { leaf: { capabilities: { ...mia.capabilities, extensions: [] } } });
    const needs = change({ extensionType: TEST_EXTENSION, extensionData: EMPTY });
    const expected: Expected = { code: "ERR_MLS_CAPABILITIES", requirement: "R-12.1.7-3" };
    await expectRefusal(kim, expected, () => kim.commit({ proposals: [needs] }));
    const made = await kim.commit({ proposals: [needs, { proposalType: 3, removed: mia.state.leafIndex }] });
    await expect(leo.peek(made.staged.commit)).resolves.toMatchObject({ kind: "commit" });

    // The same of what a Commit makes a required capability.
    const requires = change(required({ extensionTypes: [TEST_EXTENSION] }));
    const unmet: Expected = { code: "ERR_MLS_CAPABILITIES", requirement: "R-12.1.7-1" };
    await expectRefusal(kim, unmet, () => kim.commit({ proposals: [requires] }));
    const { message: unmetCommit } = await forgeCommit(kim, { proposals: [requires] });
    await expectRefusal(leo, unmet, () => leo.peek(unmetCommit));
    const met = await kim.commit({ proposals: [requires, { proposalType: 3, removed: mia.state.leafIndex }] });
    await expect(leo.peek(met.staged.commit)).resolves.toMatchObject({ kind: "commit" });

    const lacking = await add(withCapabilities({ extensions: [] }));
    const proposals = [needs, lacking, { proposalType: 3, removed: mia.state.leafIndex } as const];
    const { message } = await forgeCommit(kim, { proposals });
    await expectRefusal(leo, { code: "ERR_MLS_CAPABILITIES", requirement: "R-13.4-4" }, () => leo.peek(message));
  });

  test("that names new external senders is put to the authentication service (R-5.3.1-7)", async () => {
    const outside = { signatureKey: newcomer.signer.publicKey, credential: basicCredential("outside") };
    const proposal = change(makeExtension(ExtensionType.externalSenders, externalSenders, [outside]));
    const { message } = await forgeCommit(alice, { proposals: [proposal] });
    const moments: string[] = [];
    bob.rules = testRules({
      authentication: {
        validate: ({ moment }) => {
          moments.push(moment);
          return Promise.reject(new Error("no"));
        },
      },
    });
    await expectRefusal(bob, { code: "ERR_MLS_CREDENTIAL" }, () => bob.peek(message));
    expect(moments).toEqual(["external_senders"]);
    bob.rules = testRules();
    await expect(bob.peek(message)).resolves.toMatchObject({ kind: "commit" });
  });

  test.each([ExtensionType.externalSenders, ExtensionType.requiredCapabilities])(
    "with a malformed extension %i is refused (R-11.1-1, R-12.1.8.1-1)",
    async (extensionType) => {
      await refused([change({ extensionType, extensionData: Uint8Array.of(0xff) })], { code: "ERR_MLS_DECODE" });
    },
  );
});

describe("the order of application (R-12.3-2, R-12.1.1-2, T-21)", () => {
  const names = ["a", "b", "c", "d", "e"];

  test("Removes truncate, then Adds fill the leftmost blanks in the order of the list", async () => {
    const five = await Group.of(names);
    const a = five.member("a");
    const newcomers = await Promise.all(["x", "y", "z"].map((name) => Member.create(name)));
    const adds = await Promise.all(newcomers.map((owner) => add({}, owner)));
    const removes = [1, 4].map((removed): Proposal => ({ proposalType: 3, removed }));
    const made = await a.commit({ proposals: [adds[0] ?? removes, ...removes, ...adds.slice(1)].flat() });
    expect(made.staged.added.map(({ leafIndex }) => leafIndex)).toEqual([1, 4, 5]);
    expect(made.staged.next.tree.leafCount).toBe(8);
    await expect(five.member("c").peek(made.staged.commit)).resolves.toMatchObject({ kind: "commit" });
  });

  test("an Add is unmerged at every non-blank ancestor, the root included (R-12.1.1-3, T-20)", async () => {
    const five = await Group.of(["a", "b", "c"]);
    const [a, b, c] = [five.member("a"), five.member("b"), five.member("c")];
    for (const member of [a, b, c]) await five.commit(member);
    const made = await a.commit({ proposals: [await add()] });
    const { tree } = made.staged.next;
    expect(made.staged.added[0]?.leafIndex).toBe(3);
    expect(tree.subtree(3 as NodeIndex)).toMatchObject({ parentNode: { unmergedLeaves: [3] } });
    expect(tree.encryptionKey(5 as NodeIndex)).toBeUndefined();
    await expect(b.peek(made.staged.commit)).resolves.toMatchObject({ kind: "commit" });
  });

  test("a Remove blanks the leaf's path, and truncates while the right half is blank (R-12.1.3-2, R-7.7-2)", async () => {
    const five = await Group.of(names);
    const [a] = five.members;
    for (const member of five.members) await five.commit(member);
    if (a === undefined) throw new RangeError("five members");
    const made = await five.commit(a, { proposals: [{ proposalType: 3, removed: 4 }] });
    expect(made.staged.next.tree.leafCount).toBe(4);
    expect([...a.state.privateKeys.keys()].every((node) => node < 7)).toBe(true);
    await five.chat(five.member("c"), "in a smaller tree");
  });
});

describe("keys that are not of the suite's length never enter a tree, whose index they would make deep (adversarial 8)", () => {
  const lengths: [string, string, (leaf: UnsignedLeafNode, key: Bytes) => UnsignedLeafNode][] = [
    ["encryption key", "R-5.1.1-1", (leaf, encryptionKey) => ({ ...leaf, encryptionKey })],
    ["signature key", "R-5.1.1-2", (leaf, signatureKey) => ({ ...leaf, signatureKey })],
  ];

  test.each(lengths)("the %s of an Add (%s)", async (_, requirement, edit) => {
    const expected = { code: "ERR_MLS_LEAF_NODE", requirement } as const;
    for (const length of [0, 31, 33, 4000]) {
      const proposal = await add({ leaf: (leaf) => edit(leaf, new Uint8Array(length)) });
      const { message } = await forgeCommit(alice, { proposals: [proposal] });
      const enter = vi.spyOn(RatchetTree.prototype, "addLeaves");
      await expectRefusal(bob, expected, () => bob.peek(message));
      await expectRefusal(alice, expected, () => alice.commit({ proposals: [proposal] }));
      expect(enter).not.toHaveBeenCalled();
      enter.mockRestore();
    }
  });

  test.each(lengths)("the %s of an Update (%s)", async (_, requirement, edit) => {
    const before = [alice.state, bob.state];
    const leafNode = await forgeUpdateLeaf(carol, (leaf) => edit(leaf, new Uint8Array(33)));
    const update = await forgePublic(carol, { contentType: "proposal", proposal: { proposalType: 2, leafNode } });
    const received = await alice.receive(update);
    await bob.receive(update);
    const proposals = received.kind === "proposal" ? [refHex(received.ref)] : [];
    const { message } = await forgeCommit(alice, { proposals, withPath: false });
    const enter = vi.spyOn(RatchetTree.prototype, "replacePath");
    await expectRefusal(bob, { code: "ERR_MLS_LEAF_NODE", requirement }, () => bob.peek(message));
    expect(enter).not.toHaveBeenCalled();
    [alice.state, bob.state] = before as [typeof alice.state, typeof bob.state];
  });

  test.each(lengths)("the %s of a path's leaf (%s)", async (_, requirement, edit) => {
    const { message } = await forgeCommit(alice, { leaf: (leaf) => edit(leaf, new Uint8Array(33)) });
    const enter = vi.spyOn(RatchetTree.prototype, "replacePath");
    await expectRefusal(bob, { code: "ERR_MLS_LEAF_NODE", requirement }, () => bob.peek(message));
    expect(enter).not.toHaveBeenCalled();
  });
});

test("an empty resumption PSK is none, whoever finds it (R-12.4.2-5)", async () => {
  const empty = testRules({ findPsk: () => Promise.resolve(new Uint8Array(0)) });
  const member = (await Group.of(["alice", "bob"], { rules: empty })).member("alice");
  const pskNonce = new Uint8Array(32);
  const elsewhere = {
    pskType: "resumption",
    usage: "application",
    pskGroupId: utf8("x"),
    pskEpoch: 1n,
    pskNonce,
  } as const;
  await expectRefusal(member, { code: "ERR_MLS_PSK", requirement: "R-12.4.2-5" }, () =>
    member.commit({ proposals: [{ proposalType: 4, psk: elsewhere }] }),
  );
  await member.commit({ proposals: [{ proposalType: 4, psk: { pskType: "external", pskId: utf8("x"), pskNonce } }] });
});
