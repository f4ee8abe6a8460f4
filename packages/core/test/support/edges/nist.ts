/** Edge cases of ECDSA and of keys on the NIST curves. */
import type { ECDSA, WeierstrassPoint } from "@noble/curves/abstract/weierstrass.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../../../src/codec/bytes.ts";
import { concat, EMPTY, utf8 } from "../../../src/codec/bytes.ts";
import { signatureToDer } from "../../../src/crypto/der.ts";
import type { KeyEdge, SignatureEdge } from "./case.ts";
import { bigEndian, toInteger } from "./case.ts";

interface Curve {
  readonly suite: number;
  readonly curve: ECDSA;
  /** Of a coordinate. */
  readonly length: number;
  readonly hash: (input: Bytes) => Uint8Array;
}

const CURVES: readonly Curve[] = [
  { suite: 2, curve: p256, length: 32, hash: sha256 },
  { suite: 5, curve: p521, length: 66, hash: sha512 },
  { suite: 7, curve: p384, length: 48, hash: sha384 },
];

const SECRET = 1_234_567_891_011n;
const NONCE = 11_109_876_543_211n;
const MESSAGE = utf8("edge");

const uncompressed = (point: WeierstrassPoint<bigint>): Bytes => point.toBytes(false);

/** A point with the first x from `x` on that has one. */
function pointFrom({ curve, length }: Curve, x: bigint): WeierstrassPoint<bigint> {
  for (let at = x; ; at++) {
    try {
      return curve.Point.fromBytes(concat(Uint8Array.of(2), bigEndian(at, length)));
    } catch {
      continue;
    }
  }
}

function signatureEdges(of: Curve): SignatureEdge[] {
  const { suite, curve, length, hash } = of;
  const { Point } = curve;
  const { Fn, Fp, BASE } = Point;
  const order = Fn.ORDER;
  // All of a hash that is no longer than the order.
  const z = Fn.create(toInteger(hash(MESSAGE)));
  const key = BASE.multiply(SECRET);
  const r = Fn.create(BASE.multiply(NONCE).x);
  const s = Fn.mul(Fn.inv(NONCE), Fn.add(z, Fn.mul(r, SECRET)));
  const edges: SignatureEdge[] = [];
  const add = (title: string, valid: boolean, [first, second]: readonly [bigint, bigint], publicKey: Bytes): void => {
    // A number of 2^521 and more does not fit, and is of no use.
    if (first >> BigInt(8 * length) !== 0n || second >> BigInt(8 * length) !== 0n) return;
    const signature = signatureToDer(concat(bigEndian(first, length), bigEndian(second, length)));
    edges.push({ suite, title, publicKey, message: MESSAGE, signature, valid });
  };
  const honest = uncompressed(key);
  add("an honest signature", true, [r, s], honest);
  add("s negated", true, [r, order - s], honest);
  add("r is 0", false, [0n, s], honest);
  add("s is 0", false, [r, 0n], honest);
  add("r and s are 0", false, [0n, 0n], honest);
  add("r is the order", false, [order, s], honest);
  add("s is the order", false, [r, order], honest);
  add("s and the order", false, [r, s + order], honest);

  /** The key under which a signature with this R and s is valid. */
  const keyFor = (R: WeierstrassPoint<bigint>): Bytes => {
    const inverse = Fn.inv(Fn.create(R.x));
    return uncompressed(R.multiply(Fn.mul(s, inverse)).subtract(BASE.multiply(Fn.mul(z, inverse))));
  };
  const low = pointFrom(of, 3n);
  add("a small r", true, [low.x, s], keyFor(low));
  add("a small r and the order", false, [low.x + order, s], keyFor(low));
  if (order < Fp.ORDER) {
    const high = pointFrom(of, order + 1n);
    add("R's x is above the order", true, [high.x - order, s], keyFor(high));
  }
  add("a compressed key", false, [r, s], key.toBytes(true));
  add("a hybrid key", false, [r, s], concat(Uint8Array.of(6 + Number(key.y & 1n)), honest.subarray(1)));
  add(
    "a key off the curve",
    false,
    [r, s],
    honest.map((byte, i) => (i === 2 * length ? byte ^ 1 : byte)),
  );
  return edges;
}

function keyEdges(of: Curve): KeyEdge[] {
  const { suite, curve, length } = of;
  const { BASE, Fp } = curve.Point;
  const key = BASE.multiply(SECRET);
  const honest = uncompressed(key);
  const low = pointFrom(of, 0n);
  const keys: [string, Bytes, boolean][] = [
    ["an honest key", honest, true],
    ["a compressed key", key.toBytes(true), false],
    ["a hybrid key", concat(Uint8Array.of(6 + Number(key.y & 1n)), honest.subarray(1)), false],
    ["a raw pair of coordinates", honest.slice(1), false],
    ["a key off the curve", honest.map((byte, i) => (i === 2 * length ? byte ^ 1 : byte)), false],
    ["zeros", concat(Uint8Array.of(4), new Uint8Array(2 * length)), false],
    [
      "x is the prime and more",
      concat(Uint8Array.of(4), bigEndian(low.x + Fp.ORDER, length), bigEndian(low.y, length)),
      false,
    ],
    ["the point at infinity", Uint8Array.of(0), false],
    ["nothing", EMPTY, false],
  ];
  return keys.flatMap(([title, publicKey, valid]) =>
    (["signature", "encryption"] as const).map((use) => ({ suite, use, title, publicKey, valid })),
  );
}

export const NIST_SIGNATURES: readonly SignatureEdge[] = CURVES.flatMap(signatureEdges);
export const NIST_KEYS: readonly KeyEdge[] = CURVES.flatMap(keyEdges);
