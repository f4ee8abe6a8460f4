/** HPKE, AEAD and the suite table (RFC 9420 §5.1, RFC 9180): what is refused. The vectors check the values. */
import { describe, expect, test } from "vitest";
import { concat, EMPTY, utf8 } from "../../src/codec/bytes.ts";
import { getCipherSuite, SUPPORTED_CIPHER_SUITES } from "../../src/crypto/cipher-suite.ts";
import { decryptWithLabel, encryptWithLabel } from "../../src/crypto/labels.ts";

test("all seven suites are there, others are refused (R-5.1-1, R-13.1-1, R-17.1-1)", async () => {
  expect(SUPPORTED_CIPHER_SUITES).toEqual([1, 2, 3, 4, 5, 6, 7]);
  for (const id of [0, 8, 0x0a0a, 0xffff, -1]) {
    await expect(getCipherSuite(id)).rejects.toMatchObject({ code: "ERR_MLS_VERSION", requirement: "R-5.1-1" });
  }
});

describe.each([...SUPPORTED_CIPHER_SUITES])("suite %i", (id) => {
  const suiteOf = () => getCipherSuite(id);

  test("encrypts with labels: another key, label, context or ciphertext fails (R-5.1.3-1, R-5.1.3-2, R-5.1.3-3)", async () => {
    const suite = await suiteOf();
    const [keys, other] = [await suite.hpke.generateKeyPair(), await suite.hpke.generateKeyPair()];
    expect([keys.publicKey.length, keys.privateKey.length]).toEqual([suite.hpke.Npk, suite.hpke.Nsk]);
    const [label, context, plaintext] = ["Welcome", utf8("context"), utf8("plaintext")];
    const sealed = await encryptWithLabel(suite, label, context)(keys.publicKey, plaintext);
    const good = { keys, label, context, sealed };
    expect(await decryptWithLabel(suite, good)).toEqual(plaintext);
    for (const change of [
      { keys: other },
      { label: "UpdatePathNode" },
      { context: EMPTY },
      { sealed: { ...sealed, ciphertext: sealed.ciphertext.map((byte) => byte ^ 1) } },
      { sealed: { ...sealed, ciphertext: EMPTY } },
      { sealed: { ...sealed, kemOutput: other.publicKey } },
      { sealed: { ...sealed, kemOutput: EMPTY } },
      { sealed: { ...sealed, kemOutput: new Uint8Array(suite.hpke.Npk) } },
      { sealed: { ...sealed, kemOutput: concat(sealed.kemOutput, Uint8Array.of(0)) } },
    ]) {
      await expect(decryptWithLabel(suite, { ...good, ...change })).rejects.toMatchObject({
        code: "ERR_MLS_AEAD",
        requirement: "R-5.1.3-2",
      });
    }
  });

  test("uses a context for one message: no sequence number counts up, none can wrap (adversarial 15)", async () => {
    const suite = await suiteOf();
    const { publicKey, privateKey } = await suite.hpke.generateKeyPair();
    const seal = encryptWithLabel(suite, "Welcome", utf8("context"));
    const sealed = await Promise.all([seal(publicKey, utf8("one")), seal(publicKey, utf8("one"))]);
    expect(new Set(sealed.map(({ kemOutput }) => kemOutput.join())).size).toBe(2);
    const keys = { publicKey, privateKey };
    for (const one of sealed.reverse()) {
      const opened = await decryptWithLabel(suite, { keys, label: "Welcome", context: utf8("context"), sealed: one });
      expect(opened).toEqual(utf8("one"));
    }
  });

  test("refuses public keys of another length, and points off the curve (R-5.1.1-1, R-5.1.1-3, adversarial 15)", async () => {
    const { hpke } = await suiteOf();
    const { publicKey } = await hpke.generateKeyPair();
    await hpke.validatePublicKey(publicKey);
    const bad = [EMPTY, publicKey.slice(1), concat(publicKey, Uint8Array.of(0))];
    if (publicKey[0] === 4 && hpke.Npk % 2 === 1) {
      bad.push(publicKey.map((byte, i) => (i === publicKey.length - 1 ? byte ^ 1 : byte)));
    }
    for (const key of bad) {
      await expect(hpke.validatePublicKey(key)).rejects.toMatchObject({
        code: "ERR_MLS_CRYPTO",
        requirement: "R-5.1.1-3",
      });
      await expect(hpke.sealer(EMPTY)(key, EMPTY)).rejects.toMatchObject({ code: "ERR_MLS_CRYPTO" });
      await expect(hpke.sendExport(key, EMPTY, 32)).rejects.toMatchObject({ code: "ERR_MLS_CRYPTO" });
    }
  });

  test("refuses an all-zero key where its shared secret would be zero (R-5.1.1-3, adversarial 15)", async () => {
    const { hpke } = await suiteOf();
    const zero = new Uint8Array(hpke.Npk);
    await expect(hpke.sealer(EMPTY)(zero, EMPTY)).rejects.toMatchObject({ code: "ERR_MLS_CRYPTO" });
    await expect(hpke.sendExport(zero, EMPTY, 32)).rejects.toMatchObject({ code: "ERR_MLS_CRYPTO" });
  });

  test("exports the same secret on both sides (R-8.3-1, R-8.3-2, R-8.3-3)", async () => {
    const { hpke, hash } = await suiteOf();
    const keys = await hpke.generateKeyPair();
    const { kemOutput, secret } = await hpke.sendExport(keys.publicKey, utf8("label"), hash.Nh);
    expect(secret).toHaveLength(hash.Nh);
    expect(await hpke.receiveExport(keys, kemOutput, utf8("label"), hash.Nh)).toEqual(secret);
    expect(await hpke.receiveExport(keys, kemOutput, utf8("other"), hash.Nh)).not.toEqual(secret);
    await expect(hpke.receiveExport(keys, EMPTY, utf8("label"), hash.Nh)).rejects.toMatchObject({
      code: "ERR_MLS_AEAD",
    });
  });

  test("derives key pairs from secrets, always the same (R-5.1-3)", async () => {
    const { hpke, hash } = await suiteOf();
    const secret = new Uint8Array(hash.Nh).fill(7);
    expect(await hpke.deriveKeyPair(secret)).toEqual(await hpke.deriveKeyPair(secret));
  });

  test("seals with the tag at the end, and opens nothing that was changed (R-5.1-2)", async () => {
    const { aead } = await suiteOf();
    const [key, nonce] = [new Uint8Array(aead.Nk).fill(1), new Uint8Array(12).fill(2)];
    const sealed = await aead.seal(key, nonce, utf8("aad"), utf8("plaintext"));
    expect(sealed).toHaveLength(9 + 16);
    expect(await aead.open(key, nonce, utf8("aad"), sealed)).toEqual(utf8("plaintext"));
    for (const [changedNonce, aad, ciphertext] of [
      [nonce.map((byte) => byte ^ 1), utf8("aad"), sealed],
      [nonce, utf8("aae"), sealed],
      [nonce, utf8("aad"), sealed.slice(0, -1)],
      [nonce, utf8("aad"), sealed.slice(0, 15)],
      [nonce, utf8("aad"), EMPTY],
      [nonce, utf8("aad"), sealed.map((byte, i) => (i === 24 ? byte ^ 1 : byte))],
    ] as const) {
      await expect(aead.open(key, changedNonce, aad, ciphertext)).rejects.toMatchObject({ code: "ERR_MLS_AEAD" });
    }
  });
});
