/**
 * GHASH (NIST SP 800-38D §6.4).
 *
 * Constant time: carry-less products are made of integer products of numbers with three zero bits between any two bits,
 * which take up the carries. An integer product keeps the low half; the high half is the low half of the product of the
 * reversed operands, reversed (Pornin, BearSSL, "ghash_ctmul64"). Karatsuba's method makes a product of 128 bits from
 * three of 64, so that a block needs six: three straight and three reversed.
 */

/** The hash key as six operands, each split in four by `MASK`. */
const KEY = memory.data(192, 16);
/** The accumulator's six operands and, in their place, the six products. */
const PRODUCTS = memory.data(48, 16);
/** The accumulator: upper 64 bits of the field element in lane 0, lower in lane 1. */
const STATE = memory.data(16, 16);

const MASK: u64 = 0x1111111111111111;

/** Starts with the hash key at `key`. */
export function start(key: usize): void {
  setOperands(swapBytes(v128.load(key)));
  for (let i: usize = 0; i < 6; i++) {
    const x = load<u64>(PRODUCTS + (i << 3));
    for (let j: usize = 0; j < 4; j++) store<u64>(KEY + (i << 5) + (j << 3), x & (MASK << j));
  }
  v128.store(STATE, i64x2.splat(0));
}

/** Absorbs `blocks` blocks of 16 bytes at `p`. */
export function update(p: usize, blocks: u32): void {
  let y = v128.load(STATE);
  for (; blocks; --blocks, p += 16) y = multiply(v128.xor(y, swapBytes(v128.load(p))));
  v128.store(STATE, y);
}

/** Writes the hash, masked with the 16 bytes at `mask`, to `out`. */
export function finish(mask: usize, out: usize): void {
  v128.store(out, v128.xor(swapBytes(v128.load(STATE)), v128.load(mask)));
}

/** Erases key and state. */
export function erase(): void {
  memory.fill(KEY, 0, 192);
  memory.fill(PRODUCTS, 0, 48);
  memory.fill(STATE, 0, 16);
}

/** Big-endian halves to lanes and back. */
function swapBytes(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);
}

/** Reverses the bits of each lane of 64. */
function reverse(x: v128): v128 {
  const m1 = i8x16.splat(0x55);
  const m2 = i8x16.splat(0x33);
  const m4 = i8x16.splat(0x0f);
  x = v128.or(i64x2.shl(v128.and(x, m1), 1), v128.and(i64x2.shr_u(x, 1), m1));
  x = v128.or(i64x2.shl(v128.and(x, m2), 2), v128.and(i64x2.shr_u(x, 2), m2));
  x = v128.or(i64x2.shl(v128.and(x, m4), 4), v128.and(i64x2.shr_u(x, 4), m4));
  return swapBytes(x);
}

/** The six operands of Karatsuba's method: upper half, lower half, their sum, and the three reversed. */
function setOperands(x: v128): void {
  const r = reverse(x);
  v128.store(PRODUCTS, x);
  store<u64>(PRODUCTS, i64x2.extract_lane(x, 0) ^ i64x2.extract_lane(x, 1), 16);
  v128.store(PRODUCTS, r, 24);
  store<u64>(PRODUCTS, i64x2.extract_lane(r, 0) ^ i64x2.extract_lane(r, 1), 40);
}

/** Product with the hash key in the field of 2^128 elements. */
function multiply(x: v128): v128 {
  setOperands(x);
  for (let p = PRODUCTS, k = KEY; p < PRODUCTS + 48; p += 8, k += 32) {
    const a = load<u64>(p);
    const a0 = a & MASK;
    const a1 = a & (MASK << 1);
    const a2 = a & (MASK << 2);
    const a3 = a & (MASK << 3);
    const b0 = load<u64>(k);
    const b1 = load<u64>(k, 8);
    const b2 = load<u64>(k, 16);
    const b3 = load<u64>(k, 24);
    const c0 = ((a0 * b0) ^ (a1 * b3) ^ (a2 * b2) ^ (a3 * b1)) & MASK;
    const c1 = ((a0 * b1) ^ (a1 * b0) ^ (a2 * b3) ^ (a3 * b2)) & (MASK << 1);
    const c2 = ((a0 * b2) ^ (a1 * b1) ^ (a2 * b0) ^ (a3 * b3)) & (MASK << 2);
    const c3 = ((a0 * b3) ^ (a1 * b2) ^ (a2 * b1) ^ (a3 * b0)) & (MASK << 3);
    store<u64>(p, c0 | c1 | c2 | c3);
  }
  const high = load<u64>(PRODUCTS);
  const low = load<u64>(PRODUCTS, 8);
  const middle = load<u64>(PRODUCTS, 16) ^ high ^ low;
  // The reversed products: upper halves of the three.
  const ends = i64x2.shr_u(reverse(v128.load(PRODUCTS, 24)), 1);
  const highUpper = <u64>i64x2.extract_lane(ends, 0);
  const lowUpper = <u64>i64x2.extract_lane(ends, 1);
  const sum = i64x2.splat(load<u64>(PRODUCTS, 40) ^ load<u64>(PRODUCTS, 24) ^ load<u64>(PRODUCTS, 32));
  const middleUpper = <u64>i64x2.extract_lane(i64x2.shr_u(reverse(sum), 1), 0);

  // 255 bits, shifted by one because GCM numbers bits from the other end.
  let v0 = low;
  let v1 = lowUpper ^ middle;
  let v2 = high ^ middleUpper;
  let v3 = highUpper;
  v3 = (v3 << 1) | (v2 >> 63);
  v2 = (v2 << 1) | (v1 >> 63);
  v1 = (v1 << 1) | (v0 >> 63);
  v0 <<= 1;

  // Reduction modulo x^128 + x^7 + x^2 + x + 1, also from the other end.
  v2 ^= v0 ^ (v0 >> 1) ^ (v0 >> 2) ^ (v0 >> 7);
  v1 ^= (v0 << 63) ^ (v0 << 62) ^ (v0 << 57);
  v3 ^= v1 ^ (v1 >> 1) ^ (v1 >> 2) ^ (v1 >> 7);
  v2 ^= (v1 << 63) ^ (v1 << 62) ^ (v1 << 57);
  return i64x2.replace_lane(i64x2.splat(v3), 1, v2);
}
