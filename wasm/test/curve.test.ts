/** Verification of Ed25519 (RFC 8032). Edge cases and other implementations: `core/test/crypto` and `core/test/engines`. */
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { describe, expect, it } from "vitest";
import { createCurveKernel, curveKernelOver, type Ed25519Signature, instantiateCurve } from "../src/curve.ts";
import { hex, holdsPartOf, random, toHex } from "./support.ts";

const kernel = createCurveKernel();
const { bytes, below } = random(0xed25519);

/** RFC 8032 §7.1: public key, message, signature. */
const VECTORS: readonly (readonly [string, string, string, string])[] = [
  [
    "test 1",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "test 2",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "test 3",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
  [
    "test SHA(abc)",
    "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
  ],
];

interface Signer {
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

function newSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return { publicKey: new Uint8Array(Buffer.from(x, "base64url")), privateKey };
}

function signedBy({ publicKey, privateKey }: Signer, message: Uint8Array): Ed25519Signature {
  return { publicKey, message, signature: new Uint8Array(sign(null, message, privateKey)) };
}

const withTable = (given: Ed25519Signature): Ed25519Signature => {
  const table = kernel.makeTable(given.publicKey);
  return table === undefined ? given : { ...given, table };
};

/** With the public key as it is met first, and with its table. */
const verdictsOn = (given: Ed25519Signature): boolean[] => kernel.verifyMany([given, withTable(given)]);

function byNode({ publicKey, message, signature }: Ed25519Signature): boolean {
  try {
    const x = Buffer.from(publicKey).toString("base64url");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    return verify(null, message, key, signature);
  } catch {
    return false;
  }
}

const flip = (data: Uint8Array, bit: number): Uint8Array =>
  data.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));

describe("a signature", () => {
  it.each(VECTORS)("of RFC 8032 verifies: %s", (_name, publicKey, message, signature) => {
    const given = { publicKey: hex(publicKey), message: hex(message), signature: hex(signature) };
    expect(verdictsOn(given)).toEqual([true, true]);
    expect(verdictsOn({ ...given, message: Uint8Array.of(1, 2) })).toEqual([false, false]);
  });

  it("over a message of any length verifies, with a bit changed in nothing", () => {
    const signer = newSigner();
    for (const length of [0, 1, 47, 48, 63, 64, 65, 127, 128, 1000, 16_319, 16_320, 16_321, 40_000]) {
      const given = signedBy(signer, bytes(length));
      expect(verdictsOn(given), `${length} bytes`).toEqual([true, true]);
      const last = 8 * length - 1;
      if (length > 0) expect(verdictsOn({ ...given, message: flip(given.message, last) })).toEqual([false, false]);
    }
  });

  it("has the verdict of Node with any bit changed", () => {
    const given = signedBy(newSigner(), bytes(50));
    for (let bit = 0; bit < 512; bit++) {
      const changed = { ...given, signature: flip(given.signature, bit) };
      expect(verdictsOn(changed), `signature, bit ${bit}`).toEqual([false, false]);
    }
    for (let bit = 0; bit < 256; bit += 3) {
      const changed = { ...given, publicKey: flip(given.publicKey, bit) };
      expect(byNode(changed)).toBe(false);
      expect(verdictsOn(changed), `public key, bit ${bit}`).toEqual([false, false]);
    }
  });

  it("of another length, or by a key of another length, does not verify", () => {
    const given = signedBy(newSigner(), bytes(50));
    for (const length of [0, 63, 65]) {
      const signature = new Uint8Array(length);
      signature.set(given.signature.subarray(0, length));
      expect(kernel.verifyMany([{ ...given, signature }])).toEqual([false]);
    }
    for (const length of [0, 31, 33]) {
      expect(kernel.verifyMany([{ ...given, publicKey: new Uint8Array(length) }])).toEqual([false]);
    }
  });

  it("has no other encoding: S and the order, y of R and the prime, a sign of x = 0", () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const littleEndian = (value: bigint): Uint8Array =>
      Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
    const given = signedBy(newSigner(), bytes(50));
    const s = given.signature.subarray(32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const signature = new Uint8Array(given.signature);
    signature.set(littleEndian(s + order), 32);
    expect(verdictsOn({ ...given, signature })).toEqual([false, false]);
    // S = 0 and R = the neutral point, y = 1, for a public key that is the neutral point: the equation holds.
    const neutral = Uint8Array.of(1, ...new Uint8Array(31));
    const others = [littleEndian(2n ** 255n - 18n), Uint8Array.of(1, ...new Uint8Array(30), 0x80)];
    const zero = new Uint8Array(64);
    zero.set(neutral);
    expect(verdictsOn({ publicKey: neutral, message: bytes(3), signature: zero })).toEqual([true, true]);
    for (const other of others) {
      expect(kernel.makeTable(other)).toBeUndefined();
      expect(kernel.verifyMany([{ publicKey: other, message: bytes(3), signature: zero }])).toEqual([false]);
      const changed = new Uint8Array(64);
      changed.set(other);
      expect(verdictsOn({ publicKey: neutral, message: bytes(3), signature: changed })).toEqual([false, false]);
    }
  });
});

describe("many signatures", () => {
  it("have a verdict each, whatever the others are, with tables and without", () => {
    const signers = Array.from({ length: 5 }, newSigner);
    const tables = signers.map(({ publicKey }) => kernel.makeTable(publicKey));
    const given: Ed25519Signature[] = [];
    const expected: boolean[] = [];
    for (let i = 0; i < 200; i++) {
      const place = below(signers.length);
      const [signer, table] = [signers[place] ?? newSigner(), tables[place]];
      const one = signedBy(signer, bytes(below(300)));
      const isWrong = below(3) === 0;
      const signature = isWrong ? flip(one.signature, below(512)) : one.signature;
      given.push({ ...one, signature, ...(below(2) === 0 && table !== undefined ? { table } : {}) });
      expected.push(!isWrong);
    }
    for (const count of [0, 1, 2, 3, 4, 5, 31, 32, 33, 200]) {
      expect(kernel.verifyMany(given.slice(0, count))).toEqual(expected.slice(0, count));
    }
  });
});

describe("a table", () => {
  it("is used for its key only", () => {
    const [one, other] = [newSigner(), newSigner()];
    const table = kernel.makeTable(one.publicKey);
    if (table === undefined) throw new Error("the key is a point");
    expect(kernel.tableLength).toBe(18_432);
    expect(table.publicKey).toEqual(one.publicKey);
    table.publicKey.fill(0);
    expect(() => kernel.verifyMany([{ ...signedBy(other, bytes(9)), table }])).toThrow(RangeError);
    expect(kernel.verifyMany([{ ...signedBy(one, bytes(9)), table }])).toEqual([true]);
  });

  it("that was not made here is refused: what comes from a store proves nothing", () => {
    const signer = newSigner();
    const forged = structuredClone({ publicKey: signer.publicKey, points: new Uint8Array(18_432) });
    expect(() => kernel.verifyMany([{ ...signedBy(signer, bytes(9)), table: forged }])).toThrow(TypeError);
  });

  it("of what is no point is none", () => {
    // y = 2 is on no point.
    expect(kernel.makeTable(Uint8Array.of(2, ...new Uint8Array(31)))).toBeUndefined();
    expect(() => kernel.makeTable(new Uint8Array(31))).toThrow(RangeError);
  });
});

describe("memory", () => {
  const exports = instantiateCurve();
  const own = curveKernelOver(exports);
  const memory = (): Uint8Array => new Uint8Array(exports.memory.buffer).slice();

  it("keeps nothing of a message, also after an error", () => {
    const signer = newSigner();
    const message = bytes(100);
    const table = own.makeTable(newSigner().publicKey);
    expect(own.verifyMany([signedBy(signer, message)])).toEqual([true]);
    expect(holdsPartOf(memory(), message)).toBe(false);
    if (table === undefined) throw new Error("the key is a point");
    expect(() => own.verifyMany([{ ...signedBy(signer, message), table }])).toThrow(RangeError);
    expect(holdsPartOf(memory(), message)).toBe(false);
  });

  it("is touched nowhere else: calls beyond the records and the arena trap", () => {
    const trap = WebAssembly.RuntimeError;
    expect(() => {
      exports.hashUpdate(Number(exports.capacity.value) + 1);
    }).toThrow(trap);
    const batch = Number(exports.batch.value);
    expect(() => {
      exports.challenge(batch);
    }).toThrow(trap);
    expect(() => {
      exports.decode(batch + 1, 0);
    }).toThrow(trap);
    expect(() => exports.verifyNew(batch)).toThrow(trap);
    expect(() => exports.verifyKnown(batch)).toThrow(trap);
    expect(() => exports.makeTable(batch)).toThrow(trap);
  });
});

const PKCS8 = { ed25519: "302e020100300506032b657004220420", x25519: "302e020100300506032b656e04220420" };

const privateKeyOf = (curve: keyof typeof PKCS8, secret: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([hex(PKCS8[curve]), secret]), format: "der", type: "pkcs8" });

const publicOf = (privateKey: KeyObject): Uint8Array =>
  new Uint8Array(Buffer.from(createPublicKey(privateKey).export({ format: "jwk" }).x ?? "", "base64url"));

/** Secrets at the edges, then random ones. */
const SECRETS = [
  ...[0, 1, 127, 128, 255].map((byte) => new Uint8Array(32).fill(byte)),
  ...Array.from({ length: 40 }, () => bytes(32)),
];

describe("signing", () => {
  it.each([
    ["test 1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", 0],
    ["test 2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", 1],
    ["test 3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", 2],
    ["test SHA(abc)", "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42", 3],
  ])("gives what RFC 8032 has: %s", (_name, seed, place) => {
    const [, publicKey = "", message = "", signature = ""] = VECTORS[place] ?? [];
    expect(toHex(kernel.signingKey(hex(seed)))).toBe(publicKey);
    expect(toHex(kernel.sign(hex(seed), hex(publicKey), hex(message)))).toBe(signature);
  });

  it("gives what Node does", () => {
    for (const seed of SECRETS) {
      const privateKey = privateKeyOf("ed25519", seed);
      const publicKey = publicOf(privateKey);
      expect(toHex(kernel.signingKey(seed))).toBe(toHex(publicKey));
      for (const length of [0, 95, 96, 97, 200, 20_000]) {
        const message = bytes(length);
        const expected = new Uint8Array(sign(null, message, privateKey));
        expect(toHex(kernel.sign(seed, publicKey, message))).toBe(toHex(expected));
      }
    }
  });
});

describe("X25519", () => {
  it("gives what RFC 7748 has", () => {
    const [a, b] = [
      "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
      "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
    ];
    const agreed = (privateKey: string, publicKey: string): string =>
      toHex(kernel.agree(hex(privateKey), hex(publicKey)) ?? new Uint8Array(0));
    expect(agreed(a, "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")).toBe(
      "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    );
    expect(agreed(b, "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")).toBe(
      "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    );
    // §5.2: a thousand times, from the base point.
    let [k, u] = [`09${"00".repeat(31)}`, `09${"00".repeat(31)}`];
    for (let i = 0; i < 1_000; i++) [k, u] = [agreed(k, u), k];
    expect(k).toBe("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
  });

  it("gives what Node does, whatever the top bit of the public key", () => {
    for (const [i, secret] of SECRETS.entries()) {
      const own = privateKeyOf("x25519", secret);
      const peer = createPublicKey(privateKeyOf("x25519", SECRETS[SECRETS.length - 1 - i] ?? secret));
      const publicKey = new Uint8Array(Buffer.from(peer.export({ format: "jwk" }).x ?? "", "base64url"));
      expect(toHex(kernel.agreementKey(secret))).toBe(toHex(publicOf(own)));
      const expected = toHex(new Uint8Array(diffieHellman({ privateKey: own, publicKey: peer })));
      expect(toHex(kernel.agree(secret, publicKey) ?? new Uint8Array(0))).toBe(expected);
      publicKey[31] = (publicKey[31] ?? 0) ^ 0x80;
      expect(toHex(kernel.agree(secret, publicKey) ?? new Uint8Array(0))).toBe(expected);
    }
  });

  it.each([
    ["0", "00".repeat(32)],
    ["1", `01${"00".repeat(31)}`],
    ["of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
    ["of order 8, the other", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"],
    ["p - 1", `ec${"ff".repeat(30)}7f`],
    ["p", `ed${"ff".repeat(30)}7f`],
    ["p + 1", `ee${"ff".repeat(30)}7f`],
  ])("agrees on nothing with a point of small order: %s", (_name, publicKey) => {
    for (const secret of SECRETS) expect(kernel.agree(secret, hex(publicKey))).toBeUndefined();
  });
});

describe("after an operation with a secret", () => {
  const exports = instantiateCurve();
  const own = curveKernelOver(exports);
  const memory = (): Uint8Array => new Uint8Array(exports.memory.buffer).slice();
  const fresh = memory();
  const [secret, peer, message] = [bytes(32), kernel.agreementKey(bytes(32)), bytes(100)];

  it.each([
    ["signingKey", (): unknown => own.signingKey(secret)],
    ["sign", (): unknown => own.sign(secret, own.signingKey(secret), message)],
    ["agreementKey", (): unknown => own.agreementKey(secret)],
    ["agree", (): unknown => own.agree(secret, peer)],
    ["agree, on nothing", (): unknown => own.agree(secret, new Uint8Array(32))],
  ])("%s: the memory is as it was when it was new", (_name, run) => {
    run();
    const now = memory();
    expect(holdsPartOf(now, secret)).toBe(false);
    expect(Buffer.compare(now, fresh)).toBe(0);
  });

  it("that fails: likewise", () => {
    const detached = bytes(32);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(() => own.sign(secret, detached, message)).toThrow(RangeError);
    expect(() => own.agree(secret, bytes(31))).toThrow(RangeError);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });
});
