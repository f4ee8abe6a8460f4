/**
 * SHA-256 compression function (FIPS 180-4 §6.2).
 *
 * A pass of the loop is eight rounds with the working variables renamed instead of moved, beside eight steps of the message
 * schedule, sixteen rounds ahead. The schedule lies in memory: as locals its words are more than there are registers.
 */

export const K = memory.data<u32>(
  [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
  ],
  16,
);

/** The message schedule, 64 words, and room for what `hash.ts` erases with it. */
export const SCRATCH = memory.data(448, 16);
const W = SCRATCH;

/** Byte order of four big-endian words. */
function words(p: usize): v128 {
  const v = v128.load(p);
  return v128.shuffle<u8>(v, v, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

function s0(x: u32): u32 {
  return rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3);
}
function s1(x: u32): u32 {
  return rotr(x, 17) ^ rotr(x, 19) ^ (x >> 10);
}
function t1(e: u32, f: u32, g: u32, h: u32, kw: u32): u32 {
  return h + kw + (g ^ (e & (f ^ g))) + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25));
}
/** Maj in a form whose `b ^ c` is the `a ^ b` of the round before: the engine computes it once. */
function t2(a: u32, b: u32, c: u32): u32 {
  return (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + (b ^ ((a ^ b) & (b ^ c)));
}

/** Absorbs `blocks` blocks of 64 bytes at `p` into the eight words at `state`. */
export function compress256(state: usize, p: usize, blocks: u32): void {
  for (; blocks; --blocks, p += 64) {
    for (let i: usize = 0; i < 64; i += 16) v128.store(W + i, words(p + i));
    let a = load<u32>(state, 0);
    let b = load<u32>(state, 4);
    let c = load<u32>(state, 8);
    let d = load<u32>(state, 12);
    let e = load<u32>(state, 16);
    let f = load<u32>(state, 20);
    let g = load<u32>(state, 24);
    let h = load<u32>(state, 28);
    for (let k = K, w = W; ; k += 32, w += 32) {
      if (w < W + 192) {
        store<u32>(w, load<u32>(w, 0) + s0(load<u32>(w, 4)) + load<u32>(w, 36) + s1(load<u32>(w, 56)), 64);
        store<u32>(w, load<u32>(w, 4) + s0(load<u32>(w, 8)) + load<u32>(w, 40) + s1(load<u32>(w, 60)), 68);
        store<u32>(w, load<u32>(w, 8) + s0(load<u32>(w, 12)) + load<u32>(w, 44) + s1(load<u32>(w, 64)), 72);
        store<u32>(w, load<u32>(w, 12) + s0(load<u32>(w, 16)) + load<u32>(w, 48) + s1(load<u32>(w, 68)), 76);
        store<u32>(w, load<u32>(w, 16) + s0(load<u32>(w, 20)) + load<u32>(w, 52) + s1(load<u32>(w, 72)), 80);
        store<u32>(w, load<u32>(w, 20) + s0(load<u32>(w, 24)) + load<u32>(w, 56) + s1(load<u32>(w, 76)), 84);
        store<u32>(w, load<u32>(w, 24) + s0(load<u32>(w, 28)) + load<u32>(w, 60) + s1(load<u32>(w, 80)), 88);
        store<u32>(w, load<u32>(w, 28) + s0(load<u32>(w, 32)) + load<u32>(w, 64) + s1(load<u32>(w, 84)), 92);
      }
      h = t1(e, f, g, h, load<u32>(k, 0) + load<u32>(w, 0));
      d += h;
      h += t2(a, b, c);
      g = t1(d, e, f, g, load<u32>(k, 4) + load<u32>(w, 4));
      c += g;
      g += t2(h, a, b);
      f = t1(c, d, e, f, load<u32>(k, 8) + load<u32>(w, 8));
      b += f;
      f += t2(g, h, a);
      e = t1(b, c, d, e, load<u32>(k, 12) + load<u32>(w, 12));
      a += e;
      e += t2(f, g, h);
      d = t1(a, b, c, d, load<u32>(k, 16) + load<u32>(w, 16));
      h += d;
      d += t2(e, f, g);
      c = t1(h, a, b, c, load<u32>(k, 20) + load<u32>(w, 20));
      g += c;
      c += t2(d, e, f);
      b = t1(g, h, a, b, load<u32>(k, 24) + load<u32>(w, 24));
      f += b;
      b += t2(c, d, e);
      a = t1(f, g, h, a, load<u32>(k, 28) + load<u32>(w, 28));
      e += a;
      a += t2(b, c, d);
      if (k == K + 224) break;
    }
    store<u32>(state, load<u32>(state, 0) + a, 0);
    store<u32>(state, load<u32>(state, 4) + b, 4);
    store<u32>(state, load<u32>(state, 8) + c, 8);
    store<u32>(state, load<u32>(state, 12) + d, 12);
    store<u32>(state, load<u32>(state, 16) + e, 16);
    store<u32>(state, load<u32>(state, 20) + f, 20);
    store<u32>(state, load<u32>(state, 24) + g, 24);
    store<u32>(state, load<u32>(state, 28) + h, 28);
  }
}
