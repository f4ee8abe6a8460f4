/** Signatures (RFC 9420 §5.1.2) and ECDSA's DER. */
import { p256 } from "@noble/curves/nist.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, EMPTY, fromHex, toHex, utf8 } from "../../src/codec/bytes.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { signatureFromDer, signatureToDer } from "../../src/crypto/der.ts";
import { signWithLabel, verifyWithLabel } from "../../src/crypto/labels.ts";

describe.each([
  [1, 32, 64],
  [2, 65, undefined],
  [4, 57, 114],
  [5, 133, undefined],
  [7, 97, undefined],
])("the scheme of suite %i (R-5.1.1-2, R-5.1.2-2, R-17.1-2)", (id, keyLength, signatureLength) => {
  test("signs and verifies with labels; another key, label or content fails (R-5.1.2-3, R-5.1.2-4, R-5.1.2-5)", async () => {
    const suite = await getCipherSuite(id);
    const [one, two] = [await suite.signature.generateKeyPair(), await suite.signature.generateKeyPair()];
    expect(one.publicKey).toHaveLength(keyLength);
    const signer = await suite.signature.importSigner(one.privateKey);
    expect(signer.publicKey).toEqual(one.publicKey);
    const signature = await signWithLabel(signer, "LeafNodeTBS", utf8("content"));
    if (signatureLength !== undefined) expect(signature).toHaveLength(signatureLength);
    const good = { publicKey: one.publicKey, label: "LeafNodeTBS", content: utf8("content"), signature };
    await verifyWithLabel(suite, good);
    for (const change of [
      { publicKey: two.publicKey },
      { label: "KeyPackageTBS" },
      { content: utf8("Content") },
      { signature: signature.map((byte, i) => (i === 20 ? byte ^ 1 : byte)) },
      { signature: EMPTY },
      { signature: concat(signature, Uint8Array.of(0)) },
      { signature: signature.slice(0, -1) },
      { publicKey: EMPTY },
      { publicKey: new Uint8Array(keyLength) },
      { publicKey: one.publicKey.slice(1) },
    ]) {
      await expect(verifyWithLabel(suite, { ...good, ...change })).rejects.toMatchObject({
        code: "ERR_MLS_SIGNATURE",
        requirement: "R-5.1.2-4",
      });
    }
    const [label, content] = [utf8("MLS 1.0 LeafNodeTBS"), utf8("content")];
    const signContent = concat(Uint8Array.of(label.length), label, Uint8Array.of(content.length), content);
    expect(await suite.signature.verify(one.publicKey, signContent, signature)).toBe(true);
  });

  test("refuses private keys of another length", async () => {
    const { signature } = await getCipherSuite(id);
    for (const length of [0, signature.privateKeyLength - 1, signature.privateKeyLength + 1]) {
      await expect(signature.importSigner(new Uint8Array(length).fill(1))).rejects.toMatchObject({
        code: "ERR_MLS_CRYPTO",
      });
    }
  });
});

test("a compressed point is no public key (R-5.1.1-2)", async () => {
  const suite = await getCipherSuite(2);
  const { publicKey, privateKey } = await suite.signature.generateKeyPair();
  const signer = await suite.signature.importSigner(privateKey);
  const signature = await signer.sign(utf8("x"));
  expect(await suite.signature.verify(publicKey, utf8("x"), signature)).toBe(true);
  const compressed = new Uint8Array(p256.getPublicKey(privateKey, true));
  expect(await suite.signature.verify(compressed, utf8("x"), signature)).toBe(false);
});

describe("DER (R-5.1.2-2)", () => {
  const raw = (hex: string): Bytes => fromHex(hex.padStart(128, "0"));

  test("writes the shortest integers, positive ones", () => {
    expect(toHex(signatureToDer(raw("01".padStart(64, "0") + "80".padStart(64, "0"))))).toBe("300702010102020080");
    expect(toHex(signatureToDer(raw("0")))).toBe("3006020100020100");
  });

  test("is read back to what was written, for each curve's length", () => {
    for (const length of [32, 48, 66]) {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 2 * length, maxLength: 2 * length }), (bytes) => {
          const value = new Uint8Array(bytes);
          if (length === 66) value[0] = value[66] = 0;
          expect(signatureFromDer(signatureToDer(value), length)).toEqual(value);
        }),
        { numRuns: 100 },
      );
    }
  });

  test.each([
    ["nothing", ""],
    ["another tag", "310602010102010c"],
    ["a trailing byte", "300602010102010100"],
    ["a byte in the sequence after the integers", "30070201010201010000"],
    ["a length that is too long", "300702010102010c"],
    ["a length that is too short", "300502010102010c"],
    ["a length in long form", "30810602010102010c"],
    ["an indefinite length", "308002010102010c0000"],
    ["an integer with a leading zero", "30070202000102010c"],
    ["a negative integer", "300602018102010c"],
    ["an empty integer", "3005020002010c"],
    ["one integer", "3003020101"],
    ["three integers", "3009020101020101020101"],
    ["an integer of 33 bytes", `3026022101${"00".repeat(32)}020101`],
    ["an integer's length in long form", "300702810101020101"],
  ])("with %s is refused", (_, hex) => {
    expect(signatureFromDer(fromHex(hex), 32)).toBeUndefined();
  });

  test("any bytes are read as undefined or as what would be written", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const read = signatureFromDer(bytes, 32);
        if (read !== undefined) expect(toHex(signatureToDer(read))).toBe(toHex(bytes));
      }),
      { numRuns: 500 },
    );
  });
});
