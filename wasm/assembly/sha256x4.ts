/**
 * SHA-256 compression function (FIPS 180-4 §6.2) on four messages at once.
 *
 * `sha256.ts` with vectors in place of words: lane `i` of each is the word of message `i`. There is no vector rotation, so
 * that four lanes are about twice as fast as four calls, not four times. The message schedule lies in memory: sixteen
 * vectors more than the working variables are more than there are registers, so that in locals it would lie there too.
 */

import { IV256 } from "./hash";
import { K } from "./sha256";

/** The message schedule: 64 vectors. */
const W = memory.data(1024, 16);

/** Sets eight vectors of chaining values to the initial one. */
export function start(state: usize): void {
  for (let i: usize = 0; i < 8; i++) v128.store(state + (i << 4), v128.load32_splat(IV256 + (i << 2)));
}

/** Writes the digest of a message that is complete. */
export function digest(state: usize, lane: u32, out: usize): void {
  for (let i: usize = 0; i < 8; i++) store<u32>(out + (i << 2), bswap(load<u32>(state + (i << 4) + (lane << 2))));
}

/** Absorbs one block of 64 bytes from each of four places into eight vectors at `state`. */
export function compress256x4(state: usize, p0: usize, p1: usize, p2: usize, p3: usize): void {
  for (let i: usize = 0; i < 64; i += 16) transpose(W + (i << 2), p0 + i, p1 + i, p2 + i, p3 + i);
  for (let w = W; w < W + 768; w += 16) {
    v128.store(w, schedule(v128.load(w), v128.load(w, 16), v128.load(w, 144), v128.load(w, 224)), 256);
  }
  let a = v128.load(state);
  let b = v128.load(state, 16);
  let c = v128.load(state, 32);
  let d = v128.load(state, 48);
  let e = v128.load(state, 64);
  let f = v128.load(state, 80);
  let g = v128.load(state, 96);
  let h = v128.load(state, 112);
  for (let k = K, w = W; k < K + 256; k += 32, w += 128) {
    h = t1(e, f, g, h, v128.load(w), k);
    d = i32x4.add(d, h);
    h = i32x4.add(h, t2(a, b, c));
    g = t1(d, e, f, g, v128.load(w, 16), k + 4);
    c = i32x4.add(c, g);
    g = i32x4.add(g, t2(h, a, b));
    f = t1(c, d, e, f, v128.load(w, 32), k + 8);
    b = i32x4.add(b, f);
    f = i32x4.add(f, t2(g, h, a));
    e = t1(b, c, d, e, v128.load(w, 48), k + 12);
    a = i32x4.add(a, e);
    e = i32x4.add(e, t2(f, g, h));
    d = t1(a, b, c, d, v128.load(w, 64), k + 16);
    h = i32x4.add(h, d);
    d = i32x4.add(d, t2(e, f, g));
    c = t1(h, a, b, c, v128.load(w, 80), k + 20);
    g = i32x4.add(g, c);
    c = i32x4.add(c, t2(d, e, f));
    b = t1(g, h, a, b, v128.load(w, 96), k + 24);
    f = i32x4.add(f, b);
    b = i32x4.add(b, t2(c, d, e));
    a = t1(f, g, h, a, v128.load(w, 112), k + 28);
    e = i32x4.add(e, a);
    a = i32x4.add(a, t2(b, c, d));
  }
  v128.store(state, i32x4.add(v128.load(state), a));
  v128.store(state, i32x4.add(v128.load(state, 16), b), 16);
  v128.store(state, i32x4.add(v128.load(state, 32), c), 32);
  v128.store(state, i32x4.add(v128.load(state, 48), d), 48);
  v128.store(state, i32x4.add(v128.load(state, 64), e), 64);
  v128.store(state, i32x4.add(v128.load(state, 80), f), 80);
  v128.store(state, i32x4.add(v128.load(state, 96), g), 96);
  v128.store(state, i32x4.add(v128.load(state, 112), h), 112);
}

/** Erases the message schedule. */
export function erase(): void {
  memory.fill(W, 0, 1024);
}

/** Writes four big-endian words of four messages to `w`: four vectors, each with the words of one place. */
function transpose(w: usize, p0: usize, p1: usize, p2: usize, p3: usize): void {
  const m0 = words(v128.load(p0));
  const m1 = words(v128.load(p1));
  const m2 = words(v128.load(p2));
  const m3 = words(v128.load(p3));
  const low01 = v128.shuffle<i32>(m0, m1, 0, 4, 1, 5);
  const low23 = v128.shuffle<i32>(m2, m3, 0, 4, 1, 5);
  const high01 = v128.shuffle<i32>(m0, m1, 2, 6, 3, 7);
  const high23 = v128.shuffle<i32>(m2, m3, 2, 6, 3, 7);
  v128.store(w, v128.shuffle<i64>(low01, low23, 0, 2));
  v128.store(w, v128.shuffle<i64>(low01, low23, 1, 3), 16);
  v128.store(w, v128.shuffle<i64>(high01, high23, 0, 2), 32);
  v128.store(w, v128.shuffle<i64>(high01, high23, 1, 3), 48);
}

/** Byte order of four big-endian words. */
function words(v: v128): v128 {
  return v128.swizzle(v, i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}

function rotr4(x: v128, n: i32): v128 {
  return v128.or(i32x4.shr_u(x, n), i32x4.shl(x, 32 - n));
}

function schedule(w: v128, w1: v128, w9: v128, w14: v128): v128 {
  const s0 = v128.xor(v128.xor(rotr4(w1, 7), rotr4(w1, 18)), i32x4.shr_u(w1, 3));
  const s1 = v128.xor(v128.xor(rotr4(w14, 17), rotr4(w14, 19)), i32x4.shr_u(w14, 10));
  return i32x4.add(i32x4.add(w, s0), i32x4.add(w9, s1));
}

function t1(e: v128, f: v128, g: v128, h: v128, w: v128, k: usize): v128 {
  const s1 = v128.xor(v128.xor(rotr4(e, 6), rotr4(e, 11)), rotr4(e, 25));
  const ch = v128.xor(g, v128.and(e, v128.xor(f, g)));
  return i32x4.add(i32x4.add(i32x4.add(h, i32x4.add(w, v128.load32_splat(k))), ch), s1);
}

function t2(a: v128, b: v128, c: v128): v128 {
  const s0 = v128.xor(v128.xor(rotr4(a, 2), rotr4(a, 13)), rotr4(a, 22));
  return i32x4.add(s0, v128.xor(b, v128.and(v128.xor(a, b), v128.xor(b, c))));
}
