/** Published answers of ML-KEM and ML-DSA over a hundred keys each, accumulated into one digest. */
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import { ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { shake128 } from "@noble/hashes/sha3.js";
import { describe, expect, test } from "vitest";
import { type Bytes, EMPTY, toHex } from "../../src/codec/bytes.ts";
import { mlDsa } from "../../src/crypto/ml-dsa.ts";
import type { MlDsaName } from "../../src/crypto/ml-dsa-parameters.ts";
import { mlKem } from "../../src/crypto/ml-kem.ts";
import type { MlKemName } from "../../src/crypto/ml-kem-parameters.ts";

/** An endless stream of bytes, drawn piece by piece. */
function stream(): (length: number) => Bytes {
  const source = shake128.create({});
  return (length) => new Uint8Array(source.xof(length));
}

const ROUNDS = 100;

describe.each<[MlKemName, string]>([
  // The accumulated test of Go's crypto/mlkem, of 100 rounds.
  ["ML-KEM-768", "1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415"],
  // Made in the same way; Go, CIRCL, PQClean and kyber-py agree on it.
  ["ML-KEM-1024", "800018fec3e2723f73f1d657fe239b4d5d8782efaade297e8cd448e54cc2ac00"],
])("%s", (name, published) => {
  test("key generation, decapsulation and implicit rejection give the accumulated answer", async () => {
    const kem = await mlKem(name);
    const { encapsulate } = { "ML-KEM-768": ml_kem768, "ML-KEM-1024": ml_kem1024 }[name];
    const [draw, accumulated] = [stream(), shake128.create({ dkLen: 32 })];
    for (let round = 0; round < ROUNDS; round++) {
      const [seed, message, other] = [draw(64), draw(32), draw(kem.Nct)];
      const publicKey = await kem.publicKeyOf(seed);
      const { cipherText, sharedSecret } = encapsulate(publicKey, message);
      expect(await kem.decapsulate(seed, new Uint8Array(cipherText))).toEqual(sharedSecret);
      for (const part of [publicKey, cipherText, sharedSecret, await kem.decapsulate(seed, other)]) {
        accumulated.update(part);
      }
    }
    expect(toHex(accumulated.digest())).toBe(published);
  }, 60_000);
});

describe.each<[MlDsaName, string]>([
  // C2SP CCTV, ML-DSA/accumulated, 100 rounds.
  ["ML-DSA-44", "d51148e1f9f4fa1a723a6cf42e25f2a99eb5c1b378b3d2dbbd561b1203beeae4"],
  ["ML-DSA-65", "8358a1843220194417cadbc2651295cd8fc65125b5a5c1a239a16dc8b57ca199"],
  ["ML-DSA-87", "8c3ad714777622b8f21ce31bb35f71394f23bc0fcf3c78ace5d608990f3b061b"],
])("%s", (name, published) => {
  test("key generation and verification give the accumulated answer", async () => {
    const scheme = await mlDsa(name);
    const { keygen, sign } = { "ML-DSA-44": ml_dsa44, "ML-DSA-65": ml_dsa65, "ML-DSA-87": ml_dsa87 }[name];
    const [draw, accumulated] = [stream(), shake128.create({ dkLen: 32 })];
    for (let round = 0; round < ROUNDS; round++) {
      const seed = draw(32);
      const { publicKey, secretKey } = keygen(seed);
      // Without randomness of its own, which the scheme adds where it signs.
      const signature = new Uint8Array(sign(EMPTY, secretKey, { extraEntropy: false }));
      // The scheme that is tested may be the platform's; one round in ten goes through it.
      if (round % 10 === 0) {
        const signer = await scheme.importSigner(seed);
        expect(signer.publicKey).toEqual(publicKey);
        expect(await scheme.verify(signer.publicKey, EMPTY, signature)).toBe(true);
      }
      accumulated.update(publicKey).update(signature);
    }
    expect(toHex(accumulated.digest())).toBe(published);
  }, 60_000);
});
