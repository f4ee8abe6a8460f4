/**
 * SHA-256 compression function (FIPS 180-4 §6.2).
 *
 * A pass of the loop is sixteen rounds with the working variables renamed instead of moved, and the message schedule
 * lives in sixteen locals that are replaced in place: a quarter of the size of a full unrolling, at the same speed.
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
  return h + kw + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + (g ^ (e & (f ^ g)));
}
/** Maj in a form whose `b ^ c` is the `a ^ b` of the round before: the engine computes it once. */
function t2(a: u32, b: u32, c: u32): u32 {
  return (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + (b ^ ((a ^ b) & (b ^ c)));
}

/** Absorbs `blocks` blocks of 64 bytes at `p` into the eight words at `state`. */
export function compress256(state: usize, p: usize, blocks: u32): void {
  for (; blocks; --blocks, p += 64) {
    const m0 = words(p + 0);
    const m1 = words(p + 16);
    const m2 = words(p + 32);
    const m3 = words(p + 48);
    let w0: u32 = v128.extract_lane<u32>(m0, 0);
    let w1: u32 = v128.extract_lane<u32>(m0, 1);
    let w2: u32 = v128.extract_lane<u32>(m0, 2);
    let w3: u32 = v128.extract_lane<u32>(m0, 3);
    let w4: u32 = v128.extract_lane<u32>(m1, 0);
    let w5: u32 = v128.extract_lane<u32>(m1, 1);
    let w6: u32 = v128.extract_lane<u32>(m1, 2);
    let w7: u32 = v128.extract_lane<u32>(m1, 3);
    let w8: u32 = v128.extract_lane<u32>(m2, 0);
    let w9: u32 = v128.extract_lane<u32>(m2, 1);
    let wa: u32 = v128.extract_lane<u32>(m2, 2);
    let wb: u32 = v128.extract_lane<u32>(m2, 3);
    let wc: u32 = v128.extract_lane<u32>(m3, 0);
    let wd: u32 = v128.extract_lane<u32>(m3, 1);
    let we: u32 = v128.extract_lane<u32>(m3, 2);
    let wf: u32 = v128.extract_lane<u32>(m3, 3);
    let a = load<u32>(state, 0);
    let b = load<u32>(state, 4);
    let c = load<u32>(state, 8);
    let d = load<u32>(state, 12);
    let e = load<u32>(state, 16);
    let f = load<u32>(state, 20);
    let g = load<u32>(state, 24);
    let h = load<u32>(state, 28);
    for (let k = K; ; k += 64) {
      h = t1(e, f, g, h, load<u32>(k, 0) + w0);
      d += h;
      h += t2(a, b, c);
      g = t1(d, e, f, g, load<u32>(k, 4) + w1);
      c += g;
      g += t2(h, a, b);
      f = t1(c, d, e, f, load<u32>(k, 8) + w2);
      b += f;
      f += t2(g, h, a);
      e = t1(b, c, d, e, load<u32>(k, 12) + w3);
      a += e;
      e += t2(f, g, h);
      d = t1(a, b, c, d, load<u32>(k, 16) + w4);
      h += d;
      d += t2(e, f, g);
      c = t1(h, a, b, c, load<u32>(k, 20) + w5);
      g += c;
      c += t2(d, e, f);
      b = t1(g, h, a, b, load<u32>(k, 24) + w6);
      f += b;
      b += t2(c, d, e);
      a = t1(f, g, h, a, load<u32>(k, 28) + w7);
      e += a;
      a += t2(b, c, d);
      h = t1(e, f, g, h, load<u32>(k, 32) + w8);
      d += h;
      h += t2(a, b, c);
      g = t1(d, e, f, g, load<u32>(k, 36) + w9);
      c += g;
      g += t2(h, a, b);
      f = t1(c, d, e, f, load<u32>(k, 40) + wa);
      b += f;
      f += t2(g, h, a);
      e = t1(b, c, d, e, load<u32>(k, 44) + wb);
      a += e;
      e += t2(f, g, h);
      d = t1(a, b, c, d, load<u32>(k, 48) + wc);
      h += d;
      d += t2(e, f, g);
      c = t1(h, a, b, c, load<u32>(k, 52) + wd);
      g += c;
      c += t2(d, e, f);
      b = t1(g, h, a, b, load<u32>(k, 56) + we);
      f += b;
      b += t2(c, d, e);
      a = t1(f, g, h, a, load<u32>(k, 60) + wf);
      e += a;
      a += t2(b, c, d);
      if (k == K + 192) break;
      w0 += s0(w1) + w9 + s1(we);
      w1 += s0(w2) + wa + s1(wf);
      w2 += s0(w3) + wb + s1(w0);
      w3 += s0(w4) + wc + s1(w1);
      w4 += s0(w5) + wd + s1(w2);
      w5 += s0(w6) + we + s1(w3);
      w6 += s0(w7) + wf + s1(w4);
      w7 += s0(w8) + w0 + s1(w5);
      w8 += s0(w9) + w1 + s1(w6);
      w9 += s0(wa) + w2 + s1(w7);
      wa += s0(wb) + w3 + s1(w8);
      wb += s0(wc) + w4 + s1(w9);
      wc += s0(wd) + w5 + s1(wa);
      wd += s0(we) + w6 + s1(wb);
      we += s0(wf) + w7 + s1(wc);
      wf += s0(w0) + w8 + s1(wd);
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
