/** Where an algorithm comes from makes no difference: platforms with and without Node's functions, the curves and WebAssembly. */
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, EMPTY, utf8 } from "../../src/codec/bytes.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { decryptWithLabel, encryptWithLabel } from "../../src/crypto/labels.ts";
import { ed25519OnNode, x25519OnNode } from "../../src/crypto/node-25519.ts";
import type { NodeCrypto } from "../../src/crypto/platform.ts";
import { nodeCrypto, unshared } from "../../src/crypto/platform.ts";
import { at } from "../support/group.ts";
import { PLATFORMS, suiteWhere } from "../support/platforms.ts";

const nodeFunctions = nodeCrypto();
if (nodeFunctions === undefined) throw new Error("tests run on Node");

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const PAIRS = [1, 3].flatMap((id) => PLATFORMS.flatMap((a) => PLATFORMS.map((b) => [id, a, b] as const)));

describe.each(PAIRS)("suite %i between %s and %s", (id, a, b) => {
  test("encryption, export and derived keys (R-5.1-3, R-5.1.3-1)", async () => {
    const [sender, receiver] = [await suiteWhere(id, a), await suiteWhere(id, b)];
    const keys = await receiver.hpke.generateKeyPair();
    expect([keys.publicKey.length, keys.privateKey.length]).toEqual([32, 32]);
    const [label, context, plaintext] = ["Welcome", utf8("context"), utf8("plaintext")];
    const sealed = await encryptWithLabel(sender, label, context)(keys.publicKey, plaintext);
    expect(await decryptWithLabel(receiver, { keys, label, context, sealed })).toEqual(plaintext);
    const { kemOutput, secret } = await sender.hpke.sendExport(keys.publicKey, context, 32);
    expect(await receiver.hpke.receiveExport(keys, kemOutput, context, 32)).toEqual(secret);
    const seed = new Uint8Array(32).fill(9);
    expect(await sender.hpke.deriveKeyPair(seed)).toEqual(await receiver.hpke.deriveKeyPair(seed));
  });

  test("signatures; what is none is refused (R-5.1.2-4)", async () => {
    const [signing, verifying] = [await suiteWhere(id, a), await suiteWhere(id, b)];
    const { privateKey, publicKey } = await signing.signature.generateKeyPair();
    const signer = await (await suiteWhere(id, b)).signature.importSigner(privateKey);
    expect(signer.publicKey).toEqual(publicKey);
    const message = utf8("message");
    const signature = await signer.sign(message);
    const verify = (key: Bytes, signed: Bytes): Promise<boolean> => verifying.signature.verify(key, message, signed);
    expect(await verify(publicKey, signature)).toBe(true);
    expect(
      await verify(
        publicKey,
        signature.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
      ),
    ).toBe(false);
    expect(await verify(publicKey, signature.slice(1))).toBe(false);
    expect(await verify(publicKey, EMPTY)).toBe(false);
    expect(await verify(concat(publicKey, Uint8Array.of(0)), signature)).toBe(false);
    // Not a point of the curve, though of the right length.
    expect(await verify(new Uint8Array(32).fill(2), signature)).toBe(false);
    for (const length of [0, 31, 33]) {
      await expect(verifying.signature.importSigner(new Uint8Array(length))).rejects.toMatchObject({
        code: "ERR_MLS_CRYPTO",
      });
    }
  });

  test("message encryption; what was changed is refused (R-5.1-2)", async () => {
    const [sender, receiver] = [(await suiteWhere(id, a)).aead, (await suiteWhere(id, b)).aead];
    expect([sender.Nk, sender.Nn]).toEqual([receiver.Nk, receiver.Nn]);
    const [key, nonce, aad] = [new Uint8Array(sender.Nk).fill(1), new Uint8Array(12).fill(2), utf8("aad")];
    const sealed = await sender.seal(key, nonce, aad, utf8("plaintext"));
    expect(await receiver.open(key, nonce, aad, sealed)).toEqual(utf8("plaintext"));
    for (const changed of [sealed.map((byte, i) => (i === 0 ? byte ^ 1 : byte)), sealed.slice(0, 15), EMPTY]) {
      await expect(receiver.open(key, nonce, aad, changed)).rejects.toMatchObject({ code: "ERR_MLS_AEAD" });
    }
  });
});

describe("private keys on Node", () => {
  test("are imported for signing from bytes that are wiped, not from a string (R-9.2-1)", async () => {
    const given: object[] = [];
    const { signature } = await getCipherSuite(1);
    const createPrivateKey: NodeCrypto["createPrivateKey"] = (key) => {
      given.push(key);
      return nodeFunctions.createPrivateKey(key);
    };
    const seed = new Uint8Array(32).fill(7);
    const scheme = ed25519OnNode({ ...nodeFunctions, createPrivateKey }, signature);
    const signer = await scheme.importSigner(seed);
    expect(given).toEqual([{ key: new Uint8Array(48), format: "der", type: "pkcs8" }]);
    expect(seed).toEqual(new Uint8Array(32).fill(7));
    const signed = await signer.sign(utf8("message"));
    expect(await signature.verify(signer.publicKey, utf8("message"), signed)).toBe(true);
  });

  test("are made without generateKeyPairSync: Node 20 hangs when it exports what that made", async () => {
    const x25519 = x25519OnNode({
      ...nodeFunctions,
      generateKeyPairSync: () => {
        throw new Error("would hang");
      },
    } as NodeCrypto);
    const keys = await x25519.generate();
    expect(await x25519.publicKeyOf(keys.privateKey)).toEqual(keys.publicKey);
    const { publicKey, dh } = await x25519.agreeOnce(keys.publicKey);
    expect(await x25519.agree(keys, publicKey)).toEqual(dh);
  });
});

test("256-bit AES is the same without WebAssembly (R-5.1-2)", async () => {
  const suites = [await getCipherSuite(7, { kernel: "wasm" }), await getCipherSuite(7, { kernel: "noble" })];
  const [key, nonce] = [new Uint8Array(32).fill(1), new Uint8Array(12).fill(2)];
  const sealed = await Promise.all(suites.map(({ aead }) => aead.seal(key, nonce, utf8("aad"), utf8("text"))));
  expect(at(sealed, 0)).toEqual(at(sealed, 1));
});

test("a suite is looked for once in a context, and again if a part of it could not be loaded", async () => {
  vi.resetModules();
  vi.doMock("../../src/crypto/ecdsa.ts", () => {
    throw new TypeError("offline");
  });
  const context = await import("../../src/crypto/cipher-suite.ts");
  await expect(context.getCipherSuite(2)).rejects.toThrow();
  vi.doUnmock("../../src/crypto/ecdsa.ts");
  const suite = await context.getCipherSuite(2);
  expect(await context.getCipherSuite(2)).toBe(suite);
  expect(await context.getCipherSuite(2, { kernel: "noble" })).not.toBe(suite);
});

test("without SubtleCrypto, as on a page that is not served securely, says what to do", async () => {
  for (const found of [undefined, {}]) {
    vi.resetModules();
    vi.stubGlobal("crypto", found);
    const { subtle } = await import("../../src/crypto/platform.ts");
    expect(() => subtle()).toThrow(expect.objectContaining({ code: "ERR_MLS_CRYPTO" }));
  }
});

test("bytes that threads share are copied, others are not: WebCrypto refuses the former", async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(3));
  shared.set([1, 2, 3]);
  const copy = unshared(shared);
  expect(copy.buffer).toBeInstanceOf(ArrayBuffer);
  expect(copy).toEqual(Uint8Array.of(1, 2, 3));
  expect(unshared(copy)).toBe(copy);
  const noble = await getCipherSuite(1, { kernel: "noble" });
  const wasm = await getCipherSuite(1, { kernel: "wasm" });
  expect(noble.hash.digest(shared)).toEqual(wasm.hash.digest(shared));
});

test("HKDF-Expand gives what its counter can count, in each kernel", async () => {
  for (const kernel of ["wasm", "noble"] as const) {
    const { hash } = await getCipherSuite(1, { kernel });
    const prk = new Uint8Array(32).fill(1);
    expect(hash.expand(prk, EMPTY, 255 * 32)).toHaveLength(255 * 32);
    for (const length of [255 * 32 + 1, -1, 1.5]) expect(() => hash.expand(prk, EMPTY, length)).toThrow(RangeError);
    expect(() => hash.ratchet({ secret: prk.slice(1), generation: 0, count: 1, Nk: 16, Nn: 12 })).toThrow(RangeError);
    expect(() => hash.ratchet({ secret: prk, generation: 2 ** 32 - 1, count: 2, Nk: 16, Nn: 12 })).toThrow(RangeError);
    expect(hash.ratchet({ secret: prk, generation: 2 ** 32 - 1, count: 1, Nk: 16, Nn: 12 }).keys).toHaveLength(1);
  }
});
