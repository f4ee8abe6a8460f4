/** HPKE on the kernel against hpke-js, both ways, and its refusals (RFC 9180). */
import { Chacha20Poly1305 } from "@hpke/chacha20poly1305";
import type { AeadInterface, KdfInterface, KemInterface } from "@hpke/core";
import {
  Aes128Gcm,
  Aes256Gcm,
  CipherSuite as HpkeJs,
  DhkemP256HkdfSha256,
  DhkemP384HkdfSha384,
  DhkemP521HkdfSha512,
  DhkemX25519HkdfSha256,
  HkdfSha256,
  HkdfSha384,
  HkdfSha512,
} from "@hpke/core";
import { DhkemX448HkdfSha512 } from "@hpke/dhkem-x448";
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, utf8 } from "../../src/codec/bytes.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";

const PEERS: Readonly<Record<number, readonly [KemInterface, KdfInterface, AeadInterface]>> = {
  1: [new DhkemX25519HkdfSha256(), new HkdfSha256(), new Aes128Gcm()],
  2: [new DhkemP256HkdfSha256(), new HkdfSha256(), new Aes128Gcm()],
  3: [new DhkemX25519HkdfSha256(), new HkdfSha256(), new Chacha20Poly1305()],
  4: [new DhkemX448HkdfSha512(), new HkdfSha512(), new Aes256Gcm()],
  5: [new DhkemP521HkdfSha512(), new HkdfSha512(), new Aes256Gcm()],
  6: [new DhkemX448HkdfSha512(), new HkdfSha512(), new Chacha20Poly1305()],
  7: [new DhkemP384HkdfSha384(), new HkdfSha384(), new Aes256Gcm()],
};

describe.each([1, 2, 3, 4, 5, 6, 7])("suite %i", (id) => {
  const info = utf8("an info of some length");
  const plaintext = utf8("a path secret");
  const parts = PEERS[id];
  if (parts === undefined) throw new Error("no peer");
  const [kem, kdf, aead] = parts;
  const peer = new HpkeJs({ kem, kdf, aead });
  const raw = (buffer: ArrayBuffer): Bytes => new Uint8Array(buffer);

  test("what we seal and export, hpke-js opens and exports, and the other way round (R-5.1.3-1, R-8.3-1)", async () => {
    const { hpke } = await getCipherSuite(id);
    const keys = await hpke.generateKeyPair();
    const recipientKey = {
      publicKey: await kem.deserializePublicKey(keys.publicKey),
      privateKey: await kem.deserializePrivateKey(keys.privateKey),
    };

    const sealed = await hpke.seal(keys.publicKey, info, plaintext);
    const opened = await peer.open({ recipientKey, enc: sealed.kemOutput, info }, sealed.ciphertext, EMPTY);
    expect(raw(opened)).toEqual(plaintext);
    const theirs = await peer.seal({ recipientPublicKey: recipientKey.publicKey, info }, plaintext, EMPTY);
    expect(await hpke.open(keys, info, { kemOutput: raw(theirs.enc), ciphertext: raw(theirs.ct) })).toEqual(plaintext);

    const sent = await hpke.sendExport(keys.publicKey, info, 32);
    const receiver = await peer.createRecipientContext({ recipientKey, enc: sent.kemOutput });
    expect(raw(await receiver.export(info, 32))).toEqual(sent.secret);
    const sender = await peer.createSenderContext({ recipientPublicKey: recipientKey.publicKey });
    expect(await hpke.receiveExport(keys, raw(sender.enc), info, 32)).toEqual(raw(await sender.export(info, 32)));
  });

  test("key pairs are derived alike (R-5.1-3)", async () => {
    const { hpke, hash } = await getCipherSuite(id);
    const secret = hash.digest(utf8("a node secret"));
    const pair = await hpke.deriveKeyPair(secret.slice());
    const theirs = await kem.deriveKeyPair(secret.slice());
    expect(pair.publicKey).toEqual(raw(await kem.serializePublicKey(theirs.publicKey)));
    expect(pair.privateKey).toHaveLength(hpke.Nsk);
    expect(pair.publicKey).toHaveLength(hpke.Npk);
  });

  test("a wrong key, info, ciphertext or KEM output does not open (R-5.1.3-2)", async () => {
    const { hpke } = await getCipherSuite(id);
    const [keys, others] = [await hpke.generateKeyPair(), await hpke.generateKeyPair()];
    const sealed = await hpke.seal(keys.publicKey, info, plaintext);
    const flip = (bytes: Bytes, at: number): Bytes => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
    const refused = { code: "ERR_MLS_AEAD", requirement: "R-5.1.3-2" };
    await expect(hpke.open(others, info, sealed)).rejects.toMatchObject(refused);
    await expect(hpke.open(keys, utf8("other"), sealed)).rejects.toMatchObject(refused);
    const forged = { ...sealed, ciphertext: flip(sealed.ciphertext, 0) };
    await expect(hpke.open(keys, info, forged)).rejects.toMatchObject(refused);
    const rerouted = { ...sealed, kemOutput: flip(sealed.kemOutput, 5) };
    await expect(hpke.open(keys, info, rerouted)).rejects.toMatchObject(refused);
    await expect(hpke.open(keys, info, { ...sealed, ciphertext: EMPTY })).rejects.toMatchObject(refused);
  });

  test("keys of the wrong length, off the curve or with an all-zero agreement are refused (R-5.1.1-3, adversarial 15)", async () => {
    const { hpke } = await getCipherSuite(id);
    const keys = await hpke.generateKeyPair();
    const refused = { code: "ERR_MLS_CRYPTO", requirement: "R-5.1.1-3" };
    for (const length of [0, hpke.Npk - 1, hpke.Npk + 1]) {
      await expect(hpke.validatePublicKey(new Uint8Array(length))).rejects.toMatchObject(refused);
      await expect(hpke.seal(new Uint8Array(length), info, plaintext)).rejects.toMatchObject(refused);
    }
    // Zero is off the NIST curves and of small order on the Montgomery ones.
    await expect(hpke.seal(new Uint8Array(hpke.Npk), info, plaintext)).rejects.toMatchObject(refused);
    const sealed = await hpke.seal(keys.publicKey, info, plaintext);
    const zero = { ...sealed, kemOutput: new Uint8Array(hpke.Npk) };
    await expect(hpke.open(keys, info, zero)).rejects.toMatchObject({ code: "ERR_MLS_AEAD" });
  });
});
