/**
 * Field elements modulo 2^255 - 19, four at a time: `field-products.mjs` says how they lie in memory and which sums of them may be
 * multiplied. Everything here takes the same time whatever the elements are.
 */
import { multiply, square } from "./field-products";

export { multiply, square };

/** Bytes of four elements. */
export const FOUR: u32 = 144;

const T0 = memory.data(144, 16);
const T1 = memory.data(144, 16);
const T2 = memory.data(144, 16);

/** Where limb i begins, in bits. */
function start(i: u32): u32 {
  return (255 * i + 8) / 9;
}

function width(i: u32): u64 {
  return i % 3 == 0 ? 29 : 28;
}

/** Reads an element, 255 bits at `bytes`, into a lane. Eight bytes beyond it are read and not used. */
export function decode(four: usize, lane: u32, bytes: usize): void {
  for (let i: u32 = 0; i < 9; i++) {
    const at = start(i);
    const word = (load<u64>(bytes + (at >> 3)) >> ((<u64>at) & 7)) & (((<u64>1) << width(i)) - 1);
    store<u32>(four + 16 * i + 4 * lane, <u32>word);
  }
}

/** Writes the one encoding of a reduced element, 32 bytes. */
export function encode(out: usize, four: usize, lane: u32): void {
  let q: i64 = (19 * <i64>load<i32>(four + 4 * lane, 128) + (1 << 27)) >> 28;
  for (let i: u32 = 0; i < 9; i++) q = (<i64>load<i32>(four + 16 * i + 4 * lane) + q) >> width(i);
  let carry = 19 * q;
  memory.fill(out, 0, 32);
  for (let i: u32 = 0; i < 9; i++) {
    const bits = width(i);
    const value = <i64>load<i32>(four + 16 * i + 4 * lane) + carry;
    carry = value >> bits;
    // Eight bytes from the last limb's first one on would be beyond the 32.
    const at = start(i);
    const limb = <u64>(value & (((<i64>1) << bits) - 1));
    const p = out + min<u32>(at >> 3, 24);
    store<u64>(p, load<u64>(p) | (limb << (<u64>at - 8 * <u64>(p - out))));
  }
}

export function copy(out: usize, four: usize): void {
  memory.copy(out, four, FOUR);
}

/** `out` = `a` ^ 2^n; n > 0. */
export function squareTimes(out: usize, a: usize, n: u32): void {
  square(out, a);
  while (--n) square(out, out);
}

/** `out` = z^(2^252 - 3): what square roots are made from, and inverses. `out` is not `z`. */
export function power(out: usize, z: usize): void {
  square(T0, z); // 2
  squareTimes(T1, T0, 2); // 8
  multiply(T1, z, T1); // 9
  multiply(T0, T0, T1); // 11
  square(T0, T0); // 22
  multiply(T0, T1, T0); // 2^5 - 1
  squareTimes(T1, T0, 5);
  multiply(T0, T1, T0); // 2^10 - 1
  squareTimes(T1, T0, 10);
  multiply(T1, T1, T0); // 2^20 - 1
  squareTimes(T2, T1, 20);
  multiply(T1, T2, T1); // 2^40 - 1
  squareTimes(T1, T1, 10);
  multiply(T0, T1, T0); // 2^50 - 1
  squareTimes(T1, T0, 50);
  multiply(T1, T1, T0); // 2^100 - 1
  squareTimes(T2, T1, 100);
  multiply(T1, T2, T1); // 2^200 - 1
  squareTimes(T1, T1, 50);
  multiply(T0, T1, T0); // 2^250 - 1
  squareTimes(T0, T0, 2);
  multiply(out, T0, z);
}

/** `out` = 1 / z, and 0 for 0: z^(p - 2) = (z^(2^252 - 3))^8 · z^3. `out` is not `z`. */
export function invert(out: usize, z: usize): void {
  power(out, z);
  squareTimes(out, out, 3);
  multiply(out, out, z);
  square(T0, z);
  multiply(out, out, T0);
}

/** `out` = a - b. */
export function subtract(out: usize, a: usize, b: usize): void {
  for (let i: u32 = 0; i < FOUR; i += 16) v128.store(out + i, i32x4.sub(v128.load(a + i), v128.load(b + i)));
}

/** `out` = a + b. */
export function add(out: usize, a: usize, b: usize): void {
  for (let i: u32 = 0; i < FOUR; i += 16) v128.store(out + i, i32x4.add(v128.load(a + i), v128.load(b + i)));
}

export function eraseField(): void {
  memory.fill(T0, 0, FOUR);
  memory.fill(T1, 0, FOUR);
  memory.fill(T2, 0, FOUR);
}
