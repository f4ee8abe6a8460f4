/** Edge cases of X25519 and X448: RFC 7748 takes every encoding, RFC 9180 no shared secret that is zero. */
import type { KeyEdge } from "./case.ts";
import { littleEndian } from "./case.ts";

const p25519 = 2n ** 255n - 19n;
const p448 = 2n ** 448n - 2n ** 224n - 1n;
const TOP_BIT = 1n << 255n;

/** u-coordinates of the points of order 8 of curve 25519. */
const ORDER_8 = [
  325_606_250_916_557_431_795_983_626_356_110_631_294_008_115_727_848_805_560_023_387_167_927_233_504n,
  39_382_357_235_489_614_581_723_060_781_553_021_112_529_911_719_440_698_176_882_885_853_963_445_705_823n,
];

const x25519 = (value: bigint, valid: boolean): KeyEdge => ({
  ...{ suite: 1, use: "encryption", valid },
  title: `u is ${value.toString(16)}`,
  publicKey: littleEndian(value, 32),
});

const x448 = (value: bigint, valid: boolean): KeyEdge => ({
  ...{ suite: 4, use: "encryption", valid },
  title: `u is ${value.toString(16)}`,
  publicKey: littleEndian(value, 56),
});

const wrongLengths = [
  [1, 32],
  [4, 56],
].flatMap(([suite = 0, length = 0]) =>
  [0, length - 1, length + 1].map((wrong): KeyEdge => ({
    ...{ suite, use: "encryption", valid: false },
    title: `of ${String(wrong)} bytes`,
    publicKey: new Uint8Array(wrong).fill(9),
  })),
);

export const MONTGOMERY_KEYS: readonly KeyEdge[] = [
  ...[9n, p25519 + 9n, p25519 - 9n].flatMap((u) => [x25519(u, true), x25519(u | TOP_BIT, true)]),
  ...[0n, 1n, ...ORDER_8, p25519 - 1n, p25519, p25519 + 1n].flatMap((u) => [
    x25519(u, false),
    x25519(u | TOP_BIT, false),
  ]),
  ...[5n, p448 + 5n, p448 - 5n].map((u) => x448(u, true)),
  ...[0n, 1n, p448 - 1n, p448, p448 + 1n].map((u) => x448(u, false)),
  ...wrongLengths,
];
