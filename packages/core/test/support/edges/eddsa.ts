/** Edge cases of EdDSA, made from points of small order and scalars above the order. */
import type { EdwardsPoint, EdwardsPointCons } from "@noble/curves/abstract/edwards.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { ed448 } from "@noble/curves/ed448.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { shake256 } from "@noble/hashes/sha3.js";
import type { Bytes } from "../../../src/codec/bytes.ts";
import { concat, fromHex, toHex, utf8 } from "../../../src/codec/bytes.ts";
import type { KeyEdge, SignatureEdge } from "./case.ts";
import { littleEndian, toInteger } from "./case.ts";
import { PUBLISHED } from "./published.ts";

interface Curve {
  readonly suite: number;
  readonly Point: EdwardsPointCons;
  /** Of an encoded point. */
  readonly length: number;
  readonly cofactor: bigint;
  readonly hash: (input: Bytes) => Uint8Array;
}

const CURVES: readonly Curve[] = [
  { suite: 1, Point: ed25519.Point, length: 32, cofactor: 8n, hash: sha512 },
  {
    ...{ suite: 4, Point: ed448.Point, length: 57, cofactor: 4n },
    hash: (input) => shake256(concat(utf8("SigEd448"), new Uint8Array(2), input), { dkLen: 114 }),
  },
];

const SECRET = 1_234_567_891_011n;
const NONCE = 11_109_876_543_211n;

/** A point that generates those of small order. */
function smallGenerator({ Point, length, cofactor }: Curve): EdwardsPoint {
  const order = Point.Fn.ORDER;
  for (let y = 2n; ; y++) {
    const point = decoded(Point, littleEndian(y, length));
    const small = point?.multiplyUnsafe(order - 1n).add(point);
    if (small?.multiplyUnsafe(cofactor / 2n).is0() === false) return small;
  }
}

function decoded(Point: EdwardsPointCons, bytes: Bytes): EdwardsPoint | undefined {
  try {
    return Point.fromBytes(bytes, true);
  } catch {
    return undefined;
  }
}

/** Every encoding of a point: y and y + p, with either sign if x is 0. */
function encodings({ Point, length }: Curve, point: EdwardsPoint): Bytes[] {
  const { x, y } = point.toAffine();
  const signs = x === 0n ? [0n, 1n] : [x & 1n];
  const sign = BigInt(8 * length - 1);
  return [y, y + Point.Fp.ORDER]
    .filter((value) => value >> (length === 32 ? 255n : 448n) === 0n)
    .flatMap((value) => signs.map((bit) => littleEndian(value | (bit << sign), length)));
}

function signatureEdges(curve: Curve): SignatureEdge[] {
  const { suite, Point, length, cofactor, hash } = curve;
  const order = Point.Fn.ORDER;
  const [base, torsion] = [Point.BASE, smallGenerator(curve)];
  const edges: SignatureEdge[] = [];
  const challenge = (R: Bytes, A: Bytes, message: Bytes): bigint => toInteger(hash(concat(R, A, message)).toReversed());
  const add = (title: string, edge: Pick<SignatureEdge, "publicKey" | "message" | "valid">, R: Bytes, S: bigint) => {
    edges.push({ suite, title, ...edge, signature: concat(R, littleEndian(S, length)) });
  };
  /** The first message for which the challenge is as wanted. */
  const messageFor = (R: Bytes, A: Bytes, wanted: (k: bigint) => boolean): Bytes => {
    for (let i = 0; ; i++) if (wanted(challenge(R, A, utf8(String(i))))) return utf8(String(i));
  };
  /** `S = r + k·a`. */
  const respond = (R: Bytes, A: Bytes, message: Bytes, nonce = NONCE): bigint =>
    (nonce + challenge(R, A, message) * SECRET) % order;

  const [A, R, message] = [base.multiply(SECRET).toBytes(), base.multiply(NONCE).toBytes(), utf8("edge")] as [
    Bytes,
    Bytes,
    Bytes,
  ];
  const S = respond(R, A, message);
  add("an honest signature", { publicKey: A, message, valid: true }, R, S);
  const refused = { publicKey: A, message, valid: false };
  add("S and the order", refused, R, S + order);
  add("S with its highest bit set", refused, R, S | (1n << BigInt(8 * length - 1)));
  for (let i = 1n; i < cofactor; i++) {
    const mixed = base.multiply(NONCE).add(torsion.multiplyUnsafe(i)).toBytes() as Bytes;
    add(`R with part ${String(i)} of small order`, refused, mixed, respond(mixed, A, message));
  }
  for (let i = 0n; i < cofactor; i++) {
    for (const point of encodings(curve, torsion.multiplyUnsafe(i))) {
      add(`R of small order, ${toHex(point)}`, refused, point, respond(point, A, message, 0n));
      // k·A is zero: whoever does not look at A finds S·B = R.
      const cancelled = messageFor(R, point, (k) => (k % order) % cofactor === 0n && k % cofactor === 0n);
      add(`A of small order, ${toHex(point)}`, { ...refused, publicKey: point, message: cancelled }, R, NONCE);
    }
  }
  const mixed = base.multiply(SECRET).add(torsion).toBytes() as Bytes;
  const parts: [string, boolean, (k: bigint) => boolean][] = [
    ["k reduced cancels", true, (k) => (k % order) % cofactor === 0n && k % cofactor !== 0n],
    ["k not reduced cancels", false, (k) => (k % order) % cofactor !== 0n && k % cofactor === 0n],
    ["nothing cancels", false, (k) => (k % order) % cofactor !== 0n && k % cofactor !== 0n],
  ];
  for (const [how, valid, wanted] of parts) {
    const found = messageFor(R, mixed, wanted);
    const edge = { publicKey: mixed, message: found, valid };
    add(`A with a part of small order that ${how}`, edge, R, respond(R, mixed, found));
  }
  return edges;
}

function keyEdges(curve: Curve): KeyEdge[] {
  const { suite, Point, length, cofactor } = curve;
  const edge = { suite, use: "signature" } as const;
  const torsion = smallGenerator(curve);
  const edges: KeyEdge[] = [
    { ...edge, title: "an honest key", publicKey: Point.BASE.multiply(SECRET).toBytes() as Bytes, valid: true },
    { ...edge, title: "a key that is too short", publicKey: new Uint8Array(length - 1).fill(7), valid: false },
    { ...edge, title: "a key that is too long", publicKey: new Uint8Array(length + 1).fill(7), valid: false },
  ];
  for (let i = 0n; i < cofactor; i++) {
    for (const publicKey of encodings(curve, torsion.multiplyUnsafe(i))) {
      edges.push({ ...edge, title: `of small order, ${toHex(publicKey)}`, publicKey, valid: false });
    }
  }
  for (let y = 2n; y < 19n; y++) {
    const point = decoded(Point, littleEndian(y, length));
    if (point === undefined) continue;
    const publicKey = littleEndian(y + Point.Fp.ORDER, length);
    edges.push({ ...edge, title: `y is ${String(y)} and the prime`, publicKey, valid: false });
  }
  return edges;
}

const published = PUBLISHED.map(({ title, valid, message, publicKey, signature }, i): SignatureEdge => ({
  ...{ suite: 1, valid, title: `speccheck ${String(i)}: ${title}` },
  ...{ message: fromHex(message), publicKey: fromHex(publicKey), signature: fromHex(signature) },
}));

export const EDDSA_SIGNATURES: readonly SignatureEdge[] = [...published, ...CURVES.flatMap(signatureEdges)];
export const EDDSA_KEYS: readonly KeyEdge[] = CURVES.flatMap(keyEdges);
