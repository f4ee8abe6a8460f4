/**
 * ChaCha20 block function (RFC 8439 §2.3), four blocks at a time, each with a key, nonce and counter of its own.
 *
 * Vector `i` holds word `i` of the four states, so that the rounds need no permutation; only the output is transposed.
 */

/** Lanes: blocks that are made together. */
export const LANES: u32 = 4;

/** Sixteen vectors of the states to begin with. */
const INITIAL = memory.data(256, 16);

/** Gives lane `lane` a key of 32 bytes, a nonce of 12 and the counter of its next block. */
export function setLane(lane: u32, key: usize, nonce: usize, counter: u32): void {
  const p = INITIAL + (lane << 2);
  // "expand 32-byte k"
  store<u32>(p, 0x61707865);
  store<u32>(p, 0x3320646e, 16);
  store<u32>(p, 0x79622d32, 32);
  store<u32>(p, 0x6b206574, 48);
  for (let i: usize = 0; i < 8; i++) store<u32>(p + (i << 4), load<u32>(key + (i << 2)), 64);
  store<u32>(p, counter, 192);
  for (let i: usize = 0; i < 3; i++) store<u32>(p + (i << 4), load<u32>(nonce + (i << 2)), 208);
}

/** Writes the next block of every lane to `out`, 256 bytes, and adds `step` to the counters. */
export function next(out: usize, step: u32): void {
  let x0 = v128.load(INITIAL);
  let x1 = v128.load(INITIAL, 16);
  let x2 = v128.load(INITIAL, 32);
  let x3 = v128.load(INITIAL, 48);
  let x4 = v128.load(INITIAL, 64);
  let x5 = v128.load(INITIAL, 80);
  let x6 = v128.load(INITIAL, 96);
  let x7 = v128.load(INITIAL, 112);
  let x8 = v128.load(INITIAL, 128);
  let x9 = v128.load(INITIAL, 144);
  let x10 = v128.load(INITIAL, 160);
  let x11 = v128.load(INITIAL, 176);
  let x12 = v128.load(INITIAL, 192);
  let x13 = v128.load(INITIAL, 208);
  let x14 = v128.load(INITIAL, 224);
  let x15 = v128.load(INITIAL, 240);
  for (let i = 0; i < 10; i++) {
    x0 = i32x4.add(x0, x4);
    x12 = rotate16(v128.xor(x12, x0));
    x8 = i32x4.add(x8, x12);
    x4 = rotate12(v128.xor(x4, x8));
    x0 = i32x4.add(x0, x4);
    x12 = rotate8(v128.xor(x12, x0));
    x8 = i32x4.add(x8, x12);
    x4 = rotate7(v128.xor(x4, x8));
    x1 = i32x4.add(x1, x5);
    x13 = rotate16(v128.xor(x13, x1));
    x9 = i32x4.add(x9, x13);
    x5 = rotate12(v128.xor(x5, x9));
    x1 = i32x4.add(x1, x5);
    x13 = rotate8(v128.xor(x13, x1));
    x9 = i32x4.add(x9, x13);
    x5 = rotate7(v128.xor(x5, x9));
    x2 = i32x4.add(x2, x6);
    x14 = rotate16(v128.xor(x14, x2));
    x10 = i32x4.add(x10, x14);
    x6 = rotate12(v128.xor(x6, x10));
    x2 = i32x4.add(x2, x6);
    x14 = rotate8(v128.xor(x14, x2));
    x10 = i32x4.add(x10, x14);
    x6 = rotate7(v128.xor(x6, x10));
    x3 = i32x4.add(x3, x7);
    x15 = rotate16(v128.xor(x15, x3));
    x11 = i32x4.add(x11, x15);
    x7 = rotate12(v128.xor(x7, x11));
    x3 = i32x4.add(x3, x7);
    x15 = rotate8(v128.xor(x15, x3));
    x11 = i32x4.add(x11, x15);
    x7 = rotate7(v128.xor(x7, x11));
    x0 = i32x4.add(x0, x5);
    x15 = rotate16(v128.xor(x15, x0));
    x10 = i32x4.add(x10, x15);
    x5 = rotate12(v128.xor(x5, x10));
    x0 = i32x4.add(x0, x5);
    x15 = rotate8(v128.xor(x15, x0));
    x10 = i32x4.add(x10, x15);
    x5 = rotate7(v128.xor(x5, x10));
    x1 = i32x4.add(x1, x6);
    x12 = rotate16(v128.xor(x12, x1));
    x11 = i32x4.add(x11, x12);
    x6 = rotate12(v128.xor(x6, x11));
    x1 = i32x4.add(x1, x6);
    x12 = rotate8(v128.xor(x12, x1));
    x11 = i32x4.add(x11, x12);
    x6 = rotate7(v128.xor(x6, x11));
    x2 = i32x4.add(x2, x7);
    x13 = rotate16(v128.xor(x13, x2));
    x8 = i32x4.add(x8, x13);
    x7 = rotate12(v128.xor(x7, x8));
    x2 = i32x4.add(x2, x7);
    x13 = rotate8(v128.xor(x13, x2));
    x8 = i32x4.add(x8, x13);
    x7 = rotate7(v128.xor(x7, x8));
    x3 = i32x4.add(x3, x4);
    x14 = rotate16(v128.xor(x14, x3));
    x9 = i32x4.add(x9, x14);
    x4 = rotate12(v128.xor(x4, x9));
    x3 = i32x4.add(x3, x4);
    x14 = rotate8(v128.xor(x14, x3));
    x9 = i32x4.add(x9, x14);
    x4 = rotate7(v128.xor(x4, x9));
  }
  transpose(out, 0, x0, x1, x2, x3);
  transpose(out + 16, 64, x4, x5, x6, x7);
  transpose(out + 32, 128, x8, x9, x10, x11);
  transpose(out + 48, 192, x12, x13, x14, x15);
  v128.store(INITIAL, i32x4.add(v128.load(INITIAL, 192), i32x4.splat(step)), 192);
}

/** Erases the states. */
export function erase(): void {
  memory.fill(INITIAL, 0, 256);
}

/** Adds four words of the initial states and writes them lane by lane, 64 bytes apart. */
function transpose(out: usize, initial: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  const p = INITIAL + initial;
  const a0 = i32x4.add(x0, v128.load(p));
  const a1 = i32x4.add(x1, v128.load(p, 16));
  const a2 = i32x4.add(x2, v128.load(p, 32));
  const a3 = i32x4.add(x3, v128.load(p, 48));
  const b0 = v128.shuffle<i32>(a0, a1, 0, 4, 1, 5);
  const b1 = v128.shuffle<i32>(a2, a3, 0, 4, 1, 5);
  const b2 = v128.shuffle<i32>(a0, a1, 2, 6, 3, 7);
  const b3 = v128.shuffle<i32>(a2, a3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<i64>(b0, b1, 0, 2));
  v128.store(out, v128.shuffle<i64>(b0, b1, 1, 3), 64);
  v128.store(out, v128.shuffle<i64>(b2, b3, 0, 2), 128);
  v128.store(out, v128.shuffle<i64>(b2, b3, 1, 3), 192);
}

function rotate16(x: v128): v128 {
  return v128.shuffle<i16>(x, x, 1, 0, 3, 2, 5, 4, 7, 6);
}

function rotate12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20));
}

function rotate8(x: v128): v128 {
  return v128.swizzle(x, i8x16(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14));
}

function rotate7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25));
}
