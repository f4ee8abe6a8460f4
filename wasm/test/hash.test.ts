import { createHash, createHmac, hkdfSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type HashKernel, createWasmKernel } from "../src/index.ts";
import { ascii, hex, openKernel, random, toHex } from "./support.ts";

const kernel = createWasmKernel();
const { capacity } = openKernel().exports;
const arenaSize = Number(capacity.value);
const all: readonly (readonly [HashKernel, string])[] = [
  [kernel.sha256, "sha256"],
  [kernel.sha384, "sha384"],
  [kernel.sha512, "sha512"],
];
const nodeHmac = (name: string, key: Uint8Array, data: Uint8Array): string =>
  createHmac(name, key).update(data).digest("hex");

describe("SHA-2, FIPS 180-4 examples", () => {
  const twoBlocks512 =
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
  it.each([
    ["sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ["sha256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    [
      "sha256",
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ],
    [
      "sha384",
      "abc",
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    ],
    [
      "sha384",
      twoBlocks512,
      "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039",
    ],
    [
      "sha512",
      "abc",
      `ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
       2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f`,
    ],
    [
      "sha512",
      twoBlocks512,
      `8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018
       501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909`,
    ],
  ] as const)("%s of %j", (name, text, digest) => {
    expect(toHex(kernel[name].digest(ascii(text)))).toBe(digest.replace(/\s/g, ""));
  });

  it("SHA-256 of a million times a", () => {
    expect(toHex(kernel.sha256.digest(new Uint8Array(1_000_000).fill(0x61)))).toBe(
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    );
  });
});

describe("HMAC, RFC 4231", () => {
  const cases = [
    { key: "0b".repeat(20), data: "4869205468657265" },
    { key: "4a656665", data: "7768617420646f2079612077616e7420666f72206e6f7468696e673f" },
    { key: "aa".repeat(20), data: "dd".repeat(50) },
    { key: "0102030405060708090a0b0c0d0e0f10111213141516171819", data: "cd".repeat(50) },
    { key: "aa".repeat(131), data: toHex(ascii("Test Using Larger Than Block-Size Key - Hash Key First")) },
  ];
  const sha256 = [
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ];
  it.each(cases.map((c, i) => ({ ...c, i, mac: sha256[i] ?? "" })))("SHA-256, case $i", ({ key, data, mac }) => {
    expect(toHex(kernel.sha256.hmac(hex(key), hex(data)))).toBe(mac);
  });
  it("SHA-384 and SHA-512, case 1", () => {
    const [key, data] = [new Uint8Array(20).fill(0x0b), ascii("Hi There")];
    expect(toHex(kernel.sha384.hmac(key, data))).toBe(
      "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
    );
    expect(toHex(kernel.sha512.hmac(key, data))).toBe(
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
    );
  });
});

describe("HKDF, RFC 5869 appendix A", () => {
  const span = (from: number, to: number): string => toHex(Uint8Array.from({ length: to - from }, (_, i) => from + i));
  it.each([
    {
      name: "A.1 basic",
      ikm: "0b".repeat(22),
      salt: "000102030405060708090a0b0c",
      info: "f0f1f2f3f4f5f6f7f8f9",
      prk: "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
      okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    },
    {
      name: "A.2 longer",
      ikm: span(0x00, 0x50),
      salt: span(0x60, 0xb0),
      info: span(0xb0, 0x100),
      prk: "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
      okm: `b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c
            59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71
            cc30c58179ec3e87c14c01d5c1f3434f1d87`,
    },
    {
      name: "A.3 without salt and info",
      ikm: "0b".repeat(22),
      salt: "",
      info: "",
      prk: "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
      okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    },
  ])("$name", ({ ikm, salt, info, prk, okm }) => {
    const extracted = kernel.sha256.extract(hex(salt), hex(ikm));
    expect(toHex(extracted)).toBe(prk);
    const expected = okm.replace(/\s/g, "");
    expect(toHex(kernel.sha256.expand(extracted, hex(info), expected.length / 2))).toBe(expected);
  });
});

describe.each(all)("$name against node:crypto", (hash, name) => {
  const { bytes, below } = random(0x5eed);

  it("digests and MACs of every length from 0 to 300", () => {
    for (let length = 0; length <= 300; length++) {
      const data = bytes(length);
      const key = bytes(below(200));
      expect(toHex(hash.digest(data))).toBe(createHash(name).update(data).digest("hex"));
      expect(toHex(hash.hmac(key, data))).toBe(nodeHmac(name, key, data));
      expect(toHex(hash.hmac(data, key))).toBe(nodeHmac(name, data, key));
    }
  });

  it("digests and MACs around and far beyond the capacity of the arena", () => {
    const key = bytes(32);
    const lengths = [arenaSize - 33, arenaSize - 32, arenaSize - 31, arenaSize - 1, arenaSize, arenaSize + 1];
    for (const length of [...lengths, 2 * arenaSize, 3 * arenaSize + 17, 1_000_000 + below(1000)]) {
      const data = new Uint8Array(length).fill(length & 0xff);
      data[length - 1] = 1;
      expect(toHex(hash.digest(data))).toBe(createHash(name).update(data).digest("hex"));
      expect(toHex(hash.hmac(key, data))).toBe(nodeHmac(name, key, data));
      expect(toHex(hash.hmac(data, key))).toBe(nodeHmac(name, data, key));
    }
  });

  it("16 MiB", () => {
    const data = new Uint8Array(2 ** 24).fill(7);
    expect(toHex(hash.digest(data))).toBe(createHash(name).update(data).digest("hex"));
    expect(toHex(hash.hmac(data.subarray(0, 5), data))).toBe(nodeHmac(name, data.subarray(0, 5), data));
  });

  it("random HKDF", () => {
    for (let i = 0; i < 100; i++) {
      const [ikm, salt, info] = [bytes(below(100)), bytes(below(150)), bytes(below(300))];
      const length = below(4 * hash.Nh);
      const expected = Buffer.from(hkdfSync(name, ikm, salt, info, length)).toString("hex");
      expect(toHex(hash.expand(hash.extract(salt, ikm), info, length))).toBe(expected);
    }
  });

  it("HKDF-Expand of the greatest length, with a long prk, and with info beyond the arena", () => {
    const reference = (prk: Uint8Array, info: Uint8Array, length: number): string => {
      const blocks: Buffer[] = [];
      for (let i = 1, last: Uint8Array = new Uint8Array(0); (i - 1) * hash.Nh < length; i++) {
        const block = createHmac(name, prk).update(last).update(info).update(Uint8Array.of(i)).digest();
        blocks.push(block);
        last = block;
      }
      return Buffer.concat(blocks).subarray(0, length).toString("hex");
    };
    for (const [prkLength, infoLength, length] of [
      [hash.Nh, 10, 255 * hash.Nh],
      [0, 0, 255 * hash.Nh - 1],
      [500, 10, 100],
      [arenaSize + 5, 3, 100],
      [32, arenaSize - 32, 3 * hash.Nh],
      [32, arenaSize - 31, 3 * hash.Nh],
      [32, 300_000, 2 * hash.Nh + 5],
      [32, 300_000, 0],
    ] as const) {
      const [prk, info] = [bytes(prkLength), bytes(infoLength)];
      expect(toHex(hash.expand(prk, info, length))).toBe(reference(prk, info, length));
    }
  });

  it("is unaffected by where its arguments lie and does not change them", () => {
    const backing = bytes(100);
    const before = toHex(backing);
    const view = backing.subarray(13, 63);
    expect(toHex(hash.digest(view))).toBe(createHash(name).update(view).digest("hex"));
    expect(toHex(hash.hmac(view, view))).toBe(nodeHmac(name, view, view));
    expect(toHex(backing)).toBe(before);
  });
});
