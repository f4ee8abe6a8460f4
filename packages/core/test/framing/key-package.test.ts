/** Key packages (RFC 9420 §10), leaves that this client makes (§7.2), and GREASE (§13.5). */
import { describe, expect, test } from "vitest";
import { EMPTY, toHex } from "../../src/codec/bytes.ts";
import { decode, encode } from "../../src/codec/codec.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { requiredCapabilities, ExtensionType, makeExtension } from "../../src/extensions/extension.ts";
import { createGroup } from "../../src/group/create.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { createKeyPackage, keyPackage, verifyKeyPackage } from "../../src/framing/key-package.ts";
import { validateLeafNode } from "../../src/tree/leaf-node-validation.ts";
import { defaultCapabilities } from "../../src/extensions/capabilities.ts";
import { forgeKeyPackage } from "../support/forge-join.ts";
import { Group, LIFETIME, Member, NOW, TEST_EXTENSION, testRules } from "../support/group.ts";

const owner = await Member.create("owner");
const { suite, signer } = owner;
const isGrease = (value: number): boolean =>
  (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff) && value < 0xf000;
const options = {
  suite,
  signer,
  credential: basicCredential("owner"),
  lifetime: LIFETIME,
  capabilities: owner.capabilities,
};

describe("a new key package (R-10-1)", () => {
  test("verifies, and its leaf is valid (R-7.3-1, R-13.4-1)", async () => {
    const made = (await createKeyPackage(options)).keyPackage;
    await verifyKeyPackage(suite, made);
    await validateLeafNode(suite, owner.rules, {
      leaf: made.leafNode,
      source: "key_package",
      place: undefined,
      moment: "key_package",
      context: undefined,
      sending: true,
    });
    expect(decode(keyPackage, encode(keyPackage, made))).toEqual(made);
  });

  test("has keys of its own each time (R-10-3, R-16.6-3)", async () => {
    const made = await Promise.all(Array.from({ length: 4 }, () => createKeyPackage(options)));
    const keys = made.flatMap(({ keyPackage: { initKey, leafNode } }) => [
      toHex(initKey),
      toHex(leafNode.encryptionKey),
    ]);
    expect(new Set(keys).size).toBe(8);
  });

  test("does not list default types (R-7.2-5)", async () => {
    const { extensions, proposals } = (await createKeyPackage(options)).keyPackage.leafNode.capabilities;
    expect([...extensions, ...proposals].some((type) => type >= 1 && type <= 7)).toBe(false);
    expect(extensions).toContain(TEST_EXTENSION);
  });

  test("lists each extension that it carries (R-10-7, A-4)", async () => {
    const unlisted = [{ extensionType: 0xf00d, extensionData: EMPTY }];
    const refused = { code: "ERR_MLS_KEY_PACKAGE", requirement: "R-10-7", detail: { extensionType: 0xf00d } };
    await expect(createKeyPackage({ ...options, extensions: unlisted })).rejects.toMatchObject(refused);
    await expect(createKeyPackage({ ...options, leafExtensions: unlisted })).rejects.toMatchObject(refused);
    const listed = [
      { extensionType: TEST_EXTENSION, extensionData: EMPTY },
      { extensionType: ExtensionType.applicationId, extensionData: EMPTY },
    ];
    await createKeyPackage({ ...options, extensions: listed, leafExtensions: listed });
  });

  test("that was received with unlisted extensions of the package is lenient (A-4, R-13.4-2)", async () => {
    const { keyPackage: made } = await forgeKeyPackage(owner, {
      content: (content) => ({ ...content, extensions: [{ extensionType: 0xf00d, extensionData: EMPTY }] }),
    });
    await verifyKeyPackage(suite, made);
  });
});

test("a key package of another version or suite is refused, and says of which (R-10.1-2)", async () => {
  const good = (await createKeyPackage(options)).keyPackage;
  for (const detail of [
    { version: 2, cipherSuite: 1 },
    { version: 1, cipherSuite: 3 },
  ]) {
    await expect(verifyKeyPackage(suite, { ...good, ...detail })).rejects.toMatchObject({
      code: "ERR_MLS_VERSION",
      requirement: "R-10.1-2",
      detail,
    });
  }
});

describe("GREASE (R-10-8, R-13.5-1, R-13.5-5)", () => {
  test("in the extensions of a key package is a value that its capabilities have: OpenMLS refuses others (R-10-7)", async () => {
    for (let attempt = 0; attempt < 10; attempt++) {
      const { extensions, leafNode } = (await createKeyPackage(options)).keyPackage;
      expect(extensions.map(({ extensionType }) => isGrease(extensionType))).toEqual([true]);
      for (const { extensionType } of extensions) expect(leafNode.capabilities.extensions).toContain(extensionType);
    }
  });

  test("is in the lists that may have it, not in versions, and not in the own capabilities", async () => {
    const { leafNode, extensions } = (await createKeyPackage(options)).keyPackage;
    const { versions, ...lists } = leafNode.capabilities;
    expect(versions).toEqual([1]);
    for (const list of Object.values(lists)) expect(list.filter(isGrease)).toHaveLength(1);
    expect(extensions.filter(({ extensionType }) => isGrease(extensionType))).toHaveLength(1);
    expect(
      Object.values(defaultCapabilities([1]))
        .flat()
        .some(isGrease),
    ).toBe(false);
  });

  test("is in a GroupInfo, and never in a GroupContext (R-12.4.3-2, R-13.5-3)", async () => {
    const alice = (await Group.of(["alice"])).member("alice");
    const info = await createGroupInfo(alice.state, alice.signer);
    expect(info.extensions.some(({ extensionType }) => isGrease(extensionType))).toBe(true);
    expect(info.groupContext.extensions).toEqual([]);
  });
});

describe("a new group (R-11-3, R-11-4, R-11-5)", () => {
  const creation = { ...options, rules: owner.rules };

  test("has one member, epoch 0, a random id and fresh secrets", async () => {
    const [one, two] = [await createGroup(creation), await createGroup(creation)];
    expect(one.context).toMatchObject({ epoch: 0n, version: 1, cipherSuite: 1 });
    expect(one.tree.leafCount).toBe(1);
    expect(one.context.treeHash).toEqual(one.tree.treeHash(suite.hash));
    expect(one.context.groupId).toHaveLength(32);
    expect(one.context.groupId).not.toEqual(two.context.groupId);
    const secrets = new Set([one, two].flatMap((state) => Object.values(state.secrets).map(toHex)));
    expect(secrets.size).toBe(16);
  });

  test("needs a leaf that is valid in it (R-7.3-4, R-7.3-7, R-13.4-4, R-5.3.1-1)", async () => {
    const required = makeExtension(ExtensionType.requiredCapabilities, requiredCapabilities, {
      extensionTypes: [0xf00d],
      proposalTypes: [],
      credentialTypes: [],
    });
    const past = { notBefore: 0n, notAfter: NOW - 1n };
    const refusing = testRules({ authentication: { validate: () => Promise.reject(new Error("who?")) } });
    for (const [change, expected] of [
      [{ extensions: [required] }, { code: "ERR_MLS_CAPABILITIES", requirement: "R-7.3-4" }],
      [
        { extensions: [{ extensionType: 0xf00d, extensionData: EMPTY }] },
        { code: "ERR_MLS_CAPABILITIES", requirement: "R-13.4-4" },
      ],
      [{ lifetime: { ...past, notBefore: NOW - 10n } }, { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-7" }],
      [{ rules: refusing }, { code: "ERR_MLS_CREDENTIAL", requirement: "R-5.3.1-1" }],
    ] as const) {
      await expect(createGroup({ ...creation, ...change })).rejects.toMatchObject(expected);
    }
  });

  test("works in the other suites' sizes too (R-5.1-1, R-17.1-2)", async () => {
    for (const id of [2, 5]) {
      const other = await Member.create("owner", { suite: await getCipherSuite(id) });
      await other.found();
      expect(other.state.context.cipherSuite).toBe(id);
      expect(other.state.secrets.initSecret).toHaveLength(other.suite.hash.Nh);
    }
  });
});
