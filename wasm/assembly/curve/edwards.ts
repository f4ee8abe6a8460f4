/**
 * Points of the curve -x² + y² = 1 + d x² y² (RFC 8032 §5.1) in extended coordinates: four field elements X, Y, Z, T side by side, where
 * x = X / Z, y = Y / Z, x y = T / Z. A point that is to be added is prepared as Y - X, Y + X, 2 Z, 2 d T. Formulas: Hisil, Wong,
 * Carter and Dawson, "Twisted Edwards Curves Revisited", 2008; they hold for all points. Everything but `decodePoints`, which sees
 * public points, takes the same time whatever the points are.
 */
import { FOUR, add as addField, copy, decode, encode, eraseField, multiply, power, square, subtract } from "./field";

const L = memory.data(144, 16);
const R = memory.data(144, 16);

/** d, the root of -1, and y of the base point; eight bytes more are read than used. */
const D_BYTES = memory.data<u64>(
  [0x75eb4dca135978a3, 0x00700a4d4141d8ab, 0x8cc740797779e898, 0x52036cee2b6ffe73, 0],
  16,
);
const ROOT_BYTES = memory.data<u64>(
  [0xc4ee1b274a0ea0b0, 0x2f431806ad2fe478, 0x2b4d00993dfbd7a7, 0x2b8324804fc1df0b, 0],
  16,
);
const BASE_BYTES = memory.data<u64>(
  [0x6666666666666658, 0x6666666666666666, 0x6666666666666666, 0x6666666666666666, 0],
  16,
);

/** Four times d, the root of -1, and 1. */
const D = memory.data(144, 16);
const ROOT = memory.data(144, 16);
export const ONE: usize = memory.data(144, 16);
/** 1, 1, 2, 2 d */
const PREPARING = memory.data(144, 16);
/** The base point. */
export const BASE: usize = memory.data(144, 16);

function setLane(four: usize, i: u32, lane: u32, value: i32): void {
  store<i32>(four + 16 * i + 4 * lane, value);
}

function getLane(four: usize, i: u32, lane: u32): i32 {
  return load<i32>(four + 16 * i + 4 * lane);
}

/** Makes the constants. */
export function prepareConstants(): void {
  for (let lane: u32 = 0; lane < 4; lane++) {
    decode(D, lane, D_BYTES);
    decode(ROOT, lane, ROOT_BYTES);
    setLane(ONE, 0, lane, 1);
    setLane(PREPARING, 0, lane, lane == 2 ? 2 : 1);
  }
  for (let i: u32 = 0; i < 9; i++) setLane(PREPARING, i, 3, 2 * getLane(D, i, 3));
  queuePoint(BASE_BYTES, BASE);
  decodePoints();
}

export function setNeutral(p: usize): void {
  memory.fill(p, 0, FOUR);
  setLane(p, 0, 1, 1);
  setLane(p, 0, 2, 1);
}

/** The products E F, G H, F G, E H of `q`'s lanes E, G, F, H, where it is limb `at`. */
function split(q: v128, at: u32): void {
  v128.store(L + at, v128.shuffle<i32>(q, q, 0, 1, 2, 0));
  v128.store(R + at, v128.shuffle<i32>(q, q, 2, 3, 1, 3));
}

export function double(p: usize): void {
  const last = i32x4(0, 0, 0, -1);
  const third = i32x4(0, 0, -1, 0);
  for (let at: u32 = 0; at < FOUR; at += 16) {
    const v = v128.load(p + at);
    const x = v128.and(v128.shuffle<i32>(v, v, 0, 0, 0, 0), last);
    v128.store(L + at, i32x4.add(v128.shuffle<i32>(v, v, 0, 1, 2, 1), x));
  }
  square(L, L);
  for (let at: u32 = 0; at < FOUR; at += 16) {
    const v = v128.load(L + at);
    const u = v128.andnot(v128.shuffle<i32>(v, v, 3, 1, 1, 1), last);
    const w = v128.shuffle<i32>(v, v, 0, 0, 0, 0);
    const x = v128.and(v128.shuffle<i32>(v, v, 1, 1, 2, 1), i32x4(-1, 0, -1, -1));
    split(i32x4.sub(i32x4.sub(u, w), i32x4.add(x, v128.and(x, third))), at);
  }
  multiply(p, L, R);
}

/** Y - X, Y + X, Z, T */
function differences(out: usize, p: usize): void {
  const first = i32x4(-1, 0, 0, 0);
  for (let at: u32 = 0; at < FOUR; at += 16) {
    const v = v128.load(p + at);
    const x = v128.and(v128.shuffle<i32>(v, v, 0, 0, 0, 0), i32x4(-1, -1, 0, 0));
    v128.store(out + at, i32x4.add(v128.shuffle<i32>(v, v, 1, 1, 2, 3), i32x4.sub(v128.xor(x, first), first)));
  }
}

/** Adds a prepared point to `p`. */
export function addPrepared(p: usize, prepared: usize): void {
  const odd = i32x4(-1, 0, -1, 0);
  differences(L, p);
  multiply(L, L, prepared);
  for (let at: u32 = 0; at < FOUR; at += 16) {
    const v = v128.load(L + at);
    const w = v128.shuffle<i32>(v, v, 0, 3, 3, 0);
    split(i32x4.add(v128.shuffle<i32>(v, v, 1, 2, 2, 1), i32x4.sub(v128.xor(w, odd), odd)), at);
  }
  multiply(p, L, R);
}

export function prepare(out: usize, p: usize): void {
  differences(L, p);
  multiply(out, L, PREPARING);
}

const NEGATED = memory.data(144, 16);

/** Adds a prepared point, or subtracts it: that is public. */
export function addSigned(p: usize, prepared: usize, negative: bool): void {
  if (negative) {
    const last = i32x4(0, 0, 0, -1);
    for (let at: u32 = 0; at < FOUR; at += 16) {
      const v = v128.load(prepared + at);
      v128.store(NEGATED + at, i32x4.sub(v128.xor(v128.shuffle<i32>(v, v, 1, 0, 2, 3), last), last));
    }
    prepared = NEGATED;
  }
  addPrepared(p, prepared);
}

/** Multiples 1 to 128 of 2^(16 i) B, i = 0, …, 15, prepared. */
export const BASE_TABLE: usize = memory.data(294912, 16);
export const BASE_MULTIPLES: u32 = 128;

const STEP = memory.data(144, 16);
const SUM = memory.data(144, 16);

/** Prepares m 2^(16 i) p, m = 1, …, `multiples`, i = 0, …, 15. Uses `p` up. */
export function makeComb(table: usize, p: usize, multiples: u32): void {
  for (let i = 0; i < 16; i++) {
    if (i > 0) for (let n = 0; n < 16; n++) double(p);
    prepare(STEP, p);
    copy(SUM, p);
    copy(table, STEP);
    for (let m: u32 = 1; m < multiples; m++) {
      addPrepared(SUM, STEP);
      prepare(table + m * FOUR, SUM);
    }
    table += multiples * FOUR;
  }
}

/** Prepares p, 3 p, …, 15 p. */
export function makeOddMultiples(table: usize, p: usize): void {
  copy(SUM, p);
  double(SUM);
  prepare(STEP, SUM);
  copy(SUM, p);
  for (let i: u32 = 0; i < 8; i++) {
    prepare(table + i * FOUR, SUM);
    addPrepared(SUM, STEP);
  }
}

export function negate(p: usize): void {
  const odd = i32x4(-1, 0, 0, -1);
  for (let at: u32 = 0; at < FOUR; at += 16) {
    v128.store(p + at, i32x4.sub(v128.xor(v128.load(p + at), odd), odd));
  }
}

const SCRATCH = memory.data(144, 16);
/** An encoded element, and room for what `decode` reads beyond it. */
const BYTES = memory.data(40, 16);

/** Whether a lane of what is not reduced is zero. */
function isZero(lane: u32): bool {
  encode(BYTES, SCRATCH, lane);
  return !(load<u64>(BYTES) | load<u64>(BYTES, 8) | load<u64>(BYTES, 16) | load<u64>(BYTES, 24));
}

/** Whether `p` is the point that `decodePoints` left at `affine`. */
export function equals(p: usize, affine: usize): bool {
  for (let at: u32 = 0; at < FOUR; at += 16) {
    const v = v128.load(p + at);
    v128.store(SCRATCH + at, v128.shuffle<i32>(v, v, 2, 2, 2, 2));
  }
  multiply(SCRATCH, SCRATCH, affine);
  subtract(SCRATCH, SCRATCH, p);
  multiply(SCRATCH, SCRATCH, ONE);
  return isZero(0) && isZero(1);
}

const QUEUE = memory.data(32, 16);
const Y = memory.data(144, 16);
const U = memory.data(144, 16);
const V = memory.data(144, 16);
const V3 = memory.data(144, 16);
const X = memory.data(144, 16);
const POWER = memory.data(144, 16);

let queued: u32 = 0;

/** Has the point that is encoded at `bytes` decoded to `out`: at once if it is the fourth, else by `decodePoints`. */
export function queuePoint(bytes: usize, out: usize): void {
  store<u32>(QUEUE + 8 * queued, <u32>bytes);
  store<u32>(QUEUE + 8 * queued, <u32>out, 4);
  if (++queued == 4) decodePoints();
}

/**
 * Decodes what was queued (RFC 8032 §5.1.3). What is off the curve or not in its one encoding becomes a point with Z = 0, which nothing
 * equals.
 */
export function decodePoints(): void {
  if (queued == 0) return;
  for (let lane: u32 = 0; lane < queued; lane++) decode(Y, lane, load<u32>(QUEUE + 8 * lane));
  square(U, Y);
  multiply(V, D, U);
  subtract(U, U, ONE); // y² - 1
  addField(V, V, ONE); // d y² + 1
  square(V3, V);
  multiply(V3, V3, V);
  square(X, V3);
  multiply(X, X, V); // v^7
  multiply(X, X, U);
  power(POWER, X);
  multiply(X, V3, U);
  multiply(X, X, POWER); // u v³ (u v^7)^((p - 5) / 8)
  // V3 becomes v x², POWER the other root.
  square(V3, X);
  multiply(V3, V3, V);
  multiply(POWER, X, ROOT);
  let valid: u32 = 0;
  let other: u32 = 0;
  subtract(SCRATCH, V3, U);
  multiply(SCRATCH, SCRATCH, ONE);
  for (let lane: u32 = 0; lane < queued; lane++) if (isZero(lane)) valid |= 1 << lane;
  addField(SCRATCH, V3, U);
  multiply(SCRATCH, SCRATCH, ONE);
  for (let lane: u32 = 0; lane < queued; lane++) if (isZero(lane)) other |= 1 << lane;
  for (let lane: u32 = 0; lane < queued; lane++) {
    const encoded = load<u32>(QUEUE + 8 * lane);
    const sign = load<u8>(encoded, 31) >> 7;
    const from = (valid >> lane) & 1 ? X : POWER;
    encode(BYTES, from, lane);
    const parity = load<u8>(BYTES) & 1;
    for (let i: u32 = 0; i < 9; i++) {
      const x = getLane(from, i, lane);
      setLane(X, i, lane, parity == sign ? x : -x);
    }
    // What is left is x = 0 with a sign, and y that is not below p.
    let isOne = ((valid | other) >> lane) & 1 && !(parity == 0 && sign == 1 && isNull(BYTES));
    encode(BYTES, Y, lane);
    store<u8>(BYTES, load<u8>(BYTES, 31) | (sign << 7), 31);
    for (let i: u32 = 0; i < 32; i += 8) if (load<u64>(BYTES + i) != load<u64>(encoded + i)) isOne = false;
    if (!isOne) valid &= ~(1 << lane);
    else valid |= 1 << lane;
  }
  multiply(V, X, Y);
  for (let lane: u32 = 0; lane < queued; lane++) {
    const out = load<u32>(QUEUE + 8 * lane, 4);
    memory.fill(out, 0, FOUR);
    if (!((valid >> lane) & 1)) continue;
    for (let i: u32 = 0; i < 9; i++) {
      setLane(out, i, 0, getLane(X, i, lane));
      setLane(out, i, 1, getLane(Y, i, lane));
      setLane(out, i, 3, getLane(V, i, lane));
    }
    setLane(out, 0, 2, 1);
  }
  queued = 0;
}

function isNull(bytes: usize): bool {
  return !(load<u64>(bytes) | load<u64>(bytes, 8) | load<u64>(bytes, 16) | load<u64>(bytes, 24));
}

/** Whether `decodePoints` found a point. */
export function isPoint(p: usize): bool {
  return load<i32>(p, 8) != 0;
}

export function erasePoints(): void {
  memory.fill(L, 0, FOUR);
  memory.fill(R, 0, FOUR);
  eraseField();
}
