/**
 * Poly1305 (RFC 8439 §2.5) for messages of whole blocks, which is what the AEAD makes.
 *
 * Numbers modulo 2^130 - 5 are five limbs of 26 bits: products of limbs and sums of five of them stay below 2^64, and
 * 2^130 ≡ 5 brings what exceeds the fifth limb back to the first. Constant time: products, additions and shifts only.
 */

/** The limbs of r, of the accumulator. */
const R = memory.data(40, 16);
const STATE = memory.data(40, 16);

const LIMB: u64 = 0x3ffffff;

/** Starts with the clamped 16 bytes r at `key`. */
export function start(key: usize): void {
  store<u64>(R, load<u32>(key) & 0x3ffffff);
  store<u64>(R, (load<u32>(key, 3) >> 2) & 0x3ffff03, 8);
  store<u64>(R, (load<u32>(key, 6) >> 4) & 0x3ffc0ff, 16);
  store<u64>(R, (load<u32>(key, 9) >> 6) & 0x3f03fff, 24);
  store<u64>(R, (load<u32>(key, 12) >> 8) & 0x00fffff, 32);
  memory.fill(STATE, 0, 40);
}

/** Absorbs `blocks` blocks of 16 bytes at `p`. */
export function update(p: usize, blocks: u32): void {
  const r0 = load<u64>(R);
  const r1 = load<u64>(R, 8);
  const r2 = load<u64>(R, 16);
  const r3 = load<u64>(R, 24);
  const r4 = load<u64>(R, 32);
  const s1 = r1 * 5;
  const s2 = r2 * 5;
  const s3 = r3 * 5;
  const s4 = r4 * 5;
  let h0 = load<u64>(STATE);
  let h1 = load<u64>(STATE, 8);
  let h2 = load<u64>(STATE, 16);
  let h3 = load<u64>(STATE, 24);
  let h4 = load<u64>(STATE, 32);
  for (; blocks; --blocks, p += 16) {
    h0 += (<u64>load<u32>(p)) & LIMB;
    h1 += (<u64>(load<u32>(p, 3) >> 2)) & LIMB;
    h2 += (<u64>(load<u32>(p, 6) >> 4)) & LIMB;
    h3 += <u64>(load<u32>(p, 9) >> 6);
    h4 += <u64>((load<u32>(p, 12) >> 8) | 0x1000000);
    let d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1;
    let d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2;
    let d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3;
    let d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4;
    let d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0;
    d1 += d0 >> 26;
    d2 += d1 >> 26;
    d3 += d2 >> 26;
    d4 += d3 >> 26;
    d0 = (d0 & LIMB) + (d4 >> 26) * 5;
    h0 = d0 & LIMB;
    h1 = (d1 & LIMB) + (d0 >> 26);
    h2 = d2 & LIMB;
    h3 = d3 & LIMB;
    h4 = d4 & LIMB;
  }
  store<u64>(STATE, h0);
  store<u64>(STATE, h1, 8);
  store<u64>(STATE, h2, 16);
  store<u64>(STATE, h3, 24);
  store<u64>(STATE, h4, 32);
}

/** Writes the accumulator plus the 16 bytes s at `mask`, modulo 2^128, to `out`. */
export function finish(mask: usize, out: usize): void {
  let h0 = load<u64>(STATE);
  let h1 = load<u64>(STATE, 8);
  let h2 = load<u64>(STATE, 16);
  let h3 = load<u64>(STATE, 24);
  let h4 = load<u64>(STATE, 32);
  h2 += h1 >> 26;
  h1 &= LIMB;
  h3 += h2 >> 26;
  h2 &= LIMB;
  h4 += h3 >> 26;
  h3 &= LIMB;
  h0 += (h4 >> 26) * 5;
  h4 &= LIMB;
  h1 += h0 >> 26;
  h0 &= LIMB;

  // g = h + 5 - 2^130 is the reduced value when it is not negative.
  const g0 = h0 + 5;
  const g1 = h1 + (g0 >> 26);
  const g2 = h2 + (g1 >> 26);
  const g3 = h3 + (g2 >> 26);
  const g4 = h4 + (g3 >> 26) - (1 << 26);
  const keep = (g4 >> 63) - 1;
  h0 ^= (h0 ^ (g0 & LIMB)) & keep;
  h1 ^= (h1 ^ (g1 & LIMB)) & keep;
  h2 ^= (h2 ^ (g2 & LIMB)) & keep;
  h3 ^= (h3 ^ (g3 & LIMB)) & keep;
  h4 ^= (h4 ^ (g4 & LIMB)) & keep;

  let sum = (h0 | (h1 << 26)) & 0xffffffff;
  sum += load<u32>(mask);
  store<u32>(out, <u32>sum);
  sum = (((h1 >> 6) | (h2 << 20)) & 0xffffffff) + (sum >> 32) + load<u32>(mask, 4);
  store<u32>(out, <u32>sum, 4);
  sum = (((h2 >> 12) | (h3 << 14)) & 0xffffffff) + (sum >> 32) + load<u32>(mask, 8);
  store<u32>(out, <u32>sum, 8);
  sum = (((h3 >> 18) | (h4 << 8)) & 0xffffffff) + (sum >> 32) + load<u32>(mask, 12);
  store<u32>(out, <u32>sum, 12);
}

/** Erases key and state. */
export function erase(): void {
  memory.fill(R, 0, 40);
  memory.fill(STATE, 0, 40);
}
