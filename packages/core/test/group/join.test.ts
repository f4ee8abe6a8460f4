/** Joining by Welcome (RFC 9420 §12.4.3): every way in which a Welcome, its GroupInfo and its tree can be wrong. */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, erase, toHex, utf8 } from "../../src/codec/bytes.ts";
import { encode } from "../../src/codec/codec.ts";
import { adoptCommit, createCommit } from "../../src/commit/create.ts";
import { basicCredential, sameCredential } from "../../src/identity/credential.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import type { MlsErrorCode } from "../../src/errors.ts";
import { isCoppiceError } from "../../src/errors.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import { ratchetTree } from "../../src/framing/group-info.ts";
import { decodeMessageOf } from "../../src/framing/mls-message.ts";
import type { Welcome } from "../../src/framing/welcome.ts";
import type { JoinOptions } from "../../src/group/join.ts";
import { findWelcomed, joinGroup } from "../../src/group/join.ts";
import { encodeOwnKeyPackage } from "../../src/group/serialise.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import type { PreSharedKeyId } from "../../src/schedule/psk.ts";
import type { WireNode } from "../../src/tree/parent-node.ts";
import { RatchetTree } from "../../src/tree/ratchet-tree.ts";
import type { WelcomeEdits } from "../support/forge-join.ts";
import { forgeWelcome } from "../support/forge-join.ts";
import { at, Group, LIFETIME, Member, testRules } from "../support/group.ts";

const group = await Group.of(["alice", "bob", "carol"]);
const [alice, bob] = [group.member("alice"), group.member("bob")];
await group.commit(bob);
const treeBefore = bob.state.tree;
await group.commit(group.member("carol"));
const newcomer = await Member.create("newcomer");
const own = await newcomer.keyPackage();
const made = await group.commit(alice, {
  proposals: [{ proposalType: 1, keyPackage: own.keyPackage }],
  forcePath: true,
});
const genuine = decodeMessageOf("mls_welcome", made.staged.welcome ?? EMPTY).welcome;
const { suite } = newcomer;

const options: JoinOptions = { suite, rules: newcomer.rules, keyPackage: own };
const join = (welcome: Welcome, changes: Partial<JoinOptions> = {}) => joinGroup(welcome, { ...options, ...changes });

async function refused(
  welcome: Welcome,
  code: MlsErrorCode,
  requirement?: string,
  changes: Partial<JoinOptions> = {},
): Promise<void> {
  const keys = toHex(encodeOwnKeyPackage(own));
  const attempt = await join(welcome, changes).catch((error: unknown) => error);
  if (!isCoppiceError(attempt)) throw attempt instanceof Error ? attempt : new Error("the Welcome was accepted");
  expect({ code: attempt.code, requirement: attempt.requirement }).toEqual({ code, requirement });
  expect(toHex(encodeOwnKeyPackage(own)) === keys).toBe(true);
  await join(genuine);
}
const forged = (edits: WelcomeEdits): Promise<Welcome> => forgeWelcome(alice, own, edits);

test("a forged Welcome that nothing was changed in is accepted", async () => {
  const { state, welcomedBy } = await join(await forged({}));
  expect(welcomedBy).toBe(alice.state.leafIndex);
  expect(state.leafIndex).toBe(3);
  expect(toHex(state.context.treeHash)).toBe(toHex(alice.state.context.treeHash));
});

test("it may carry extensions for those who are added alone", async () => {
  const pair = await Group.of(["dana"]);
  const erin = await Member.create("erin");
  const keyPackage = await erin.keyPackage();
  const extension = { extensionType: 0xf0bb, extensionData: utf8("for newcomers") };
  const { staged } = await pair.member("dana").commit({
    proposals: [{ proposalType: 1, keyPackage: keyPackage.keyPackage }],
    welcomeExtensions: [extension],
  });
  const joined = await joinGroup(staged.welcome ?? EMPTY, { suite, rules: erin.rules, keyPackage });
  expect(joined.welcomeExtensions).toContainEqual(extension);
  // The tree is in the state already.
  expect(joined.welcomeExtensions.map(({ extensionType }) => extensionType)).not.toContain(2);
});

test("the genuine one leads to the group's secrets, with the keys of the common ancestors (R-12.4.1-10, R-12.4.3.1-14, R-8.2-5)", async () => {
  const { state } = await join(genuine);
  expect(state.secrets).toEqual(alice.state.secrets);
  expect(state.interimTranscriptHash).toEqual(alice.state.interimTranscriptHash);
  expect([...state.privateKeys.keys()].sort()).toEqual([3, 6]);
});

test("joining reports how many leaves are verified, and stops when it is aborted", async () => {
  const reports: (readonly number[])[] = [];
  const onProgress = (...report: readonly number[]): void => {
    reports.push(report);
  };
  await join(genuine, { onProgress });
  expect(reports).toEqual([
    [0, 4],
    [4, 4],
  ]);
  const signal = AbortSignal.abort(new Error("changed my mind"));
  await expect(join(genuine, { signal })).rejects.toThrow("changed my mind");
  await join(genuine);
});

describe("the Welcome (R-12.4.3.1-2, R-12.4.3.1-3)", () => {
  test("is for other key packages", async () => {
    const another = await newcomer.keyPackage();
    await refused(genuine, "ERR_MLS_WELCOME", "R-12.4.3.1-2", { keyPackage: another });
    expect(() => findWelcomed(genuine, [another])).toThrow(
      expect.objectContaining({ code: "ERR_MLS_WELCOME", requirement: "R-12.4.3.1-2" }),
    );
    expect(findWelcomed(genuine, [another, own])).toBe(own);
  });

  test("is for another suite", async () => {
    await refused({ ...genuine, cipherSuite: 3 }, "ERR_MLS_WELCOME", "R-12.4.3.1-2");
    const three = { suite: await getCipherSuite(3) };
    await refused(genuine, "ERR_MLS_WELCOME", "R-12.4.3.1-2", three);
    await refused({ ...genuine, cipherSuite: 3 }, "ERR_MLS_WELCOME", "R-12.4.3.1-2", three);
  });

  test("has no entries", async () => {
    await refused({ ...genuine, secrets: [] }, "ERR_MLS_WELCOME", "R-12.4.3.1-2");
  });

  test("has secrets of another Welcome: they are bound to the encrypted GroupInfo (R-5.1.3-2)", async () => {
    const other = await forged({});
    await refused({ ...genuine, secrets: other.secrets }, "ERR_MLS_AEAD", "R-5.1.3-2");
  });

  test("has a changed GroupInfo", async () => {
    const encryptedGroupInfo = genuine.encryptedGroupInfo.map((byte, i) => (i === 100 ? byte ^ 1 : byte));
    await refused({ ...genuine, encryptedGroupInfo }, "ERR_MLS_AEAD", "R-5.1.3-2");
  });

  test("has a GroupInfo under another key (R-12.4.3.1-6)", async () => {
    await refused(await forged({ secrets: { joinerSecret: new Uint8Array(32) } }), "ERR_MLS_AEAD");
  });

  test.each([0, 1, 64])("has a joiner secret of %i bytes that does not open it", async (length) => {
    await refused(await forged({ secrets: { joinerSecret: new Uint8Array(length) } }), "ERR_MLS_AEAD");
  });
});

describe("pre-shared keys", () => {
  const pskNonce = new Uint8Array(32);
  const external: PreSharedKeyId = { pskType: "external", pskId: utf8("id"), pskNonce };
  const psk = utf8("value");
  const special = (usage: "reinit" | "branch"): PreSharedKeyId => ({
    pskType: "resumption",
    usage,
    pskGroupId: utf8("old"),
    pskEpoch: 7n,
    pskNonce,
  });
  const old: GroupState = {
    ...alice.state,
    context: { ...alice.state.context, groupId: utf8("old"), epoch: 7n },
    secrets: { ...alice.state.secrets, resumptionPsk: psk },
  };
  const knowing = { rules: testRules({ findPsk: () => Promise.resolve(psk) }), findGroup: () => old };

  test("must be known (R-12.4.3.1-4, adversarial 28)", async () => {
    const welcome = await forged({ psks: [{ id: external, psk }] });
    await refused(welcome, "ERR_MLS_PSK", "R-12.4.3.1-4");
    await join(welcome, knowing);
  });

  test("must be the right ones, in the right order (R-8.4-3, R-12.4.1-11, T-3)", async () => {
    const other = { ...external, pskId: utf8("other") };
    const welcome = await forged({
      psks: [
        { id: external, psk },
        { id: other, psk },
      ],
      secrets: { psks: [other, external] },
    });
    await refused(welcome, "ERR_MLS_AEAD", undefined, knowing);
  });

  test.each([0, 3, 31, 33])(
    "have a nonce of Nh bytes, not of %i, as in a Commit (R-12.1.4-3, R-8.4-2)",
    async (length) => {
      const wrong = { ...external, pskNonce: new Uint8Array(length) };
      await refused(await forged({ psks: [{ id: wrong, psk }] }), "ERR_MLS_PROPOSAL", "R-12.1.4-3", knowing);
      const tie = { ...special("branch"), pskNonce: new Uint8Array(length) };
      await refused(await forged({ psks: [{ id: tie, psk }] }), "ERR_MLS_PROPOSAL", "R-12.1.4-3", knowing);
    },
  );

  test("are each named once, as in a Commit (R-12.2-8)", async () => {
    const welcome = await forged({ psks: [external, external].map((id) => ({ id, psk })) });
    await refused(welcome, "ERR_MLS_PROPOSAL_LIST", "R-12.2-8", knowing);
  });

  test("have an id of a bounded length, and a bounded number, counted before any is looked for (adversarial 8)", async () => {
    const longer = { ...external, pskId: new Uint8Array(DEFAULT_LIMITS.pskIdBytes + 1) };
    await refused(await forged({ psks: [{ id: longer, psk }] }), "ERR_MLS_LIMIT", undefined, knowing);
    const many = [1, 2, 3].map((i) => ({ id: { ...external, pskId: Uint8Array.of(i) }, psk }));
    const welcome = await forged({ psks: many });
    await join(welcome, knowing);
    const rules = testRules({
      limits: { ...DEFAULT_LIMITS, proposalsPerCommit: 2 },
      findPsk: () => {
        throw new Error("nobody asked");
      },
    });
    await refused(welcome, "ERR_MLS_LIMIT", undefined, { rules });
  });

  test("of usage application say nothing of a group that this one succeeds", async () => {
    const id = { ...special("branch"), usage: "application" } as const;
    const findGroup = (): never => {
      throw new Error("nobody asked");
    };
    await join(await forged({ psks: [{ id, psk }] }), { rules: knowing.rules, findGroup });
  });

  test("of usage reinit and branch stand alone (R-12.4.3.1-5, R-11.2-3, adversarial 35)", async () => {
    const psks = [special("reinit"), special("branch")].map((id) => ({ id, psk }));
    await refused(await forged({ psks }), "ERR_MLS_WELCOME", "R-12.4.3.1-5", knowing);
    for (const usage of ["reinit", "branch"] as const) {
      const id = special(usage);
      const twice = [id, { ...id, pskNonce: pskNonce.map(() => 1) }].map((one) => ({ id: one, psk }));
      await refused(await forged({ psks: twice }), "ERR_MLS_WELCOME", "R-12.4.3.1-5", knowing);
    }
  });

  test.each(["reinit", "branch"] as const)(
    "of usage %s start a group, which is at epoch 1 (R-12.4.3.1-17, R-11.2-2, R-11.3-2, adversarial 35)",
    async (usage) => {
      const psks = [{ id: special(usage), psk }];
      await refused(await forged({ psks }), "ERR_MLS_WELCOME", "R-12.4.3.1-17", knowing);
    },
  );

  test.each(["reinit", "branch"] as const)(
    "of usage %s are those of a group and an epoch that this client was in (R-12.4.3.1-4, T-24)",
    async (usage) => {
      const welcome = await forged({ psks: [{ id: special(usage), psk }] });
      const { rules } = knowing;
      await refused(welcome, "ERR_MLS_PSK", "R-12.4.3.1-4", { rules });
      await refused(welcome, "ERR_MLS_PSK", "R-12.4.3.1-4", { rules, findGroup: () => undefined });
      await refused(welcome, "ERR_MLS_PSK", "R-12.4.3.1-4", { rules, findGroup: () => alice.state });
      const later = { ...old, context: { ...old.context, epoch: 8n } };
      await refused(welcome, "ERR_MLS_PSK", "R-12.4.3.1-4", { rules, findGroup: () => later });
    },
  );
});

describe("the GroupInfo (R-12.4.3-1)", () => {
  const groupInfoRefused = async (edits: WelcomeEdits, requirement: string): Promise<void> => {
    await refused(await forged(edits), "ERR_MLS_GROUP_INFO", requirement);
  };

  test("has another version or suite (R-12.4.3.1-8)", async () => {
    await groupInfoRefused({ context: { version: 2 } }, "R-12.4.3.1-8");
    await groupInfoRefused({ context: { cipherSuite: 2 } }, "R-12.4.3.1-8");
  });

  test("is of a group that the client is in: it is never overwritten (R-12.4.3-3, adversarial 34)", async () => {
    const known = toHex(alice.state.context.groupId);
    const isKnownGroup = (groupId: Bytes): boolean => toHex(groupId) === known;
    await refused(genuine, "ERR_MLS_GROUP_INFO", "R-12.4.3-3", { isKnownGroup });
    await join(genuine, { isKnownGroup: () => false });
  });

  test("has a group extension that this client does not support (R-13.4-5, adversarial 24)", async () => {
    for (const extensionType of [0xf00d, 0x1a1a]) {
      await groupInfoRefused({ context: { extensions: [{ extensionType, extensionData: EMPTY }] } }, "R-13.4-5");
    }
  });

  test.each([4, 5, 0xffff_ffff])("is signed by leaf %i, which is none (R-12.4.3-4, adversarial 3)", async (signer) => {
    await groupInfoRefused({ info: { signer } }, "R-12.4.3-4");
  });

  test("is signed by another key or changed afterwards (R-12.4.3-4, R-5.1.2-4)", async () => {
    await refused(await forged({ infoSigner: bob.signer }), "ERR_MLS_SIGNATURE", "R-12.4.3-4");
    await refused(await forged({ info: { signer: 1 } }), "ERR_MLS_SIGNATURE", "R-12.4.3-4");
    await refused(
      await forged({ signedInfo: { confirmationTag: new Uint8Array(32) } }),
      "ERR_MLS_SIGNATURE",
      "R-12.4.3-4",
    );
  });

  test.each<[string, Bytes]>([
    ["of another key", new Uint8Array(32)],
    ["empty (adversarial 6)", EMPTY],
    ["too short (adversarial 6)", new Uint8Array(16)],
    ["too long (adversarial 6)", new Uint8Array(33)],
  ])("has a confirmation tag that is %s (R-12.4.3.1-16)", async (_, confirmationTag) => {
    await refused(await forged({ info: { confirmationTag } }), "ERR_MLS_CONFIRMATION", "R-12.4.3.1-16");
  });

  test("may have unknown extensions (R-12.4.3-2, R-13.4-2, adversarial 7)", async () => {
    await join(await forged({ infoExtensions: [{ extensionType: 0xf00d, extensionData: utf8("?") }] }));
  });
});

describe("the tree (R-12.4.3.1-9)", () => {
  const wire = (): (WireNode | undefined)[] => alice.state.tree.toWire();
  /** With a context that has the edited tree's hash. */
  async function withTree(edit: (nodes: (WireNode | undefined)[]) => void): Promise<Welcome> {
    const nodes = wire();
    edit(nodes);
    const treeHash = RatchetTree.fromWire(nodes, DEFAULT_LIMITS.treeLeaves).treeHash(suite.hash);
    return forged({ tree: () => nodes, treeHash });
  }
  const editLeaf =
    (index: number, edit: (leaf: Extract<WireNode, { nodeType: "leaf" }>["leafNode"]) => typeof leaf) =>
    (nodes: (WireNode | undefined)[]): void => {
      const node = nodes[index];
      if (node?.nodeType !== "leaf") throw new TypeError("a leaf");
      const leaf = node.leafNode;
      nodes[index] = { nodeType: "leaf", leafNode: edit(leaf) };
    };
  const editParent =
    (index: number, edit: (parent: Extract<WireNode, { nodeType: "parent" }>["parentNode"]) => typeof parent) =>
    (nodes: (WireNode | undefined)[]): void => {
      const node = nodes[index];
      if (node?.nodeType !== "parent") throw new TypeError("a parent");
      const parent = node.parentNode;
      nodes[index] = { nodeType: "parent", parentNode: edit(parent) };
    };

  test("comes with the Welcome or from elsewhere; without it there is no joining (R-12.4.3.1-7, R-12.4.3.3-6)", async () => {
    const welcome = await forged({ tree: () => undefined });
    await refused(welcome, "ERR_MLS_WELCOME", "R-12.4.3.1-7");
    await join(welcome, { ratchetTree: encode(ratchetTree, wire()) });
  });

  test("is another one than the context's (R-12.4.3.3-5, R-7.8-3)", async () => {
    const before = encode(ratchetTree, treeBefore.toWire());
    const welcome = await forged({ tree: () => undefined });
    await refused(welcome, "ERR_MLS_TREE", "R-12.4.3.3-5", { ratchetTree: before });
    await refused(await forged({ context: { treeHash: new Uint8Array(32) } }), "ERR_MLS_TREE", "R-12.4.3.3-5");
  });

  test.each<[string, string, (nodes: (WireNode | undefined)[]) => (WireNode | undefined)[]]>([
    ["is empty", "R-12.4.3.3-3", () => []],
    ["ends with a blank leaf", "R-12.4.3.3-3", (nodes) => [...nodes, undefined, undefined]],
    ["is of even length, a blank at its end", "R-12.4.3.3-3", (nodes) => [...nodes, undefined]],
    ["is of even length, a leaf at its end", "R-12.4.3.3-4", (nodes) => [...nodes, nodes[0]]],
    ["is cut to an even length", "R-12.4.3.3-4", (nodes) => nodes.slice(0, 4)],
    ["ends with a parent", "R-12.4.3.3-4", (nodes) => [...nodes, nodes[3]]],
    ["has a parent at an even place", "R-12.4.3.3-4", (nodes) => nodes.map((node, i) => (i === 2 ? nodes[3] : node))],
    ["has a leaf at an odd place", "R-12.4.3.3-4", (nodes) => nodes.map((node, i) => (i === 3 ? nodes[2] : node))],
  ])("%s (%s, adversarial 4)", async (_, requirement, tree) => {
    await refused(await forged({ tree }), "ERR_MLS_TREE", requirement);
  });

  test("is larger than the limit (adversarial 4, adversarial 8)", async () => {
    const rules = testRules({ limits: { ...DEFAULT_LIMITS, treeLeaves: 2 } });
    await refused(genuine, "ERR_MLS_LIMIT", "R-2.1.2-8", { rules });
  });

  test("lacks the own leaf, byte for byte (R-12.4.3.1-13, adversarial 23)", async () => {
    const twin = await newcomer.keyPackage();
    const other = { ...twin, ref: own.ref, initPrivateKey: own.initPrivateKey };
    const keyPackage = { ...other, keyPackage: { ...twin.keyPackage, initKey: own.keyPackage.initKey } };
    await refused(genuine, "ERR_MLS_WELCOME", "R-12.4.3.1-13", { keyPackage });

    // Of the same keys, in all but one byte: first a capability more, then another signature of the same.
    const { leafNode } = own.keyPackage;
    const { capabilities, signature } = leafNode;
    const proposals = [...capabilities.proposals, 0xf00d];
    for (const change of [
      { capabilities: { ...capabilities, proposals } },
      { signature: signature.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) },
    ]) {
      const published = { ...own.keyPackage, leafNode: { ...leafNode, ...change } };
      await refused(genuine, "ERR_MLS_WELCOME", "R-12.4.3.1-13", { keyPackage: { ...own, keyPackage: published } });
    }
  });

  test.each<[string, (leaves: readonly number[]) => readonly number[]]>([
    ["leaves of the other subtree", () => [3, 4]],
    ["a leaf of the other half", () => [5]],
    ["a leaf outside the tree", () => [100]],
    ["leaf 0x80000001, whose node is 2 in 32 bits", () => [0x8000_0001]],
    ["leaf 0xffffffff", () => [0xffff_ffff]],
  ])("names %s as unmerged (R-12.4.3.1-10, adversarial 3, adversarial 4)", async (_, unmerged) => {
    const big = await Group.of(["a", "b", "c", "d", "e"]);
    const a = big.member("a");
    await big.commit(a);
    const joiner = await Member.create("f");
    const package_ = await joiner.keyPackage();
    await big.commit(a, { proposals: [{ proposalType: 1, keyPackage: package_.keyPackage }], forcePath: true });
    const nodes = a.state.tree.toWire();
    editParent(1, (parent) => ({ ...parent, unmergedLeaves: unmerged(parent.unmergedLeaves) }))(nodes);
    const treeHash = RatchetTree.fromWire(nodes, 8).treeHash(suite.hash);
    const welcome = await forgeWelcome(a, package_, { tree: () => nodes, treeHash });
    await refused(welcome, "ERR_MLS_TREE", "R-12.4.3.1-10", { keyPackage: package_ });
  });

  test("has unmerged leaves that are not sorted or stand twice (R-7.1-2, adversarial 4)", async () => {
    for (const unmergedLeaves of [
      [3, 2],
      [3, 3],
    ]) {
      const nodes = wire();
      editParent(3, (parent) => ({ ...parent, unmergedLeaves }))(nodes);
      await refused(await forged({ tree: () => nodes }), "ERR_MLS_TREE", "R-7.1-2");
    }
  });

  test("has a leaf unmerged above a parent that does not list it (R-12.4.3.1-11)", async () => {
    await refused(
      await withTree((edited) => {
        editParent(3, (root) => ({ ...root, unmergedLeaves: [1] }))(edited);
      }),
      "ERR_MLS_TREE",
      "R-12.4.3.1-11",
    );
  });

  test("has one key in two nodes (R-12.4.3.1-12, R-7.3-14, adversarial 19)", async () => {
    const key = at(wire(), 0);
    if (key?.nodeType !== "leaf") throw new TypeError("a leaf");
    const { encryptionKey, signatureKey } = key.leafNode;
    for (const edit of [
      editParent(3, (parent) => ({ ...parent, encryptionKey })),
      editLeaf(2, (leaf) => ({ ...leaf, encryptionKey })),
      editLeaf(2, (leaf) => ({ ...leaf, signatureKey })),
    ]) {
      await refused(await withTree(edit), "ERR_MLS_LEAF_NODE", "R-7.3-14");
    }
  });

  test("is not parent-hash valid (R-7.9.2-2, adversarial 20)", async () => {
    const { publicKey } = await suite.hpke.generateKeyPair();
    for (const edit of [
      editParent(3, (parent) => ({ ...parent, encryptionKey: publicKey })),
      editParent(3, (parent) => ({ ...parent, parentHash: utf8("not empty") })),
      editParent(1, (parent) => ({ ...parent, parentHash: EMPTY })),
    ]) {
      await refused(await withTree(edit), "ERR_MLS_TREE", "R-7.9.2-2");
    }
  });

  test("has a leaf that is not signed, or signed for another place (R-7.3-3, R-7.2-3)", async () => {
    // The last committer's leaf: no parent hash covers it.
    for (const edit of [
      editLeaf(0, (leaf) => ({ ...leaf, signature: leaf.signature.map((byte) => byte ^ 1) })),
      editLeaf(0, (leaf) => ({ ...leaf, credential: basicCredential("mallory") })),
    ]) {
      await refused(await withTree(edit), "ERR_MLS_SIGNATURE", "R-7.3-3");
    }
  });

  test("has a leaf that is refused by the authentication service (R-5.3.1-3, R-7.3-2)", async () => {
    const moments = new Set<string>();
    const rules = testRules({
      authentication: {
        validate: ({ moment, credential }) => {
          moments.add(moment);
          return sameCredential(credential, basicCredential("carol"))
            ? Promise.reject(new Error("carol is not welcome"))
            : Promise.resolve();
        },
      },
    });
    await refused(genuine, "ERR_MLS_CREDENTIAL", "R-5.3.1-1", { rules });
    expect([...moments]).toEqual(["group_info"]);
  });

  test("has a leaf whose lifetime is over, where that is checked (R-7.3-8)", async () => {
    const rules = testRules({ now: () => 9_999_999_999n });
    await refused(genuine, "ERR_MLS_LEAF_NODE", "R-7.3-8", { rules });
    await join(genuine, { rules: { ...rules, lifetime: { ...rules.lifetime, checkOnReceive: false } } });
  });

  test("has a leaf whose lifetime is too long, also where the time is not checked: the refusal names it (R-7.2-8)", async () => {
    const seconds = LIFETIME.notAfter - LIFETIME.notBefore;
    const rules = testRules({ lifetime: { maxSeconds: seconds - 1n, checkOnReceive: false } });
    await refused(genuine, "ERR_MLS_LEAF_NODE", "R-7.2-8", { rules });
    await expect(join(genuine, { rules })).rejects.toMatchObject({
      message: expect.stringContaining(`leaf 3 is valid for ${String(seconds)} seconds`) as string,
      detail: { leafIndex: 3, seconds, maxSeconds: seconds - 1n },
    });
  });
});

describe("the path secret", () => {
  test("does not lead to the tree's keys (R-12.4.3.1-15, adversarial 22)", async () => {
    const pathSecret = { pathSecret: new Uint8Array(32).fill(5) };
    await refused(await forged({ secrets: { pathSecret } }), "ERR_MLS_TREE", "R-12.4.3.1-15");
  });

  test.each([0, 1, 31, 33, 1000])("of %i bytes is refused (R-12.4.3.1-15)", async (length) => {
    const pathSecret = { pathSecret: new Uint8Array(length) };
    await refused(await forged({ secrets: { pathSecret } }), "ERR_MLS_TREE", "R-12.4.3.1-15");
  });
});

test("a path secret for nodes that are blank is refused: no path set their keys (R-12.4.3.1-15)", async () => {
  const blank = await Group.of(["ann", "ben"]);
  const ann = blank.member("ann");
  const pathSecret = { pathSecret: new Uint8Array(32).fill(5) };
  const joiner = await newcomer.keyPackage();
  await blank.commit(ann, { proposals: [{ proposalType: 1, keyPackage: joiner.keyPackage }] });
  const welcome = await forgeWelcome(ann, joiner, { secrets: { pathSecret } });
  await expect(join(welcome, { keyPackage: joiner })).rejects.toMatchObject({
    code: "ERR_MLS_TREE",
    requirement: "R-12.4.3.1-15",
    detail: { node: 3 },
  });
  await join(await forgeWelcome(ann, joiner, {}), { keyPackage: joiner });
});

test("the key of the GroupInfo is overwritten once used, also where it opens nothing", async () => {
  const used: Bytes[] = [];
  const open: typeof suite.aead.open = (key, nonce, aad, data) => {
    used.push(key, nonce);
    return suite.aead.open(key, nonce, aad, data);
  };
  const watched = { ...suite, aead: { ...suite.aead, open } };
  await join(genuine, { suite: watched });
  const wrong = await forged({ secrets: { joinerSecret: new Uint8Array(32) } });
  await expect(join(wrong, { suite: watched })).rejects.toMatchObject({ code: "ERR_MLS_AEAD" });
  expect(used).toHaveLength(4);
  expect(used.flatMap((bytes) => [...bytes]).every((byte) => byte === 0)).toBe(true);
});

test("a Welcome that was changed in any byte is refused, and never more than that", async () => {
  const { encryptedGroupInfo } = genuine;
  for (let i = 0; i < encryptedGroupInfo.length; i += 97) {
    const changed = encryptedGroupInfo.map((byte, j) => (i === j ? byte ^ 0x80 : byte));
    await expect(join({ ...genuine, encryptedGroupInfo: changed })).rejects.toMatchObject({ code: "ERR_MLS_AEAD" });
  }
});

test("joining leaves the key package as it is: a last-resort one is used again after the first state erased its keys (R-10-2)", async () => {
  const [dave, host] = [await Member.create("dave"), (await Group.of(["erin"])).member("erin")];
  const made = await dave.keyPackage();
  // Of a Buffer, `slice` is no copy.
  const lastResort = { ...made, encryptionPrivateKey: Buffer.from(made.encryptionPrivateKey) };
  const before = toHex(encodeOwnKeyPackage(lastResort));
  const invite = async (): Promise<Bytes> => {
    const { staged } = await createCommit(host.state, {
      ...host,
      proposals: [{ proposalType: 1, keyPackage: lastResort.keyPackage }],
    });
    return staged.welcome ?? EMPTY;
  };
  const [first, second] = [await invite(), await invite()];
  await dave.join(first, lastResort);
  const renewed = await dave.commit();
  erase(...renewed.consumed, ...adoptCommit(dave.state, renewed.staged, dave.rules).consumed);
  expect(toHex(encodeOwnKeyPackage(lastResort))).toBe(before);
  await dave.join(second, lastResort);
  const own = [...dave.state.privateKeys.values()].map(({ privateKey }) => privateKey);
  expect(own.map(toHex)).toEqual([toHex(made.encryptionPrivateKey)]);
});
