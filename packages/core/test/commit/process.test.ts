/** Processing a Commit (RFC 9420 §12.4.2, §7.5, §7.6): every way in which its path, keys and tag can be wrong. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, EMPTY, utf8 } from "../../src/codec/bytes.ts";
import { encode } from "../../src/codec/codec.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { encryptWithLabel } from "../../src/crypto/labels.ts";
import { makeExtension, requiredCapabilities, ExtensionType } from "../../src/extensions/extension.ts";
import { decodeMessageOf } from "../../src/framing/mls-message.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import { createUpdateProposal } from "../../src/group/send.ts";
import { groupContext } from "../../src/schedule/group-context.ts";
import type { UnsignedLeafNode } from "../../src/tree/leaf-node.ts";
import type { LeafIndex } from "../../src/tree/tree-math.ts";
import type { UpdatePath } from "../../src/tree/update-path.ts";
import type { CommitEdits } from "../support/forge-commit.ts";
import { editNode, forgeCommit, keyAt, refHex } from "../support/forge-commit.ts";
import type { Expected } from "../support/group.ts";
import {
  ANYBODY,
  expectForgeryRefused,
  expectRefusal,
  Group,
  Member,
  TEST_EXTENSION,
  testRules,
} from "../support/group.ts";

const REQUIRED = makeExtension(ExtensionType.requiredCapabilities, requiredCapabilities, {
  extensionTypes: [TEST_EXTENSION],
  proposalTypes: [],
  credentialTypes: [1],
});
const group = await Group.of(["alice", "bob", "carol", "dave"], { extensions: [REQUIRED] });
const [alice, bob, carol, dave] = [
  group.member("alice"),
  group.member("bob"),
  group.member("carol"),
  group.member("dave"),
];
for (const member of [bob, dave, carol]) await group.commit(member);
const genuine = (await alice.commit()).staged.commit;

/** Forges a Commit by alice and lets bob, below her first node, and carol, across the root, refuse it. */
async function refused(edits: CommitEdits, expected: Expected): Promise<void> {
  const { message } = await forgeCommit(alice, edits);
  for (const receiver of [bob, carol]) await expectForgeryRefused(receiver, message, expected, genuine);
}
const pathRefused = (edits: CommitEdits, requirement: string): Promise<void> =>
  refused(edits, { code: "ERR_MLS_UPDATE_PATH", requirement });
const leafRefused = (leaf: (leaf: UnsignedLeafNode) => UnsignedLeafNode, expected: Expected): Promise<void> =>
  refused({ leaf }, expected);

test("a forged Commit that nothing was changed in is accepted, in both wire formats (R-6-7, R-12.4.1-3, R-12.4.1-7, R-12.4.1-8, R-12.4.2-2, R-12.4.2-3)", async () => {
  for (const edits of [{}, { sealed: {} }]) {
    const { message, outputs } = await forgeCommit(alice, edits);
    const received = await bob.peek(message);
    if (received.kind !== "commit") throw new TypeError("a Commit");
    expect(received.state.secrets.epochAuthenticator).toEqual(outputs.secrets.epochAuthenticator);
    expect(received.effect.extensions).toBeUndefined();
  }
});

describe("whether there is a path (R-12.4-6, R-12.4-7, R-12.4.2-6, A-1)", () => {
  const psk = (id: string): Proposal => ({
    proposalType: 4,
    psk: { pskType: "external", pskId: utf8(id), pskNonce: new Uint8Array(32) },
  });
  test.each<[string, Proposal[]]>([
    ["an empty list", []],
    ["a Remove", [{ proposalType: 3, removed: 3 }]],
    ["a GroupContextExtensions", [{ proposalType: 7, extensions: [REQUIRED] }]],
    ["a Remove beside a PSK", [psk("x"), { proposalType: 3, removed: 3 }]],
  ])("%s without a path: refused", async (_, proposals) => {
    await pathRefused({ proposals, withPath: false }, "R-12.4-6");
  });

  test("an Update without a path: refused", async () => {
    const { message, ref } = await createUpdateProposal(dave.state, dave);
    const before = [alice, bob, carol].map(({ state }) => state);
    for (const member of [alice, bob, carol]) await member.receive(message);
    await pathRefused({ proposals: [refHex(ref)], withPath: false }, "R-12.4-6");
    for (const [i, member] of [alice, bob, carol].entries()) member.state = before[i] ?? member.state;
  });

  test("Adds and PSKs need none: the commit secret is zero then (R-12.4.1-4, R-12.3-3)", async () => {
    const { keyPackage } = await (await Member.create("erin")).keyPackage();
    const { message } = await forgeCommit(alice, { proposals: [{ proposalType: 1, keyPackage }], withPath: false });
    await expect(bob.peek(message)).resolves.toMatchObject({ kind: "commit" });
    const value = utf8("value");
    const { message: withPsk } = await forgeCommit(alice, { proposals: [psk("id")], withPath: false, psks: [value] });
    bob.rules = testRules({ findPsk: () => Promise.resolve(value) });
    await expect(bob.peek(withPsk)).resolves.toMatchObject({ kind: "commit" });
    bob.rules = testRules();
  });
});

describe("the shape of the path", () => {
  test.each<[string, (path: UpdatePath) => UpdatePath]>([
    ["no nodes", (path) => ({ ...path, nodes: [] })],
    ["a node too few", (path) => ({ ...path, nodes: path.nodes.slice(0, -1) })],
    ["a node too many", (path) => ({ ...path, nodes: [...path.nodes, ...path.nodes.slice(-1)] })],
  ])("%s: refused (R-7.5-1, R-7.5-8)", async (_, path) => {
    await pathRefused({ path }, "R-7.5-8");
  });

  test.each([0, 1])(
    "a ciphertext too few or too many at node %i: refused (R-7.5-5, R-7.6-2, adversarial 21)",
    async (at) => {
      await pathRefused(
        { path: (path) => editNode(path, at, (node) => ({ ...node, encryptedPathSecret: [] })) },
        "R-7.6-2",
      );
      await pathRefused(
        {
          path: (path) =>
            editNode(path, at, (node) => ({
              ...node,
              encryptedPathSecret: [...node.encryptedPathSecret, ...node.encryptedPathSecret],
            })),
        },
        "R-7.6-2",
      );
    },
  );

  test("a subtree of new leaves only gets no ciphertext, which works (T-5, R-7.6-2, adversarial 21)", async () => {
    const small = await Group.of(["fay", "gus"]);
    const [fay, gus] = [small.member("fay"), small.member("gus")];
    const newcomers = await Promise.all(["hal", "ida"].map((name) => Member.create(name)));
    const packages = await Promise.all(newcomers.map((member) => member.keyPackage()));
    const made = await fay.commit({
      proposals: packages.map(({ keyPackage }) => ({ proposalType: 1, keyPackage })),
      forcePath: true,
      wireFormat: "mls_public_message",
    });
    const { content } = decodeMessageOf("mls_public_message", made.staged.commit).publicMessage.content;
    const nodes = content.contentType === "commit" ? content.commit.path?.nodes : undefined;
    expect(nodes?.map(({ encryptedPathSecret }) => encryptedPathSecret.length)).toEqual([1, 0]);
    await gus.receive(made.staged.commit);
    fay.adopt(made);
    for (const [i, newcomer] of newcomers.entries()) {
      const own = packages[i];
      if (own === undefined) throw new RangeError("one package each");
      await newcomer.join(made.staged.welcome, own);
      small.members.push(newcomer);
    }
    small.expectAgreement();
    await small.chat(small.member("ida"), "all here");
    await small.commit(small.member("hal"));
  });
});

describe("the keys of the path (R-12.4.2-10, R-16.7-1, adversarial 19)", () => {
  test.each([
    ["a member's leaf key", () => keyAt(bob, 6)],
    ["a parent's key", () => keyAt(bob, 5)],
    ["the key that the node had", () => keyAt(bob, 3)],
  ])("%s at a node: refused", async (_, key) => {
    await pathRefused({ nodeKeys: [undefined, key()] }, "R-12.4.2-10");
  });

  test("one key at two nodes: refused", async () => {
    const { publicKey } = await alice.suite.hpke.generateKeyPair();
    await pathRefused({ nodeKeys: [publicKey, publicKey] }, "R-12.4.2-10");
  });

  test("one key at leaf and node: refused", async () => {
    const { publicKey: encryptionKey } = await alice.suite.hpke.generateKeyPair();
    await pathRefused({ nodeKeys: [encryptionKey], leaf: (leaf) => ({ ...leaf, encryptionKey }) }, "R-12.4.2-10");
  });

  test("another member's key at the leaf: refused (R-7.3-14)", async () => {
    await pathRefused({ leaf: (leaf) => ({ ...leaf, encryptionKey: keyAt(bob, 4) }) }, "R-12.4.2-10");
  });

  test("the key of a leaf that the Commit adds, at leaf or node: refused", async () => {
    const { keyPackage } = await (await Member.create("erin")).keyPackage();
    const { encryptionKey } = keyPackage.leafNode;
    const proposals: Proposal[] = [{ proposalType: 1, keyPackage }];
    for (const edits of [
      { leaf: (leaf: UnsignedLeafNode) => ({ ...leaf, encryptionKey }) },
      { nodeKeys: [encryptionKey] },
      { nodeKeys: [undefined, encryptionKey] },
    ]) {
      await pathRefused({ proposals, ...edits }, "R-12.4.2-10");
    }
  });

  test("the committer's leaf key does not change: refused (R-12.4.2-9)", async () => {
    await pathRefused({ leaf: (leaf) => ({ ...leaf, encryptionKey: keyAt(alice, 0) }) }, "R-12.4.2-9");
  });
});

describe("the secrets of the path", () => {
  test("lead to other public keys than announced: refused (R-7.5-10, R-12.4.2-11, adversarial 22)", async () => {
    const { publicKey } = await alice.suite.hpke.generateKeyPair();
    await pathRefused({ nodeKeys: [undefined, publicKey] }, "R-7.5-10");
    const { message } = await forgeCommit(alice, { nodeKeys: [publicKey] });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_UPDATE_PATH", requirement: "R-7.5-10" }, genuine);
  });

  test("are encrypted to no key that this member has: refused (R-7.5-9)", async () => {
    const before = bob.state;
    bob.state = { ...before, privateKeys: new Map() };
    const expected: Expected = { code: "ERR_MLS_UPDATE_PATH", requirement: "R-7.5-9" };
    await expectRefusal(bob, expected, () => bob.peek(genuine));
    bob.state = before;
    await bob.peek(genuine);
  });

  const toBob = (edit: (sealed: Bytes) => Bytes) => (path: UpdatePath) =>
    editNode(path, 0, (node) => ({
      ...node,
      encryptedPathSecret: node.encryptedPathSecret.map(({ kemOutput, ciphertext }) => ({
        kemOutput,
        ciphertext: edit(ciphertext),
      })),
    }));
  test.each<[string, (sealed: Bytes) => Bytes]>([
    ["a changed ciphertext", (sealed) => sealed.map((byte) => byte ^ 1)],
    ["an empty ciphertext", () => EMPTY],
    ["a ciphertext without its tag", (sealed) => sealed.slice(0, -16)],
  ])("%s: refused (R-7.5-9, R-5.1.3-2)", async (_, edit) => {
    const { message } = await forgeCommit(alice, { path: toBob(edit) });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_AEAD", requirement: "R-5.1.3-2" }, genuine);
  });

  test.each([0, 31, 33])("a KEM output of %i bytes: refused (R-5.1.1-3, adversarial 15)", async (length) => {
    const path = (made: UpdatePath): UpdatePath =>
      editNode(made, 0, (node) => ({
        ...node,
        encryptedPathSecret: node.encryptedPathSecret.map((sealed) => ({
          ...sealed,
          kemOutput: new Uint8Array(length).fill(9),
        })),
      }));
    const { message } = await forgeCommit(alice, { path });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_AEAD" }, genuine);
  });

  test("an all-zero KEM output gives an all-zero shared secret: refused (R-5.1.1-3, adversarial 15)", async () => {
    const path = (made: UpdatePath): UpdatePath =>
      editNode(made, 0, (node) => ({
        ...node,
        encryptedPathSecret: node.encryptedPathSecret.map((sealed) => ({ ...sealed, kemOutput: new Uint8Array(32) })),
      }));
    const { message } = await forgeCommit(alice, { path });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_AEAD" }, genuine);
  });

  test("are sealed to another context than the provisional one: refused (R-7.6-4, R-12.4.1-5, T-7)", async () => {
    const pathSecret = new Uint8Array(32).fill(1);
    const publicKey = keyAt(bob, 2);
    const context = encode(groupContext, alice.state.context);
    const sealed = await encryptWithLabel(alice.suite, "UpdatePathNode", context)(publicKey, pathSecret);
    const path = (made: UpdatePath): UpdatePath =>
      editNode(made, 0, (node) => ({ ...node, encryptedPathSecret: [sealed] }));
    const { message } = await forgeCommit(alice, { path });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_AEAD", requirement: "R-5.1.3-2" }, genuine);
  });

  test("are in the wrong order: refused (R-7.6-3)", async () => {
    const before = await Group.of(["ann", "ben", "cat", "dan"]);
    const [ann, cat] = [before.member("ann"), before.member("cat")];
    const good = (await ann.commit()).staged.commit;
    const path = (made: UpdatePath): UpdatePath =>
      editNode(made, 1, (node) => ({ ...node, encryptedPathSecret: [...node.encryptedPathSecret].reverse() }));
    const { message } = await forgeCommit(ann, { path });
    await expectForgeryRefused(cat, message, { code: "ERR_MLS_AEAD" }, good);
  });
});

describe("the leaf of the path (R-12.4.2-8, R-7.5-3, R-7.3-1)", () => {
  test("has another parent hash than its path: refused (R-7.5-7, R-7.9.2-3)", async () => {
    for (const parentHash of [EMPTY, new Uint8Array(32)]) {
      await pathRefused({ leaf: (leaf) => ({ ...leaf, source: { leafNodeSource: "commit", parentHash } }) }, "R-7.5-7");
    }
  });

  test("has another source than commit: refused (R-7.3-12)", async () => {
    const lifetime = { notBefore: 0n, notAfter: 1n };
    for (const source of [{ leafNodeSource: "update" }, { leafNodeSource: "key_package", lifetime }] as const) {
      await leafRefused((leaf) => ({ ...leaf, source }), { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-12" });
    }
  });

  test("is signed by another key: refused (R-7.3-3)", async () => {
    await refused(
      { leafSigner: carol.signer, leaf: (leaf) => ({ ...leaf, signatureKey: alice.signer.publicKey }) },
      { code: "ERR_MLS_SIGNATURE", requirement: "R-7.3-3" },
    );
  });

  test("is signed for another place or group: refused (R-7.2-3)", async () => {
    for (const leafPlace of [{ leafIndex: 1 as LeafIndex }, { groupId: utf8("other") }]) {
      await refused({ leafPlace }, { code: "ERR_MLS_SIGNATURE", requirement: "R-7.3-3" });
    }
  });

  test("was changed without a new signature: refused (R-7.2-10)", async () => {
    await refused(
      { path: (path) => ({ ...path, leafNode: { ...path.leafNode, credential: basicCredential("mallory") } }) },
      { code: "ERR_MLS_SIGNATURE", requirement: "R-7.3-3" },
    );
  });

  test("takes another member's signature key: refused (R-7.3-13, R-16.7-1, adversarial 19)", async () => {
    await refused({ leafSigner: dave.signer }, { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-14" });
  });

  test.each([0, 31, 33, 65])(
    "has an encryption key of %i bytes: refused (R-5.1.1-1, adversarial 15)",
    async (length) => {
      await leafRefused((leaf) => ({ ...leaf, encryptionKey: new Uint8Array(length).fill(9) }), {
        code: "ERR_MLS_LEAF_NODE",
        requirement: "R-5.1.1-1",
      });
    },
  );

  test.each([0, 31, 33, 57])("has a signature key of %i bytes: refused (R-5.1.1-2, R-5.1.2-1)", async (length) => {
    await leafRefused((leaf) => ({ ...leaf, signatureKey: new Uint8Array(length) }), {
      code: "ERR_MLS_LEAF_NODE",
      requirement: "R-5.1.1-2",
    });
  });

  test("does not list the group's version or suite: refused (R-7.3-15)", async () => {
    for (const change of [{ versions: [2] }, { cipherSuites: [2, 3] }]) {
      await leafRefused((leaf) => ({ ...leaf, capabilities: { ...leaf.capabilities, ...change } }), {
        code: "ERR_MLS_CAPABILITIES",
        requirement: "R-7.3-15",
      });
    }
  });

  test("does not list its credential's type: refused (R-7.2-6)", async () => {
    await leafRefused((leaf) => ({ ...leaf, capabilities: { ...leaf.capabilities, credentials: [2] } }), {
      code: "ERR_MLS_LEAF_NODE",
      requirement: "R-7.2-6",
    });
  });

  test("has an extension that it does not list: refused (R-7.3-9, A-5)", async () => {
    const extensions = [{ extensionType: 0xf123, extensionData: EMPTY }];
    await leafRefused((leaf) => ({ ...leaf, extensions }), { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-9" });
  });

  test("lacks a required capability: refused (R-7.3-4)", async () => {
    await leafRefused((leaf) => ({ ...leaf, capabilities: { ...leaf.capabilities, extensions: [] } }), {
      code: "ERR_MLS_CAPABILITIES",
      requirement: "R-7.3-4",
    });
  });

  test("has a credential that a member does not support: refused (R-7.3-5, R-13.3-1, adversarial 24)", async () => {
    const small = await Group.of(["kim", "leo"], { rules: testRules({ authentication: ANYBODY }) });
    const [kim, leo] = [small.member("kim"), small.member("leo")];
    await small.commit(leo, { leaf: { capabilities: { ...leo.capabilities, credentials: [1] } } });
    const good = (await kim.commit()).staged.commit;
    const { message } = await forgeCommit(kim, {
      leaf: (leaf) => ({ ...leaf, credential: { credentialType: 2, certificates: [utf8("a certificate")] } }),
    });
    await expectForgeryRefused(leo, message, { code: "ERR_MLS_CAPABILITIES", requirement: "R-7.3-5" }, good);
  });

  test("no longer supports a credential type in use: refused (R-7.3-6, adversarial 24)", async () => {
    const small = await Group.of(["kim", "leo"], { rules: testRules({ authentication: ANYBODY }) });
    const [kim, leo] = [small.member("kim"), small.member("leo")];
    await small.commit(kim, { leaf: { credential: { credentialType: 2, certificates: [utf8("a certificate")] } } });
    const good = (await kim.commit()).staged.commit;
    const { message } = await forgeCommit(kim, {
      leaf: (leaf) => ({
        ...leaf,
        credential: basicCredential("kim"),
        capabilities: { ...leaf.capabilities, credentials: [1] },
      }),
    });
    await expect(leo.peek(message)).resolves.toMatchObject({ kind: "commit" });
    const { message: other } = await forgeCommit(leo, {
      leaf: (leaf) => ({ ...leaf, capabilities: { ...leaf.capabilities, credentials: [1] } }),
    });
    await expectRefusal(kim, { code: "ERR_MLS_CAPABILITIES", requirement: "R-7.3-5" }, () => kim.peek(other));
    await leo.peek(good);
  });

  test("changes to a credential that the authentication service refuses (R-5.3.1-6, R-5.3.1-8)", async () => {
    const asked: unknown[] = [];
    const rules = testRules({
      authentication: {
        validate: (request) => {
          asked.push([request.moment, request.previous?.credential]);
          return Promise.reject(new Error("not a successor"));
        },
      },
    });
    const { message } = await forgeCommit(alice, { leaf: (leaf) => ({ ...leaf, credential: basicCredential("eve") }) });
    bob.rules = rules;
    await expectRefusal(bob, { code: "ERR_MLS_CREDENTIAL", requirement: "R-5.3.1-8" }, () => bob.peek(message));
    bob.rules = testRules();
    expect(asked).toEqual([["commit", basicCredential("alice")]]);
    await bob.peek(genuine);
  });
});

describe("the confirmation tag (R-12.4.2-12, R-6.1-3, R-6.1-9, adversarial 6)", () => {
  test.each<[string, Bytes]>([
    ["empty", EMPTY],
    ["of another key", new Uint8Array(32).fill(3)],
    ["too short", new Uint8Array(31)],
  ])("is %s: refused", async (_, confirmationTag) => {
    for (const sealed of [undefined, {}]) {
      const edits = { auth: { confirmationTag }, ...(sealed && { sealed }) };
      await refused(edits, { code: "ERR_MLS_CONFIRMATION", requirement: "R-12.4.2-12" });
    }
  });

  test("is the right one, cut or followed by a byte: refused", async () => {
    const { keyPackage } = await (await Member.create("erin")).keyPackage();
    // Without a path and under Ed25519 there is nothing random in it: the tag is that of the next Commit too.
    const edits: CommitEdits = { proposals: [{ proposalType: 1, keyPackage }], withPath: false };
    const { confirmationTag: tag } = (await forgeCommit(alice, edits)).outputs;
    const { message } = await forgeCommit(alice, { ...edits, auth: { confirmationTag: tag } });
    await expect(bob.peek(message)).resolves.toMatchObject({ kind: "commit" });
    for (const confirmationTag of [
      tag.slice(0, 31),
      tag.slice(0, 16),
      tag.slice(0, 1),
      concat(tag, Uint8Array.of(0)),
    ]) {
      await refused(
        { ...edits, auth: { confirmationTag } },
        { code: "ERR_MLS_CONFIRMATION", requirement: "R-12.4.2-12" },
      );
    }
  });

  test("of a Commit over other PSK values or another order: refused (R-8.4-3, R-8.4-5, T-1)", async () => {
    const id = (name: string): Proposal => ({
      proposalType: 4,
      psk: { pskType: "external", pskId: utf8(name), pskNonce: new Uint8Array(32) },
    });
    bob.rules = testRules({ findPsk: (psk) => Promise.resolve(psk.pskType === "external" ? psk.pskId : undefined) });
    const proposals = [id("a"), id("b")];
    const { message: good } = await forgeCommit(alice, { proposals, psks: [utf8("a"), utf8("b")] });
    await bob.peek(good);
    const { message } = await forgeCommit(alice, { proposals, psks: [utf8("b"), utf8("a")] });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_CONFIRMATION", requirement: "R-12.4.2-12" }, genuine);
    bob.rules = testRules();
  });

  test("of a Commit that was also sent otherwise: the transcript has the wire format (R-8.2-1, R-8.2-4)", async () => {
    const [shown, hidden] = [await forgeCommit(alice), await forgeCommit(alice, { sealed: {} })];
    expect(shown.outputs.confirmationTag).not.toEqual(hidden.outputs.confirmationTag);
    await refused(
      { auth: { confirmationTag: hidden.outputs.confirmationTag } },
      { code: "ERR_MLS_CONFIRMATION", requirement: "R-12.4.2-12" },
    );
  });
});

describe("what the Commit refers to", () => {
  test("a proposal that is not known: refused, and named (R-12.4-2)", async () => {
    const unknown = "ab".repeat(32);
    await refused({ proposals: [unknown] }, { code: "ERR_MLS_PROPOSAL_REF", requirement: "R-12.4-2" });
    const { message } = await forgeCommit(alice, { proposals: [unknown] });
    await expect(bob.peek(message)).rejects.toMatchObject({ detail: { missing: [unknown] } });
  });

  test("a PSK that is not known: refused (R-12.4.2-5, R-8.4-7, adversarial 28)", async () => {
    const pskNonce = new Uint8Array(32);
    const ids = [
      { pskType: "external", pskId: utf8("unknown"), pskNonce },
      { pskType: "resumption", usage: "application", pskGroupId: utf8("other"), pskEpoch: 1n, pskNonce },
      {
        pskType: "resumption",
        usage: "application",
        pskGroupId: alice.state.context.groupId,
        pskEpoch: 99n,
        pskNonce,
      },
    ] as const;
    for (const psk of ids) {
      const expected: Expected = { code: "ERR_MLS_PSK", requirement: "R-12.4.2-5" };
      await refused({ proposals: [{ proposalType: 4, psk }] }, expected);
      await expectRefusal(alice, expected, () => alice.commit({ proposals: [{ proposalType: 4, psk }] }));
    }
  });

  test("the group's own resumption PSKs are known (R-8.4-7)", async () => {
    const psk = {
      pskType: "resumption",
      usage: "application",
      pskGroupId: alice.state.context.groupId,
      pskEpoch: alice.state.context.epoch - 1n,
      pskNonce: new Uint8Array(32),
    } as const;
    const value = alice.state.resumptionPsks.get(psk.pskEpoch);
    if (value === undefined) throw new RangeError("the last epoch's PSK is kept");
    const { message } = await forgeCommit(alice, { proposals: [{ proposalType: 4, psk }], psks: [value] });
    await expect(bob.peek(message)).resolves.toMatchObject({ kind: "commit" });
  });
});

test("the committer's policy hook can refuse a Commit (R-12.2-15, R-12.4.3.2-8)", async () => {
  bob.rules = testRules({
    allowProposals: ({ proposals, committer }) => {
      expect(committer).toEqual({ senderType: "member", leafIndex: 0 });
      expect(proposals).toHaveLength(0);
      return Promise.reject(new Error("not today"));
    },
  });
  await expect(bob.peek(genuine)).rejects.toMatchObject({ code: "ERR_MLS_POLICY", requirement: "R-12.2-15" });
  bob.rules = testRules();
  await bob.peek(genuine);
});

test("a signature cut from another Commit of the same epoch: refused (R-6.1-8)", async () => {
  const { message } = await forgeCommit(alice);
  const { auth } = decodeMessageOf("mls_public_message", message).publicMessage;
  await refused({ auth: { signature: auth.signature } }, { code: "ERR_MLS_SIGNATURE", requirement: "R-6.1-8" });
  await refused(
    { auth: { signature: concat(auth.signature, EMPTY).reverse() } },
    { code: "ERR_MLS_SIGNATURE", requirement: "R-6.1-8" },
  );
});
