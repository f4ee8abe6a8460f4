/** Published known answers, of which every implementation is asked for each. */
import { type ConformanceCase, ascii, expectSame, fromHex } from "./case.ts";
import type { AeadName, HashName, Implementation } from "./implementations.ts";

/** FIPS 180-4 examples and the answers of NIST's CAVP for the empty message. */
const DIGESTS: readonly (readonly [HashName, Uint8Array, string, string])[] = [
  ["sha256", ascii("abc"), "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["sha256", ascii(""), "nothing", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  [
    "sha256",
    ascii("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
    "two blocks",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  ],
  [
    "sha256",
    new Uint8Array(1_000_000).fill(0x61),
    "a million times a",
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  ],
  [
    "sha384",
    ascii("abc"),
    "abc",
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
  ],
  [
    "sha384",
    ascii(
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
    ),
    "two blocks",
    "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039",
  ],
  [
    "sha512",
    ascii("abc"),
    "abc",
    `ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
     2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f`,
  ],
  [
    "sha512",
    ascii(
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
    ),
    "two blocks",
    `8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018
     501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909`,
  ],
];

/** RFC 4231 §4. */
const MACS: readonly {
  readonly number: number;
  readonly key: string;
  readonly data: string;
  readonly macs: Partial<Record<HashName, string>>;
}[] = [
  {
    number: 1,
    key: "0b".repeat(20),
    data: "4869205468657265",
    macs: {
      sha256: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      sha384: "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
      sha512: `87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde
               daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854`,
    },
  },
  {
    number: 2,
    key: "4a656665",
    data: "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
    macs: {
      sha256: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      sha384: "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
      sha512: `164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554
               9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737`,
    },
  },
  {
    number: 3,
    key: "aa".repeat(20),
    data: "dd".repeat(50),
    macs: {
      sha256: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
      sha384: "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27",
      sha512: `fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39
               bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb`,
    },
  },
  {
    number: 4,
    key: "0102030405060708090a0b0c0d0e0f10111213141516171819",
    data: "cd".repeat(50),
    macs: { sha256: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
  },
  {
    number: 6,
    key: "aa".repeat(131),
    data: "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
    macs: {
      sha256: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      sha384: "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
      sha512: `80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352
               6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598`,
    },
  },
];

const span = (from: number, to: number): Uint8Array => Uint8Array.from({ length: to - from }, (_, i) => from + i);

/** RFC 5869 appendix A. */
const DERIVATIONS = [
  {
    name: "A.1",
    ikm: fromHex("0b".repeat(22)),
    salt: span(0x00, 0x0d),
    info: span(0xf0, 0xfa),
    prk: "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
    okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    name: "A.2",
    ikm: span(0x00, 0x50),
    salt: span(0x60, 0xb0),
    info: span(0xb0, 0x100),
    prk: "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
    okm: `b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c
          59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71
          cc30c58179ec3e87c14c01d5c1f3434f1d87`,
  },
  {
    name: "A.3",
    ikm: fromHex("0b".repeat(22)),
    salt: new Uint8Array(0),
    info: new Uint8Array(0),
    prk: "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
    okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
] as const;

const GCM_KEY = "feffe9928665731c6d6a8f9467308308";
const GCM_NONCE = "cafebabefacedbaddecaf888";
const GCM_AAD = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const GCM_PLAINTEXT = `d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
  1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255`;
const GCM_128 = `42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e
  21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985`;
const GCM_256 = `522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
  8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad`;

interface SealedAnswer {
  readonly title: string;
  readonly aead: AeadName;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
  readonly data: Uint8Array;
  readonly sealed: Uint8Array;
}

/** The test cases of the GCM specification (McGrew and Viega) that NIST SP 800-38D validates with. */
function gcmAnswer(number: number, { key, nonce, aad, data, sealed }: Record<string, string>): SealedAnswer {
  return {
    title: `GCM test case ${number}`,
    aead: key?.length === 32 ? "aes128gcm" : "aes256gcm",
    key: fromHex(key ?? ""),
    nonce: fromHex(nonce ?? ""),
    aad: fromHex(aad ?? ""),
    data: fromHex(data ?? ""),
    sealed: fromHex(sealed ?? ""),
  };
}

const zeros = (length: number): string => "00".repeat(length);
const cut = (text: string): string => text.replace(/\s/g, "").slice(0, 120);

const SEALED: readonly SealedAnswer[] = [
  gcmAnswer(1, { key: zeros(16), nonce: zeros(12), sealed: "58e2fccefa7e3061367f1d57a4e7455a" }),
  gcmAnswer(2, {
    key: zeros(16),
    nonce: zeros(12),
    data: zeros(16),
    sealed: "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf",
  }),
  gcmAnswer(3, {
    key: GCM_KEY,
    nonce: GCM_NONCE,
    data: GCM_PLAINTEXT,
    sealed: `${GCM_128}4d5c2af327cd64a62cf35abd2ba6fab4`,
  }),
  gcmAnswer(4, {
    key: GCM_KEY,
    nonce: GCM_NONCE,
    aad: GCM_AAD,
    data: cut(GCM_PLAINTEXT),
    sealed: `${cut(GCM_128)}5bc94fbc3221a5db94fae95ae7121a47`,
  }),
  gcmAnswer(13, { key: zeros(32), nonce: zeros(12), sealed: "530f8afbc74536b9a963b4f1c4cb738b" }),
  gcmAnswer(14, {
    key: zeros(32),
    nonce: zeros(12),
    data: zeros(16),
    sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
  }),
  gcmAnswer(15, {
    key: GCM_KEY.repeat(2),
    nonce: GCM_NONCE,
    data: GCM_PLAINTEXT,
    sealed: `${GCM_256}b094dac5d93471bdec1a502270e3cc6c`,
  }),
  gcmAnswer(16, {
    key: GCM_KEY.repeat(2),
    nonce: GCM_NONCE,
    aad: GCM_AAD,
    data: cut(GCM_PLAINTEXT),
    sealed: `${cut(GCM_256)}76fc6ece0f4e1768cddf8853bb2d551b`,
  }),
  {
    title: "RFC 8439 §2.8.2",
    aead: "chacha20poly1305",
    key: span(0x80, 0xa0),
    nonce: fromHex("070000004041424344454647"),
    aad: fromHex("50515253c0c1c2c3c4c5c6c7"),
    data: ascii(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    ),
    sealed: fromHex(`d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b
                     1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc
                     3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691`),
  },
];

export function knownAnswerCases(implementation: Implementation): readonly ConformanceCase[] {
  const { name } = implementation;
  const digests = DIGESTS.map(([hash, data, what, digest]) => ({
    title: `FIPS 180-4: ${hash} of ${what}, ${name}`,
    run: async () => {
      expectSame(await implementation.digest(hash, data), fromHex(digest), "digest");
    },
  }));
  const macs = MACS.map(({ number, key, data, macs: answers }) => ({
    title: `RFC 4231 case ${number}, ${name}`,
    run: async () => {
      for (const [hash, mac] of Object.entries(answers)) {
        expectSame(await implementation.hmac(hash as HashName, fromHex(key), fromHex(data)), fromHex(mac), hash);
      }
    },
  }));
  const derivations = DERIVATIONS.map(({ name: section, ikm, salt, info, prk, okm }) => ({
    title: `RFC 5869 ${section}, ${name}`,
    run: async () => {
      const expected = fromHex(okm);
      expectSame(await implementation.extract("sha256", salt, ikm), fromHex(prk), "prk");
      expectSame(await implementation.expand("sha256", fromHex(prk), info, expected.length), expected, "okm");
    },
  }));
  const sealed = SEALED.flatMap((answer) => {
    const aead = implementation.aead(answer.aead);
    if (aead === undefined) return [];
    const run = async (): Promise<void> => {
      expectSame(await aead.seal(answer), answer.sealed, "sealed");
      expectSame(await aead.open({ ...answer, data: answer.sealed }), answer.data, "opened");
    };
    return [{ title: `${answer.title}, ${name}`, run }];
  });
  return [...digests, ...macs, ...derivations, ...sealed];
}
