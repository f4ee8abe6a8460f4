/** The post-quantum suites (draft-ietf-mls-pq-ciphersuites-06): their numbers, and what their primitives refuse. */
import { describe, expect, test } from "vitest";
import { type Bytes, concat, utf8 } from "../../src/codec/bytes.ts";
import { type CipherSuite, getCipherSuite, SUPPORTED_CIPHER_SUITES } from "../../src/crypto/cipher-suite.ts";
import { decryptWithLabel, encryptWithLabel } from "../../src/crypto/labels.ts";
import { PQ_CODE_POINTS, type PqCipherSuite, registerPqCipherSuites } from "../../src/drafts/pq.ts";
import { defaultCapabilities } from "../../src/extensions/capabilities.ts";
import { decodeMessageOf } from "../../src/framing/mls-message.ts";
import { joinGroup } from "../../src/group/join.ts";
import { createApplicationMessage } from "../../src/group/send.ts";
import { encodeOwnKeyPackage } from "../../src/group/serialise.ts";
import type { UpdatePath } from "../../src/tree/update-path.ts";
import { editNode, forgeCommit } from "../support/forge-commit.ts";
import { forgeKeyPackage } from "../support/forge-join.ts";
import { ML_DSA_SIGNATURES } from "../support/edges/ml-dsa.ts";
import { judgeSignature } from "../support/edges/verdicts.ts";
import { expectForgeryRefused, expectRefusal, Group, Member } from "../support/group.ts";

const NAMES = Object.keys(PQ_CODE_POINTS) as PqCipherSuite[];
registerPqCipherSuites();

const suiteOf = (name: PqCipherSuite): Promise<CipherSuite> => getCipherSuite(PQ_CODE_POINTS[name]);

describe("numbers", () => {
  test("Q-3.1-2: none is assigned, so that all are for private use; nothing is advertised unasked", () => {
    expect(NAMES).toHaveLength(11);
    expect(Object.values(PQ_CODE_POINTS).every((id) => id >= 0xf000 && id <= 0xffff)).toBe(true);
    expect(SUPPORTED_CIPHER_SUITES).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(defaultCapabilities([1, 2]).cipherSuites.filter((id) => Object.values(PQ_CODE_POINTS).includes(id))).toEqual(
      [],
    );
  });

  test("Q-3.1-2: an application may choose others, and the same again changes nothing", async () => {
    const name = "MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519";
    expect(registerPqCipherSuites()).toEqual(Object.values(PQ_CODE_POINTS));
    expect(registerPqCipherSuites({ [name]: 0xf3a1 })).toEqual([0xf3a1]);
    expect(await getCipherSuite(0xf3a1)).toMatchObject({ id: 0xf3a1, name });
    expect(await suiteOf(name)).toMatchObject({ id: PQ_CODE_POINTS[name], name });
  });

  test.each([
    ["a suite of RFC 9420", 0x0001],
    ["another suite of the draft", PQ_CODE_POINTS.MLS_192_MLKEM1024_AES256GCM_SHA384_P384],
    ["GREASE", 0x1a1a],
    ["the reserved value", 0],
    ["no uint16", 0x1_0000],
    ["no integer", 1.5],
  ])("Q-3.1-3: a number of %s is refused, and nothing is added", async (_, id) => {
    const other = 0xf3b1;
    expect(() =>
      registerPqCipherSuites({
        MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519: other,
        MLS_256_MLKEM1024_AES256GCM_SHA384_MLDSA87: id,
      }),
    ).toThrow(RangeError);
    await expect(getCipherSuite(other)).rejects.toMatchObject({ code: "ERR_MLS_VERSION" });
  });

  test("Q-3.1-3: one number for two suites, and a name that is none, are refused", async () => {
    const twice = {
      MLS_128_MLKEM768_AES256GCM_SHA384_P256: 0xf3c1,
      MLS_128_MLKEM768_AES256GCM_SHA384_Ed25519: 0xf3c1,
    };
    expect(() => registerPqCipherSuites(twice)).toThrow(RangeError);
    expect(() => registerPqCipherSuites({ MLS_128_SIKE: 0xf3c1 } as Record<string, number>)).toThrow(TypeError);
    expect(() => registerPqCipherSuites({ toString: 0xf3c1 } as Record<string, number>)).toThrow(TypeError);
    await expect(getCipherSuite(0xf3c1)).rejects.toMatchObject({ code: "ERR_MLS_VERSION" });
  });
});

/** Lengths in bytes: public key, KEM output and private key of the KEM (draft-ietf-hpke-pq §8), public key and signature. */
const LENGTHS: Readonly<Record<PqCipherSuite, readonly [number, number, number, number]>> = {
  MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519: [1216, 1120, 32, 32],
  MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519: [1216, 1120, 32, 32],
  MLS_128_MLKEM768P256_AES128GCM_SHA256_P256: [1249, 1153, 32, 65],
  MLS_128_MLKEM768P256_AES256GCM_SHA384_P256: [1249, 1153, 32, 65],
  MLS_192_MLKEM1024P384_AES256GCM_SHA384_P384: [1665, 1665, 32, 97],
  MLS_128_MLKEM768_AES256GCM_SHA384_Ed25519: [1184, 1088, 64, 32],
  MLS_128_MLKEM768_AES256GCM_SHA384_P256: [1184, 1088, 64, 65],
  MLS_192_MLKEM1024_AES256GCM_SHA384_P384: [1568, 1568, 64, 97],
  MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44: [1216, 1120, 32, 1312],
  MLS_192_MLKEM768_AES256GCM_SHA384_MLDSA65: [1184, 1088, 64, 1952],
  MLS_256_MLKEM1024_AES256GCM_SHA384_MLDSA87: [1568, 1568, 64, 2592],
};

const flip = (bytes: Bytes, index: number): Bytes => bytes.map((byte, i) => (i === index ? byte ^ 1 : byte));

/** With the first coefficient of the lattice half at the modulus 3329 = 0xd01, or the second. */
const atModulus = (key: Bytes, second = false): Bytes =>
  key.map((byte, i) => {
    if (second) return [byte, 0x10 | (byte & 0x0f), 0xd0][i] ?? byte;
    return [0x01, 0x0d | (byte & 0xf0)][i] ?? byte;
  });

describe.each(NAMES)("%s", (name) => {
  test("Q-3.1-1, Q-2-7: key, output and secrets have the lengths of the draft's row", async () => {
    const suite = await suiteOf(name);
    const keys = await suite.hpke.generateKeyPair();
    const { kemOutput } = await suite.hpke.sendExport(keys.publicKey, utf8("context"), 32);
    const signing = await suite.signature.generateKeyPair();
    const lengths = [keys.publicKey, kemOutput, keys.privateKey, signing.publicKey].map(({ length }) => length);
    expect(lengths).toEqual(LENGTHS[name]);
    expect([suite.hpke.Npk, suite.hpke.Nsk, suite.hash.Nh, suite.aead.Nk]).toEqual([
      ...[LENGTHS[name][0], LENGTHS[name][2]],
      ...[name.includes("SHA256") ? 32 : 48, name.includes("AES128") ? 16 : 32],
    ]);
    expect(suite.signature.publicKeyLength).toBe(LENGTHS[name][3]);
  });

  test("Q-2-2: public keys of the wrong length, or that fail the modulus check, are refused", async () => {
    const { hpke } = await suiteOf(name);
    const { publicKey } = await hpke.generateKeyPair();
    await hpke.validatePublicKey(publicKey);
    const refusal = { code: "ERR_MLS_CRYPTO", requirement: "R-5.1.1-3", cause: { requirement: "Q-2-2" } };
    for (const bad of [
      publicKey.subarray(1),
      concat(publicKey, Uint8Array.of(0)),
      atModulus(publicKey),
      atModulus(publicKey, true),
      publicKey.map((byte, i) => (i < 384 ? 0xff : byte)),
    ]) {
      await expect(hpke.validatePublicKey(bad)).rejects.toMatchObject(refusal);
      await expect(hpke.sealer(utf8("info"))(bad, utf8("plaintext"))).rejects.toMatchObject(refusal);
    }
  });

  test("Q-2-3, Q-2-5: an output of the wrong length, or that was changed, opens nothing", async () => {
    const suite = await suiteOf(name);
    const keys = await suite.hpke.generateKeyPair();
    const [label, context, plaintext] = ["Welcome", utf8("context"), utf8("plaintext")];
    const sealed = await encryptWithLabel(suite, label, context)(keys.publicKey, plaintext);
    expect(await decryptWithLabel(suite, { keys, label, context, sealed })).toEqual(plaintext);
    const { kemOutput } = sealed;
    const open = (changed: Bytes): Promise<Bytes> =>
      decryptWithLabel(suite, { keys, label, context, sealed: { ...sealed, kemOutput: changed } });
    const refusal = { code: "ERR_MLS_AEAD", requirement: "R-5.1.3-2" };
    for (const bad of [kemOutput.subarray(1), concat(kemOutput, Uint8Array.of(0)), new Uint8Array(0)]) {
      await expect(open(bad)).rejects.toMatchObject({ ...refusal, cause: { requirement: "Q-2-3" } });
    }
    // The lattice half rejects implicitly: it yields another secret, which the AEAD refuses.
    const rejected = { ...refusal, cause: { code: "ERR_MLS_AEAD", requirement: undefined } };
    for (const index of [0, 500, 1087]) await expect(open(flip(kemOutput, index))).rejects.toMatchObject(rejected);
  });
});

describe.each(NAMES.filter((name) => !name.includes("MLKEM768_") && !name.includes("MLKEM1024_")))("%s", (name) => {
  test("Q-2-4: the curve's half of a key and of an output is checked, too", async () => {
    const suite = await suiteOf(name);
    const keys = await suite.hpke.generateKeyPair();
    const Nek = name.includes("MLKEM1024") ? 1568 : 1184;
    // Of small order, or not on the curve.
    const badKey = concat(keys.publicKey.subarray(0, Nek), new Uint8Array(keys.publicKey.length - Nek));
    await expect(suite.hpke.validatePublicKey(badKey)).rejects.toMatchObject({ code: "ERR_MLS_CRYPTO" });
    const { kemOutput } = await suite.hpke.sendExport(keys.publicKey, utf8("context"), 32);
    const Nct = name.includes("MLKEM1024") ? 1568 : 1088;
    const bad = concat(kemOutput.subarray(0, Nct), new Uint8Array(kemOutput.length - Nct));
    await expect(suite.hpke.receiveExport(keys, bad, utf8("context"), 32)).rejects.toMatchObject({
      ...{ code: "ERR_MLS_AEAD", cause: { requirement: "Q-2-3" } },
    });
  });
});

describe.each([
  ["MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44", 2420],
  ["MLS_192_MLKEM768_AES256GCM_SHA384_MLDSA65", 3309],
  ["MLS_256_MLKEM1024_AES256GCM_SHA384_MLDSA87", 4627],
] as const)("%s", (name, length) => {
  test("Q-2-6: signatures and keys of the wrong length, and changed ones, do not verify", async () => {
    const { signature: scheme } = await suiteOf(name);
    const { privateKey, publicKey } = await scheme.generateKeyPair();
    const signer = await scheme.importSigner(privateKey);
    expect(signer.publicKey).toEqual(publicKey);
    const message = utf8("message");
    const signature = await signer.sign(message);
    expect(signature).toHaveLength(length);
    expect(await scheme.verify(publicKey, message, signature)).toBe(true);
    for (const bad of [
      signature.subarray(1),
      concat(signature, Uint8Array.of(0)),
      new Uint8Array(0),
      flip(signature, 0),
      flip(signature, length - 1),
      new Uint8Array(length).fill(0xff),
    ]) {
      expect(await scheme.verify(publicKey, message, bad)).toBe(false);
    }
    expect(await scheme.verify(publicKey, utf8("another"), signature)).toBe(false);
    expect(await scheme.verify(flip(publicKey, 40), message, signature)).toBe(false);
    for (const bad of [publicKey.subarray(1), concat(publicKey, Uint8Array.of(0))]) {
      expect(scheme.isPublicKey(bad)).toBe(false);
      expect(await scheme.verify(bad, message, signature)).toBe(false);
    }
    await expect(scheme.importSigner(privateKey.subarray(1))).rejects.toMatchObject({ code: "ERR_MLS_CRYPTO" });
  });
});

test.each(ML_DSA_SIGNATURES)("Q-2-6: a signature of suite $suite $title has one verdict", async (edge) => {
  expect(await judgeSignature(await getCipherSuite(edge.suite), edge)).toBe(edge.valid);
});

describe.each([
  "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",
  "MLS_192_MLKEM768_AES256GCM_SHA384_MLDSA65",
] as const)("a group with %s", (name) => {
  const changed = (index: number) => (path: UpdatePath) =>
    editNode(path, 0, (node) => ({
      ...node,
      encryptedPathSecret: node.encryptedPathSecret.map(({ kemOutput, ciphertext }) => ({
        ...{ kemOutput: flip(kemOutput, index), ciphertext },
      })),
    }));

  test("Q-2-5: a path secret under another KEM output is refused, and nothing is consumed", async () => {
    const group = await Group.of(["alice", "bob"], { suite: await suiteOf(name) });
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const genuine = (await alice.commit()).staged.commit;
    const { message } = await forgeCommit(alice, { path: changed(700) });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_AEAD", requirement: "R-5.1.3-2" }, genuine);
  });

  test("Q-2-5: a Welcome with another KEM output is refused, and the key package still joins", async () => {
    const group = await Group.of(["alice"], { suite: await suiteOf(name) });
    const alice = group.member("alice");
    const bob = await Member.create("bob", { suite: alice.suite });
    const own = await bob.keyPackage();
    const made = await alice.commit({ proposals: [{ proposalType: 1, keyPackage: own.keyPackage }] });
    const { welcome: bytes } = made.staged;
    if (bytes === undefined) throw new Error("there is a Welcome");
    const { welcome } = decodeMessageOf("mls_welcome", bytes);
    const forged = {
      ...welcome,
      secrets: welcome.secrets.map((entry) => ({
        ...entry,
        encryptedGroupSecrets: {
          ...entry.encryptedGroupSecrets,
          kemOutput: flip(entry.encryptedGroupSecrets.kemOutput, 3),
        },
      })),
    };
    const before = encodeOwnKeyPackage(own);
    const joining = joinGroup(forged, { suite: bob.suite, rules: bob.rules, keyPackage: own });
    await expect(joining).rejects.toMatchObject({ code: "ERR_MLS_AEAD", requirement: "R-5.1.3-2" });
    expect(encodeOwnKeyPackage(own)).toEqual(before);
    await bob.join(bytes, own);
  });

  test("Q-2-2: leaves, init keys and paths whose keys fail the modulus check are refused", async () => {
    const group = await Group.of(["alice", "bob"], { suite: await suiteOf(name) });
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const carol = await Member.create("carol", { suite: alice.suite });
    const badLeaf = await forgeKeyPackage(carol, {
      leaf: (leaf) => ({ ...leaf, encryptionKey: atModulus(leaf.encryptionKey) }),
    });
    const badInit = await forgeKeyPackage(carol, {
      content: (content) => ({ ...content, initKey: atModulus(content.initKey) }),
    });
    const refused = [
      ["ERR_MLS_LEAF_NODE", badLeaf],
      ["ERR_MLS_KEY_PACKAGE", badInit],
    ] as const;
    for (const [code, { keyPackage }] of refused) {
      await expectRefusal(alice, { code }, () => alice.commit({ proposals: [{ proposalType: 1, keyPackage }] }));
    }
    const genuine = (await alice.commit()).staged.commit;
    const { publicKey } = await alice.suite.hpke.generateKeyPair();
    const { message } = await forgeCommit(alice, { nodeKeys: [atModulus(publicKey)] });
    await expectForgeryRefused(bob, message, { code: "ERR_MLS_UPDATE_PATH" }, genuine);
  });

  test("Q-2-6: a signature of the wrong length, or a changed one, is refused, and nothing is consumed", async () => {
    const group = await Group.of(["alice", "bob"], { suite: await suiteOf(name) });
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const genuine = await alice.send("genuine");
    const edits: ((signature: Uint8Array) => Bytes)[] = [
      (signature) => new Uint8Array(signature.subarray(1)),
      (signature) => concat(signature, Uint8Array.of(0)),
      (signature) => flip(new Uint8Array(signature), 9),
    ];
    for (const edit of edits) {
      const { publicKey, sign } = alice.signer;
      const signer = { publicKey, sign: async (message: Bytes) => edit(await sign(message)) };
      const { message } = await createApplicationMessage(alice.state, utf8("forged"), { rules: alice.rules, signer });
      await expectForgeryRefused(bob, message, { code: "ERR_MLS_SIGNATURE" }, genuine);
    }
  });
});
