/**
 * Operations with secret scalars: multiples of the base point, signatures (RFC 8032 §5.1.6) and X25519 (RFC 7748 §5). No branch and no
 * address depends on a secret.
 */
import { DIGEST } from "./digest";
import { BASE_MULTIPLES, BASE_TABLE, addPrepared, double, setNeutral } from "./edwards";
import { FOUR, decode, encode, invert, multiply } from "./field";
import { digits16, multiplyAdd, reduce } from "./scalar";

/** All that is secret here lies between `SECRETS` and its end. */
const SECRETS = memory.data(1280, 16);
const DIGITS = SECRETS;
const POINT: usize = SECRETS + 64;
const SELECTED: usize = SECRETS + 208;
const L: usize = SECRETS + 352;
const R: usize = SECRETS + 496;
const INVERSE: usize = SECRETS + 640;
/** The key's scalar and prefix, and a signature's nonce. */
const SCALAR: usize = SECRETS + 784;
export const PREFIX: usize = SECRETS + 816;
const NONCE: usize = SECRETS + 848;
const CHALLENGE: usize = SECRETS + 880;
/** The peer's u-coordinate, and a ladder's state. */
const PEER: usize = SECRETS + 912;
const STATE: usize = SECRETS + 1056;

export function eraseSecrets(): void {
  memory.fill(SECRETS, 0, 1280);
}

/** `SELECTED` = `digit` times the point whose multiples 1 to 8 are at `row`; -8 ≤ digit ≤ 8. */
function select(row: usize, digit: i32): void {
  const sign = digit >> 31;
  const size = i32x4.splat((digit ^ sign) - sign);
  const negative = i32x4.splat(sign);
  const last = v128.and(negative, i32x4(0, 0, 0, -1));
  for (let at: u32 = 0; at < FOUR; at += 16) {
    // 1, 1, 2, 0: the neutral point.
    let v = at == 0 ? v128.and(i32x4.eq(size, i32x4.splat(0)), i32x4(1, 1, 2, 0)) : i32x4.splat(0);
    for (let m: u32 = 0; m < 8; m++) {
      const entry = v128.load(row + m * FOUR + at);
      v = v128.or(v, v128.and(entry, i32x4.eq(size, i32x4.splat(m + 1))));
    }
    v = v128.bitselect(v128.shuffle<i32>(v, v, 1, 0, 2, 3), v, negative);
    v128.store(SELECTED + at, i32x4.sub(v128.xor(v, last), last));
  }
}

/** `POINT` = scalar · B. */
function multiplyBase(scalar: usize): void {
  digits16(DIGITS, scalar);
  setNeutral(POINT);
  for (let part: i32 = 3; part >= 0; part--) {
    if (part < 3) for (let n = 0; n < 4; n++) double(POINT);
    for (let i: u32 = 0; i < 16; i++) {
      select(BASE_TABLE + i * BASE_MULTIPLES * FOUR, load<i8>(DIGITS + 4 * i + part));
      addPrepared(POINT, SELECTED);
    }
  }
}

/** The encoding of `POINT` (RFC 8032 §5.1.2). */
function encodePoint(out: usize): void {
  for (let at: u32 = 0; at < FOUR; at += 16) {
    const v = v128.load(POINT + at);
    v128.store(L + at, v128.shuffle<i32>(v, v, 2, 2, 2, 2));
  }
  invert(INVERSE, L);
  multiply(L, POINT, INVERSE);
  encode(R, L, 0);
  encode(out, L, 1);
  store<u8>(out, load<u8>(out, 31) | ((load<u8>(R) & 1) << 7), 31);
}

function clamp(scalar: usize): void {
  store<u8>(scalar, load<u8>(scalar) & 248);
  store<u8>(scalar, (load<u8>(scalar, 31) & 127) | 64, 31);
}

/** Takes scalar and prefix of a key from the digest of its seed. */
export function takeKey(): void {
  memory.copy(SCALAR, DIGEST, 64);
  clamp(SCALAR);
}

/** The public key. */
export function encodePublicKey(out: usize): void {
  multiplyBase(SCALAR);
  encodePoint(out);
}

/** R, from the digest of prefix and message. */
export function commit(out: usize): void {
  reduce(NONCE, DIGEST);
  multiplyBase(NONCE);
  encodePoint(out);
}

/** S, from the digest of R, public key and message. */
export function respond(out: usize): void {
  reduce(CHALLENGE, DIGEST);
  multiplyAdd(out, CHALLENGE, SCALAR, NONCE);
}

/** The u-coordinate of scalar · B, through the Edwards curve: (Z + Y) / (Z - Y). */
export function publicX25519(out: usize, scalar: usize): void {
  memory.copy(SCALAR, scalar, 32);
  clamp(SCALAR);
  multiplyBase(SCALAR);
  for (let at: u32 = 0; at < FOUR; at += 16) {
    const v = v128.load(POINT + at);
    const y = v128.shuffle<i32>(v, v, 1, 1, 1, 1);
    const z = v128.shuffle<i32>(v, v, 2, 2, 2, 2);
    v128.store(L + at, i32x4.sub(z, y));
    v128.store(R + at, i32x4.add(z, y));
  }
  invert(INVERSE, L);
  multiply(L, R, INVERSE);
  encode(out, L, 0);
}

/** The u-coordinate of scalar · peer, by a ladder whose two points are the lanes x2, z2, x3, z3 of `STATE`. */
export function agreeX25519(out: usize, scalar: usize, peer: usize): void {
  memory.copy(SCALAR, scalar, 32);
  clamp(SCALAR);
  memory.fill(STATE, 0, FOUR);
  decode(PEER, 3, peer);
  decode(STATE, 2, peer);
  store<i32>(STATE, 1);
  store<i32>(STATE, 1, 12);
  let previous: i32 = 0;
  for (let t: i32 = 254; t >= 0; t--) {
    const bit = <i32>(((<u32>load<u8>(SCALAR + (t >> 3))) >> (t & 7)) & 1);
    const swap = i32x4.splat(-(bit ^ previous));
    previous = bit;
    // a = x2 + z2, b = x2 - z2, c = x3 + z3, d = x3 - z3; then a a, b b, c b, d a.
    const odd = i32x4(0, -1, 0, -1);
    for (let at: u32 = 0; at < FOUR; at += 16) {
      let v = v128.load(STATE + at);
      v = v128.bitselect(v128.shuffle<i32>(v, v, 2, 3, 0, 1), v, swap);
      const z = v128.shuffle<i32>(v, v, 1, 1, 3, 3);
      v = i32x4.add(v128.shuffle<i32>(v, v, 0, 0, 2, 2), i32x4.sub(v128.xor(z, odd), odd));
      v128.store(L + at, v);
      v128.store(R + at, v128.shuffle<i32>(v, v, 0, 1, 1, 0));
    }
    multiply(STATE, L, R);
    // e = a a - b b, s = c b + d a, r = c b - d a; then a a · b b, 121665 e, s s, r r.
    const signs = i32x4(0, -1, 0, -1);
    for (let at: u32 = 0; at < FOUR; at += 16) {
      const v = v128.load(STATE + at);
      const w = v128.and(v128.shuffle<i32>(v, v, 1, 1, 3, 3), i32x4(0, -1, -1, -1));
      const left = i32x4.add(v128.shuffle<i32>(v, v, 0, 0, 2, 2), i32x4.sub(v128.xor(w, signs), signs));
      v128.store(L + at, left);
      const factor = at == 0 ? i32x4(0, 121665, 0, 0) : i32x4.splat(0);
      const right = v128.and(left, i32x4(0, 0, -1, -1));
      v128.store(
        R + at,
        v128.or(v128.or(right, factor), v128.and(v128.shuffle<i32>(v, v, 1, 1, 1, 1), i32x4(-1, 0, 0, 0))),
      );
      // a a, for what comes next.
      v128.store(INVERSE + at, v);
    }
    multiply(STATE, L, R);
    // e (a a + 121665 e) and u · r r.
    for (let at: u32 = 0; at < FOUR; at += 16) {
      const v = v128.load(STATE + at);
      const aa = v128.load(INVERSE + at);
      const right = i32x4.add(
        v128.and(v, i32x4(0, -1, 0, 0)),
        v128.and(v128.shuffle<i32>(aa, aa, 0, 0, 0, 0), i32x4(0, -1, 0, 0)),
      );
      v128.store(R + at, v128.or(right, v128.and(v128.load(PEER + at), i32x4(0, 0, 0, -1))));
      v128.store(L + at, v128.bitselect(v, v128.load(L + at), i32x4(0, 0, 0, -1)));
    }
    multiply(INVERSE, L, R);
    for (let at: u32 = 0; at < FOUR; at += 16) {
      v128.store(STATE + at, v128.bitselect(v128.load(INVERSE + at), v128.load(STATE + at), i32x4(0, -1, 0, -1)));
    }
  }
  const swap = i32x4.splat(-previous);
  for (let at: u32 = 0; at < FOUR; at += 16) {
    let v = v128.load(STATE + at);
    v = v128.bitselect(v128.shuffle<i32>(v, v, 2, 3, 0, 1), v, swap);
    v128.store(L + at, v128.shuffle<i32>(v, v, 1, 1, 1, 1));
    v128.store(R + at, v128.shuffle<i32>(v, v, 0, 0, 0, 0));
  }
  invert(INVERSE, L);
  multiply(L, R, INVERSE);
  encode(out, L, 0);
}
