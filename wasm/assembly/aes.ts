/**
 * AES-128 and AES-256 encryption (FIPS 197), bitsliced: eight blocks at a time, each under a key of its own.
 *
 * Constant time: no look-up and no branch depends on a key or a block. The state is eight vectors, of which vector `i`
 * holds bit `i` of every byte: byte `p` of it has that bit of byte `p` of block 0 in bit 0, of block 1 in bit 1, and so
 * on (Käsper and Schwabe, CHES 2009).
 *
 * Three things differ from the textbook:
 * - The bytes of a block lie row by row and not column by column. Rotating the columns, which MixColumns does twice for
 *   every vector, is then a rotation of 32-bit lanes, one cheap instruction; only ShiftRows needs a byte permutation.
 * - The key schedule runs in the same form: a pass of it makes the next round key of all eight keys.
 * - The constant 0x63 of the S-box passes unchanged through ShiftRows and MixColumns, so it is added to the round keys.
 */

/** Lanes: blocks that are encrypted together. */
export const LANES: u32 = 8;

/** Round keys: up to 15 of eight vectors. */
const ROUND_KEYS = memory.data(1920, 16);
/** The state. */
const STATE = memory.data(128, 16);

/** Row by row to column by column, and back. */
const TRANSPOSE = i8x16(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
const SHIFT_ROWS = i8x16(0, 1, 2, 3, 5, 6, 7, 4, 10, 11, 8, 9, 15, 12, 13, 14);
/** The last column in all four; with RotWord. */
const LAST_COLUMN = i8x16(3, 3, 3, 3, 7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15);
const LAST_COLUMN_ROTATED = i8x16(7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15, 3, 3, 3, 3);
const ONES = i32x4.splat(-1);
const FIRST_ROW = i32x4(-1, 0, 0, 0);

let rounds: u32 = 0;

/** Gives lane `lane` its key of `keyLength` bytes, 16 or 32. */
export function setKey(lane: u32, key: usize, keyLength: u32): void {
  setLane(ROUND_KEYS, lane, v128.load(key));
  if (keyLength == 32) setLane(ROUND_KEYS + 128, lane, v128.load(key, 16));
}

/** Expands the keys of all lanes. */
export function expandKeys(keyLength: u32): void {
  const halves = keyLength >> 4;
  rounds = keyLength == 16 ? 10 : 14;
  bitslice(ROUND_KEYS);
  if (halves == 2) bitslice(ROUND_KEYS + 128);
  let rcon: u32 = 1;
  for (let round = halves; round <= rounds; round++) {
    const k = ROUND_KEYS + (round << 7);
    memory.copy(STATE, k - 128, 128);
    subBytes();
    // AES-256 has a second half without RotWord and round constant.
    const first = halves == 1 || (round & 1) == 0;
    const column = first ? LAST_COLUMN_ROTATED : LAST_COLUMN;
    for (let i: u32 = 0; i < 8; i++) {
      let word = v128.swizzle(v128.load(STATE + (i << 4)), column);
      if ((0x63 >> i) & 1) word = v128.not(word);
      if (first && ((rcon >> i) & 1) != 0) word = v128.xor(word, FIRST_ROW);
      let prior = v128.load(k - (halves << 7) + (i << 4));
      prior = v128.xor(prior, i32x4.shl(prior, 8));
      prior = v128.xor(prior, i32x4.shl(prior, 16));
      v128.store(k + (i << 4), v128.xor(prior, word));
    }
    if (first) rcon = (rcon << 1) ^ ((rcon >> 7) * 0x11b);
  }
  for (let k = ROUND_KEYS + 128, end = k + (rounds << 7); k < end; k += 128) {
    for (let i: u32 = 0; i < 8; i++) {
      if ((0x63 >> i) & 1) v128.store(k + (i << 4), v128.xor(v128.load(k + (i << 4)), ONES));
    }
  }
}

/** Gives lane `lane` the block at `p`. */
export function setBlock(lane: u32, p: usize): void {
  setLane(STATE, lane, v128.load(p));
}

/** Encrypts the blocks of all lanes to `out`, 128 bytes. */
export function encrypt(out: usize): void {
  bitslice(STATE);
  for (let p: usize = 0; p < 128; p += 16) {
    v128.store(STATE + p, v128.xor(v128.load(STATE + p), v128.load(ROUND_KEYS + p)));
  }
  let k = ROUND_KEYS + 128;
  for (let round: u32 = 1; round < rounds; round++, k += 128) {
    subBytes();
    mixColumns(k);
  }
  subBytes();
  for (let p: usize = 0; p < 128; p += 16) {
    v128.store(STATE + p, v128.xor(shiftedRows(p), v128.load(k + p)));
  }
  bitslice(STATE);
  for (let p: usize = 0; p < 128; p += 16) v128.store(out + p, v128.swizzle(v128.load(STATE + p), TRANSPOSE));
}

/** Erases keys and state. */
export function erase(): void {
  memory.fill(ROUND_KEYS, 0, 1920);
  memory.fill(STATE, 0, 128);
}

function setLane(p: usize, lane: u32, block: v128): void {
  v128.store(p + (lane << 4), v128.swizzle(block, TRANSPOSE));
}

function shiftedRows(p: usize): v128 {
  return v128.swizzle(v128.load(STATE + p), SHIFT_ROWS);
}

/** Row `r` takes the place of row `r - 1`. */
function rotate(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 1, 2, 3, 0);
}

/** xtime(t) ^ rotate(a) ^ rotate(rotate(t)) ^ key, for `t = a ^ rotate(a)`. */
function mixed(xt: v128, b: v128, t: v128, k: usize): v128 {
  return v128.xor(v128.xor(xt, b), v128.xor(v128.shuffle<i32>(t, t, 2, 3, 0, 1), v128.load(k)));
}

/** ShiftRows, MixColumns and AddRoundKey. */
function mixColumns(k: usize): void {
  const a0 = shiftedRows(0);
  const a1 = shiftedRows(16);
  const a2 = shiftedRows(32);
  const a3 = shiftedRows(48);
  const a4 = shiftedRows(64);
  const a5 = shiftedRows(80);
  const a6 = shiftedRows(96);
  const a7 = shiftedRows(112);
  const b0 = rotate(a0);
  const t0 = v128.xor(a0, b0);
  const b1 = rotate(a1);
  const t1 = v128.xor(a1, b1);
  const b2 = rotate(a2);
  const t2 = v128.xor(a2, b2);
  const b3 = rotate(a3);
  const t3 = v128.xor(a3, b3);
  const b4 = rotate(a4);
  const t4 = v128.xor(a4, b4);
  const b5 = rotate(a5);
  const t5 = v128.xor(a5, b5);
  const b6 = rotate(a6);
  const t6 = v128.xor(a6, b6);
  const b7 = rotate(a7);
  const t7 = v128.xor(a7, b7);
  v128.store(STATE, mixed(t7, b0, t0, k));
  v128.store(STATE, mixed(v128.xor(t0, t7), b1, t1, k + 16), 16);
  v128.store(STATE, mixed(t1, b2, t2, k + 32), 32);
  v128.store(STATE, mixed(v128.xor(t2, t7), b3, t3, k + 48), 48);
  v128.store(STATE, mixed(v128.xor(t3, t7), b4, t4, k + 64), 64);
  v128.store(STATE, mixed(t4, b5, t5, k + 80), 80);
  v128.store(STATE, mixed(t5, b6, t6, k + 96), 96);
  v128.store(STATE, mixed(t6, b7, t7, k + 112), 112);
}

/** Transposes the 8 by 8 bits that byte `p` of eight vectors makes up. Its own inverse. */
function bitslice(p: usize): void {
  exchange(p, 1, 16, 0x55);
  exchange(p, 2, 32, 0x33);
  exchange(p, 4, 64, 0x0f);
}

/** Exchanges bits `shift` apart between vectors `distance` bytes apart. */
function exchange(p: usize, shift: i32, distance: usize, byte: u8): void {
  const mask = i8x16.splat(byte);
  for (let i: usize = 0; i < 128; i += 16) {
    if (i & distance) continue;
    const q = p + i;
    const a = v128.load(q);
    const b = v128.load(q + distance);
    const t = v128.and(v128.xor(i64x2.shr_u(a, shift), b), mask);
    v128.store(q, v128.xor(a, i64x2.shl(t, shift)));
    v128.store(q + distance, v128.xor(b, t));
  }
}

/** SubBytes without the constant 0x63, by the circuit of Boyar and Peralta (2010). */
function subBytes(): void {
  const x7 = v128.load(STATE);
  const x6 = v128.load(STATE, 16);
  const x5 = v128.load(STATE, 32);
  const x4 = v128.load(STATE, 48);
  const x3 = v128.load(STATE, 64);
  const x2 = v128.load(STATE, 80);
  const x1 = v128.load(STATE, 96);
  const x0 = v128.load(STATE, 112);

  // Top linear layer.
  const y14 = v128.xor(x3, x5);
  const y13 = v128.xor(x0, x6);
  const y9 = v128.xor(x0, x3);
  const y8 = v128.xor(x0, x5);
  const t0 = v128.xor(x1, x2);
  const y1 = v128.xor(t0, x7);
  const y4 = v128.xor(y1, x3);
  const y12 = v128.xor(y13, y14);
  const y2 = v128.xor(y1, x0);
  const y5 = v128.xor(y1, x6);
  const y3 = v128.xor(y5, y8);
  const t1 = v128.xor(x4, y12);
  const y15 = v128.xor(t1, x5);
  const y20 = v128.xor(t1, x1);
  const y6 = v128.xor(y15, x7);
  const y10 = v128.xor(y15, t0);
  const y11 = v128.xor(y20, y9);
  const y7 = v128.xor(x7, y11);
  const y17 = v128.xor(y10, y11);
  const y19 = v128.xor(y10, y8);
  const y16 = v128.xor(t0, y11);
  const y21 = v128.xor(y13, y16);
  const y18 = v128.xor(x0, y16);

  // Inversion in GF(2^4)^2.
  const t2 = v128.and(y12, y15);
  const t3 = v128.and(y3, y6);
  const t4 = v128.xor(t3, t2);
  const t5 = v128.and(y4, x7);
  const t6 = v128.xor(t5, t2);
  const t7 = v128.and(y13, y16);
  const t8 = v128.and(y5, y1);
  const t9 = v128.xor(t8, t7);
  const t10 = v128.and(y2, y7);
  const t11 = v128.xor(t10, t7);
  const t12 = v128.and(y9, y11);
  const t13 = v128.and(y14, y17);
  const t14 = v128.xor(t13, t12);
  const t15 = v128.and(y8, y10);
  const t16 = v128.xor(t15, t12);
  const t17 = v128.xor(t4, t14);
  const t18 = v128.xor(t6, t16);
  const t19 = v128.xor(t9, t14);
  const t20 = v128.xor(t11, t16);
  const t21 = v128.xor(t17, y20);
  const t22 = v128.xor(t18, y19);
  const t23 = v128.xor(t19, y21);
  const t24 = v128.xor(t20, y18);
  const t25 = v128.xor(t21, t22);
  const t26 = v128.and(t21, t23);
  const t27 = v128.xor(t24, t26);
  const t28 = v128.and(t25, t27);
  const t29 = v128.xor(t28, t22);
  const t30 = v128.xor(t23, t24);
  const t31 = v128.xor(t22, t26);
  const t32 = v128.and(t31, t30);
  const t33 = v128.xor(t32, t24);
  const t34 = v128.xor(t23, t33);
  const t35 = v128.xor(t27, t33);
  const t36 = v128.and(t24, t35);
  const t37 = v128.xor(t36, t34);
  const t38 = v128.xor(t27, t36);
  const t39 = v128.and(t29, t38);
  const t40 = v128.xor(t25, t39);
  const t41 = v128.xor(t40, t37);
  const t42 = v128.xor(t29, t33);
  const t43 = v128.xor(t29, t40);
  const t44 = v128.xor(t33, t37);
  const t45 = v128.xor(t42, t41);
  const z0 = v128.and(t44, y15);
  const z1 = v128.and(t37, y6);
  const z2 = v128.and(t33, x7);
  const z3 = v128.and(t43, y16);
  const z4 = v128.and(t40, y1);
  const z5 = v128.and(t29, y7);
  const z6 = v128.and(t42, y11);
  const z7 = v128.and(t45, y17);
  const z8 = v128.and(t41, y10);
  const z9 = v128.and(t44, y12);
  const z10 = v128.and(t37, y3);
  const z11 = v128.and(t33, y4);
  const z12 = v128.and(t43, y13);
  const z13 = v128.and(t40, y5);
  const z14 = v128.and(t29, y2);
  const z15 = v128.and(t42, y9);
  const z16 = v128.and(t45, y14);
  const z17 = v128.and(t41, y8);

  // Bottom linear layer.
  const t46 = v128.xor(z15, z16);
  const t47 = v128.xor(z10, z11);
  const t48 = v128.xor(z5, z13);
  const t49 = v128.xor(z9, z10);
  const t50 = v128.xor(z2, z12);
  const t51 = v128.xor(z2, z5);
  const t52 = v128.xor(z7, z8);
  const t53 = v128.xor(z0, z3);
  const t54 = v128.xor(z6, z7);
  const t55 = v128.xor(z16, z17);
  const t56 = v128.xor(z12, t48);
  const t57 = v128.xor(t50, t53);
  const t58 = v128.xor(z4, t46);
  const t59 = v128.xor(z3, t54);
  const t60 = v128.xor(t46, t57);
  const t61 = v128.xor(z14, t57);
  const t62 = v128.xor(t52, t58);
  const t63 = v128.xor(t49, t58);
  const t64 = v128.xor(z4, t59);
  const t65 = v128.xor(t61, t62);
  const t66 = v128.xor(z1, t63);
  const s0 = v128.xor(t59, t63);
  const s6 = v128.xor(t56, t62);
  const s7 = v128.xor(t48, t60);
  const t67 = v128.xor(t64, t65);
  const s3 = v128.xor(t53, t66);
  const s4 = v128.xor(t51, t66);
  const s5 = v128.xor(t47, t65);
  const s1 = v128.xor(t64, s3);
  const s2 = v128.xor(t55, t67);

  v128.store(STATE, s7);
  v128.store(STATE, s6, 16);
  v128.store(STATE, s5, 32);
  v128.store(STATE, s4, 48);
  v128.store(STATE, s3, 64);
  v128.store(STATE, s2, 80);
  v128.store(STATE, s1, 96);
  v128.store(STATE, s0, 112);
}
