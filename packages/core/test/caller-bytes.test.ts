/**
 * Bytes from callers (adversarial 55, adversarial 56): a string, an array or an ArrayBuffer is refused and does not become other
 * bytes; every Uint8Array is taken, of another realm too; and what the caller does to it later changes nothing.
 */
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import * as mls from "../src/index.ts";
import { Group, LIFETIME, Member, NOW, TEST_EXTENSION, testRules } from "./support/group.ts";

type Anything = never;

const group = await Group.of(["alice", "bob"]);
const [alice, bob] = [group.member("alice"), group.member("bob")];
const { suite, rules, signer } = alice;
const capabilities = mls.defaultCapabilities([1], { extensions: [TEST_EXTENSION] });
const identity = { suite, rules, signer, capabilities, credential: mls.basicCredential("alice"), lifetime: LIFETIME };
const carol = await Member.create("carol");
const carols = await carol.keyPackage();
const inviting = await mls.createCommit(alice.state, {
  ...{ rules, signer, treeInWelcome: false },
  proposals: [{ proposalType: 1, keyPackage: carols.keyPackage }],
});
const encodedTree = mls.exportRatchetTree(inviting.staged.next);
const welcome = inviting.staged.welcome ?? new Uint8Array(0);
const info = await mls.createGroupInfo(alice.state, signer);
const infoWithoutTree = await mls.createGroupInfo(alice.state, signer, { tree: false });
const observer = await mls.observeGroup(info, { suite, rules });
const publicCommit = (await mls.createCommit(alice.state, { rules, signer, wireFormat: "mls_public_message" })).staged;
const message = (await mls.createApplicationMessage(alice.state, mls.utf8("hello"), { rules, signer })).message;
const keys = await suite.signature.generateKeyPair();
const signature = await (await suite.signature.importSigner(keys.privateKey)).sign(mls.utf8("signed"));
const pskId = mls.utf8("a psk");
const psk = { pskType: "external", pskId, pskNonce: new Uint8Array(32) } as const;
const withPsk = (value: Uint8Array): mls.Rules => testRules({ findPsk: () => Promise.resolve(value) });

/** Every way to hand in bytes: what is named in a refusal, bytes that are accepted, and the call. */
const WAYS: readonly (readonly [way: string, named: string, good: Uint8Array, (bytes: Anything) => unknown])[] = [
  ["concat", "each part", mls.utf8("x"), (bytes) => mls.concat(mls.utf8("y"), bytes)],
  ["equalBytes, first", "a", mls.utf8("x"), (bytes) => mls.equalBytes(bytes, mls.utf8("x"))],
  ["equalBytes, second", "b", mls.utf8("x"), (bytes) => mls.equalBytes(mls.utf8("x"), bytes)],
  ["equalConstantTime, first", "a", mls.utf8("x"), (bytes) => mls.equalConstantTime(bytes, mls.utf8("x"))],
  ["equalConstantTime, second", "b", mls.utf8("x"), (bytes) => mls.equalConstantTime(mls.utf8("x"), bytes)],
  ["erase", "each secret", new Uint8Array(3), (bytes) => mls.erase(bytes)],
  ["toHex", "bytes", mls.utf8("x"), (bytes) => mls.toHex(bytes)],
  ["codec.encode", "a byte string", mls.utf8("x"), (bytes) => mls.codec.encode(mls.codec.opaque, bytes)],
  ["codec.encode of a fixed length", "a byte string", mls.utf8("abc"), (b) => mls.codec.encode(mls.codec.fixed(3), b)],
  ["codec.decode", "what is decoded", Uint8Array.of(0), (bytes) => mls.codec.decode(mls.codec.opaque, bytes)],
  ["decodeMessage", "what is decoded", message, (bytes) => mls.decodeMessage(bytes)],
  ["decodeMessageOf", "what is decoded", message, (bytes) => mls.decodeMessageOf("mls_private_message", bytes)],
  ["decodeGroupState", "what is decoded", mls.encodeGroupState(bob.state), (bytes) => mls.decodeGroupState(bytes)],
  [
    "decodeStagedCommit",
    "what is decoded",
    mls.encodeStagedCommit(inviting.state, inviting.staged, rules),
    (bytes) => mls.decodeStagedCommit(inviting.state, bytes),
  ],
  [
    "decodeOwnKeyPackage",
    "what is decoded",
    mls.encodeOwnKeyPackage(carols),
    (bytes) => mls.decodeOwnKeyPackage(suite, bytes),
  ],
  ["processMessage", "message", message, (bytes) => mls.processMessage(bob.state, bytes, { rules })],
  ["openMany", "message", message, (bytes) => mls.openMany(bob.state, [bytes], { rules })],
  ["observeMessage", "message", publicCommit.commit, (bytes) => mls.observeMessage(observer, bytes, { rules })],
  [
    "observeGroup",
    "groupInfo",
    mls.encodeMessage({ wireFormat: "mls_group_info", groupInfo: info }),
    (bytes) => mls.observeGroup(bytes, { suite, rules }),
  ],
  [
    "observeGroup with a tree",
    "ratchetTree",
    mls.exportRatchetTree(alice.state),
    (ratchetTree) => mls.observeGroup(infoWithoutTree, { suite, rules, ratchetTree }),
  ],
  ["findWelcomed", "welcome", welcome, (bytes) => mls.findWelcomed(bytes, [carols])],
  [
    "joinGroup",
    "welcome",
    welcome,
    (bytes) => mls.joinGroup(bytes, { suite, rules, keyPackage: carols, ratchetTree: encodedTree }),
  ],
  [
    "joinGroup with a tree",
    "ratchetTree",
    encodedTree,
    (ratchetTree) => mls.joinGroup(welcome, { suite, rules, keyPackage: carols, ratchetTree }),
  ],
  [
    "createExternalCommit",
    "groupInfo",
    mls.encodeMessage({ wireFormat: "mls_group_info", groupInfo: info }),
    (bytes) => mls.createExternalCommit(bytes, { ...identity, signer: carol.signer }),
  ],
  [
    "createExternalCommit with a tree",
    "ratchetTree",
    mls.exportRatchetTree(alice.state),
    (ratchetTree) => mls.createExternalCommit(infoWithoutTree, { ...identity, signer: carol.signer, ratchetTree }),
  ],
  [
    "createExternalCommit with a PSK",
    "psk",
    mls.utf8("value"),
    (value) => mls.createExternalCommit(info, { ...identity, signer: carol.signer, psks: [{ pskId, psk: value }] }),
  ],
  [
    "createExternalCommit with the id of a PSK",
    "pskId",
    pskId,
    (id) => mls.createExternalCommit(info, { ...identity, signer: carol.signer, psks: [{ pskId: id, psk: pskId }] }),
  ],
  [
    "exportSecret",
    "context",
    mls.utf8("x"),
    (context) => mls.exportSecret(bob.state, { label: "l", context, length: 9 }),
  ],
  [
    "createApplicationMessage",
    "applicationData",
    mls.utf8("hello"),
    (data) => mls.createApplicationMessage(alice.state, data, { rules, signer }),
  ],
  [
    "createApplicationMessage with data in clear",
    "authenticatedData",
    mls.utf8("clear"),
    (authenticatedData) =>
      mls.createApplicationMessage(alice.state, mls.utf8("hello"), { rules, signer, authenticatedData }),
  ],
  [
    "createProposal with data in clear",
    "authenticatedData",
    mls.utf8("clear"),
    (authenticatedData) =>
      mls.createProposal(alice.state, { proposalType: 3, removed: 1 }, { rules, signer, authenticatedData }),
  ],
  [
    "createProposal of a ReInit",
    "a byte string",
    mls.utf8("next"),
    (groupId) =>
      mls.createProposal(
        alice.state,
        { proposalType: 5, groupId, version: 1, cipherSuite: 1, extensions: [] },
        { rules, signer },
      ),
  ],
  [
    "createCommit with data in clear",
    "authenticatedData",
    mls.utf8("clear"),
    (authenticatedData) => mls.createCommit(alice.state, { rules, signer, authenticatedData }),
  ],
  [
    "createCommit of an extension",
    "a byte string",
    mls.utf8("data"),
    (extensionData) =>
      mls.createCommit(alice.state, {
        ...{ rules, signer },
        proposals: [{ proposalType: 7, extensions: [{ extensionType: TEST_EXTENSION, extensionData }] }],
      }),
  ],
  [
    "createCommit of a credential",
    "a byte string",
    mls.utf8("alice"),
    (name) =>
      mls.createCommit(alice.state, { rules, signer, leaf: { credential: { credentialType: 1, identity: name } } }),
  ],
  [
    "createCommit with a PSK that the application finds",
    "the value of a pre-shared key",
    mls.utf8("value"),
    (value) => mls.createCommit(alice.state, { rules: withPsk(value), signer, proposals: [{ proposalType: 4, psk }] }),
  ],
  [
    "a signer's signature",
    "what the signer returns",
    new Uint8Array(64),
    (signed) => mls.createCommit(alice.state, { rules, signer: { ...signer, sign: () => Promise.resolve(signed) } }),
  ],
  ["createGroup", "groupId", mls.utf8("group"), (groupId) => mls.createGroup({ ...identity, groupId })],
  [
    "createGroup with an extension",
    "a byte string",
    mls.utf8("data"),
    (data) => mls.createGroup({ ...identity, extensions: [{ extensionType: TEST_EXTENSION, extensionData: data }] }),
  ],
  [
    "createGroup with a leaf extension",
    "a byte string",
    mls.utf8("data"),
    (data) =>
      mls.createGroup({ ...identity, leafExtensions: [{ extensionType: TEST_EXTENSION, extensionData: data }] }),
  ],
  [
    "branchGroup",
    "groupId",
    mls.utf8("group"),
    async (groupId) =>
      mls.branchGroup(alice.state, { ...identity, groupId, keyPackages: [(await bob.keyPackage()).keyPackage] }),
  ],
  ["basicCredential", "identity", mls.utf8("alice"), (bytes) => mls.basicCredential(bytes)],
  [
    "sameCredential",
    "a byte string",
    mls.utf8("alice"),
    (name) => mls.sameCredential({ credentialType: 1, identity: name }, mls.basicCredential("alice")),
  ],
  [
    "createKeyPackage of a credential",
    "a byte string",
    mls.utf8("alice"),
    (name) => mls.createKeyPackage({ ...identity, credential: { credentialType: 1, identity: name } }),
  ],
  [
    "createKeyPackage with a signer's key",
    "publicKey",
    signer.publicKey,
    (publicKey) => mls.createKeyPackage({ ...identity, signer: { ...signer, publicKey } }),
  ],
  [
    "createKeyPackage with an extension",
    "a byte string",
    mls.utf8("data"),
    (data) =>
      mls.createKeyPackage({ ...identity, extensions: [{ extensionType: TEST_EXTENSION, extensionData: data }] }),
  ],
  [
    "makeExtension",
    "a byte string",
    signer.publicKey,
    (signatureKey) =>
      mls.makeExtension(mls.ExtensionType.externalSenders, mls.externalSenders, [
        { signatureKey, credential: mls.basicCredential("server") },
      ]),
  ],
  [
    "createNewMemberProposal with data in clear",
    "authenticatedData",
    mls.utf8("clear"),
    (authenticatedData) =>
      mls.createNewMemberProposal(alice.state.context, carols.keyPackage, { signer: carol.signer, authenticatedData }),
  ],
  ["importSigner", "privateKey", keys.privateKey, (key) => suite.signature.importSigner(key)],
  [
    "sign",
    "message",
    mls.utf8("signed"),
    async (bytes) => (await suite.signature.importSigner(keys.privateKey)).sign(bytes),
  ],
  ["verify, the key", "publicKey", keys.publicKey, (key) => suite.signature.verify(key, mls.utf8("signed"), signature)],
  [
    "verify, the message",
    "message",
    mls.utf8("signed"),
    (bytes) => suite.signature.verify(keys.publicKey, bytes, signature),
  ],
  [
    "verify, the signature",
    "signature",
    signature,
    (b) => suite.signature.verify(keys.publicKey, mls.utf8("signed"), b),
  ],
  ["isPublicKey", "publicKey", keys.publicKey, (bytes) => suite.signature.isPublicKey(bytes)],
];

const foreign = (bytes: Uint8Array): Uint8Array => {
  const made = runInNewContext("(values) => Uint8Array.from(values)") as (values: number[]) => Uint8Array;
  return made([...bytes]);
};

describe.each(WAYS)("%s", (_, named, good, call) => {
  test.each([
    ["a string", "hello"],
    ["an array", [1, 2, 3]],
    ["an ArrayBuffer", new ArrayBuffer(5)],
    ["another typed array", new Uint16Array(5)],
    ["a number", 5],
    ["null", null],
  ])("refuses %s by name", async (kind, value) => {
    if (named === "identity" && kind === "a string")
      return expect(mls.basicCredential("hello").identity).toHaveLength(5);
    const attempt = async (): Promise<unknown> => call(value as Anything);
    await expect(attempt()).rejects.toThrow(TypeError);
    await expect(attempt()).rejects.toThrow(`${named} must be a Uint8Array`);
  });

  test.each([
    ["a Buffer", (bytes: Uint8Array) => Buffer.from(bytes)],
    ["a Uint8Array of another realm", foreign],
    ["memory that threads share", shared],
  ])("takes %s", async (_kind, make) => {
    await call(make(good) as Anything);
  });
});

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

test("random bytes, also more than the platform gives at once", () => {
  expect(mls.randomBytes(65_537)).toHaveLength(65_537);
});

describe("what the caller does to its buffers afterwards changes nothing", () => {
  const stateOf = async (made: {
    readonly state: mls.GroupState;
    readonly staged: mls.StagedCommit;
  }): Promise<string> => mls.toHex(mls.encodeGroupState(mls.adoptCommit(made.state, made.staged, rules).state));

  test.each([
    [
      "an extension",
      (bytes: Uint8Array) => ({ extensions: [{ extensionType: TEST_EXTENSION, extensionData: bytes }] }),
    ],
    ["a credential", (bytes: Uint8Array) => ({ credential: { credentialType: 1, identity: bytes } as const })],
  ])("of %s of the own leaf", async (_, leaf) => {
    const bytes = Buffer.from("alice");
    const made = await mls.createCommit(alice.state, { rules, signer, leaf: leaf(bytes) });
    const before = await stateOf(made);
    bytes.fill(9);
    expect(await stateOf(made)).toBe(before);
  });

  test("of the proposals that are committed or sent", async () => {
    const [groupId, extensionData] = [Buffer.from("next"), Buffer.from("data")];
    const reinit = { proposalType: 5, groupId, version: 1, cipherSuite: 1, extensions: [] } as const;
    const extensions = [{ extensionType: TEST_EXTENSION, extensionData }];
    const closing = await mls.createCommit(alice.state, { rules, signer, proposals: [reinit] });
    const changing = await mls.createCommit(alice.state, {
      ...{ rules, signer },
      proposals: [{ proposalType: 7, extensions }],
    });
    const sent = await mls.createProposal(alice.state, { proposalType: 7, extensions }, { rules, signer });
    const before = [await stateOf(closing), await stateOf(changing), mls.toHex(mls.encodeGroupState(sent.state))];
    groupId.fill(9);
    extensionData.fill(9);
    expect([await stateOf(closing), await stateOf(changing), mls.toHex(mls.encodeGroupState(sent.state))]).toEqual(
      before,
    );
  });

  test("of what a group is founded with", async () => {
    const [groupId, data] = [Buffer.from("group"), Buffer.from("data")];
    const extensions = [{ extensionType: TEST_EXTENSION, extensionData: data }];
    const state = await mls.createGroup({ ...identity, groupId, extensions, leafExtensions: extensions });
    const before = mls.toHex(mls.encodeGroupState(state));
    groupId.fill(9);
    data.fill(9);
    expect(mls.toHex(mls.encodeGroupState(state))).toBe(before);
  });

  test("of a key package's identity and extensions", async () => {
    const [name, data] = [Buffer.from("alice"), Buffer.from("data")];
    const extensions = [{ extensionType: TEST_EXTENSION, extensionData: data }];
    const made = await mls.createKeyPackage({
      ...{ ...identity, extensions, leafExtensions: extensions },
      credential: { credentialType: 1, identity: name },
    });
    name.fill(9);
    data.fill(9);
    await mls.verifyKeyPackage(suite, made.keyPackage);
    expect(made.keyPackage.leafNode.credential).toEqual(mls.basicCredential("alice"));
    expect(NOW).toBeGreaterThan(LIFETIME.notBefore);
  });
});
