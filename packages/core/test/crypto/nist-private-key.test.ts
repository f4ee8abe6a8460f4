/** Deriving private keys on the NIST curves (RFC 9180 §7.1.3), beside hpke-js. */
import { DhkemP256HkdfSha256, DhkemP384HkdfSha384, DhkemP521HkdfSha512 } from "@hpke/core";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { describe, expect, test } from "vitest";
import { randomBytes } from "@coppice/kit";
import type { Bytes } from "../../src/codec/bytes.ts";
import { toHex } from "../../src/codec/bytes.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { deriveNistPrivateKey, NIST_CURVES } from "../../src/crypto/nist-private-key.ts";

describe.each([
  ["P-256", 2, p256, new DhkemP256HkdfSha256()],
  ["P-384", 7, p384, new DhkemP384HkdfSha384()],
  ["P-521", 5, p521, new DhkemP521HkdfSha512()],
] as const)("%s", (name, id, noble, kem) => {
  const curve = NIST_CURVES[name];

  test("gives the key pair that hpke-js derives", async () => {
    const { hpke } = await getCipherSuite(id);
    for (let i = 0; i < 5; i++) {
      const secret = randomBytes(32);
      const { privateKey, publicKey } = await kem.deriveKeyPair(secret);
      expect(await hpke.deriveKeyPair(secret)).toEqual({
        privateKey: new Uint8Array(await kem.serializePrivateKey(privateKey)),
        publicKey: new Uint8Array(await kem.serializePublicKey(publicKey)),
      });
    }
  });

  test("takes the first candidate from 1 to the order less 1, of at most 256", async () => {
    const { order } = curve;
    expect(BigInt(`0x${toHex(order)}`)).toBe(noble.Point.Fn.ORDER);
    const { hash } = await getCipherSuite(id);
    const key = (value: bigint): Bytes =>
      Uint8Array.from({ length: order.length }, (_, i) =>
        Number((value >> BigInt(8 * (order.length - 1 - i))) & 0xffn),
      );
    const derive = (candidates: readonly bigint[]): Bytes => {
      let next = 0;
      const expand = () => key(candidates[Math.min(next++, candidates.length - 1)] ?? 0n);
      return deriveNistPrivateKey({ ...hash, extract: () => new Uint8Array(32), expand }, curve, randomBytes(32));
    };
    const n = noble.Point.Fn.ORDER;
    expect(derive([0n, n, n + 1n, n - 1n, 5n])).toEqual(key(n - 1n));
    expect(derive([n, 1n])).toEqual(key(1n));
    expect(() => derive([0n])).toThrow(expect.objectContaining({ code: "ERR_MLS_CRYPTO" }));
  });
});
