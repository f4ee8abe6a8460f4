/**
 * SHA-512 compression function (FIPS 180-4 §6.4), which SHA-384 shares.
 *
 * A pass of the loop is sixteen rounds with the working variables renamed instead of moved, and the message schedule is
 * sixteen locals that are replaced in place.
 */

const K = memory.data<u64>(
  [
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
  ],
  16,
);

/** Initial values of SHA-384 and SHA-512. */
export const IV384 = memory.data<u64>(
  [
    0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939, 0x67332667ffc00b31,
    0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
  ],
  16,
);
export const IV512 = memory.data<u64>(
  [
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1,
    0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
  ],
  16,
);

/** A big-endian word. */
function word(p: usize): u64 {
  return bswap(load<u64>(p));
}

function s0(x: u64): u64 {
  return rotr(x, 1) ^ rotr(x, 8) ^ (x >> 7);
}
function s1(x: u64): u64 {
  return rotr(x, 19) ^ rotr(x, 61) ^ (x >> 6);
}
function t1(e: u64, f: u64, g: u64, h: u64, kw: u64): u64 {
  return h + kw + (rotr(e, 14) ^ rotr(e, 18) ^ rotr(e, 41)) + (g ^ (e & (f ^ g)));
}
/** Maj in a form whose `b ^ c` is the `a ^ b` of the round before: the engine computes it once. */
function t2(a: u64, b: u64, c: u64): u64 {
  return (rotr(a, 28) ^ rotr(a, 34) ^ rotr(a, 39)) + (b ^ ((a ^ b) & (b ^ c)));
}

/** Absorbs `blocks` blocks of 128 bytes at `p` into the eight words at `state`. */
export function compress512(state: usize, p: usize, blocks: u32): void {
  for (; blocks; --blocks, p += 128) {
    let w0 = word(p + 0);
    let w1 = word(p + 8);
    let w2 = word(p + 16);
    let w3 = word(p + 24);
    let w4 = word(p + 32);
    let w5 = word(p + 40);
    let w6 = word(p + 48);
    let w7 = word(p + 56);
    let w8 = word(p + 64);
    let w9 = word(p + 72);
    let wa = word(p + 80);
    let wb = word(p + 88);
    let wc = word(p + 96);
    let wd = word(p + 104);
    let we = word(p + 112);
    let wf = word(p + 120);
    let a = load<u64>(state, 0);
    let b = load<u64>(state, 8);
    let c = load<u64>(state, 16);
    let d = load<u64>(state, 24);
    let e = load<u64>(state, 32);
    let f = load<u64>(state, 40);
    let g = load<u64>(state, 48);
    let h = load<u64>(state, 56);
    for (let k = K; ; k += 128) {
      h = t1(e, f, g, h, load<u64>(k, 0) + w0);
      d += h;
      h += t2(a, b, c);
      g = t1(d, e, f, g, load<u64>(k, 8) + w1);
      c += g;
      g += t2(h, a, b);
      f = t1(c, d, e, f, load<u64>(k, 16) + w2);
      b += f;
      f += t2(g, h, a);
      e = t1(b, c, d, e, load<u64>(k, 24) + w3);
      a += e;
      e += t2(f, g, h);
      d = t1(a, b, c, d, load<u64>(k, 32) + w4);
      h += d;
      d += t2(e, f, g);
      c = t1(h, a, b, c, load<u64>(k, 40) + w5);
      g += c;
      c += t2(d, e, f);
      b = t1(g, h, a, b, load<u64>(k, 48) + w6);
      f += b;
      b += t2(c, d, e);
      a = t1(f, g, h, a, load<u64>(k, 56) + w7);
      e += a;
      a += t2(b, c, d);
      h = t1(e, f, g, h, load<u64>(k, 64) + w8);
      d += h;
      h += t2(a, b, c);
      g = t1(d, e, f, g, load<u64>(k, 72) + w9);
      c += g;
      g += t2(h, a, b);
      f = t1(c, d, e, f, load<u64>(k, 80) + wa);
      b += f;
      f += t2(g, h, a);
      e = t1(b, c, d, e, load<u64>(k, 88) + wb);
      a += e;
      e += t2(f, g, h);
      d = t1(a, b, c, d, load<u64>(k, 96) + wc);
      h += d;
      d += t2(e, f, g);
      c = t1(h, a, b, c, load<u64>(k, 104) + wd);
      g += c;
      c += t2(d, e, f);
      b = t1(g, h, a, b, load<u64>(k, 112) + we);
      f += b;
      b += t2(c, d, e);
      a = t1(f, g, h, a, load<u64>(k, 120) + wf);
      e += a;
      a += t2(b, c, d);
      if (k == K + 512) break;
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
    store<u64>(state, load<u64>(state, 0) + a, 0);
    store<u64>(state, load<u64>(state, 8) + b, 8);
    store<u64>(state, load<u64>(state, 16) + c, 16);
    store<u64>(state, load<u64>(state, 24) + d, 24);
    store<u64>(state, load<u64>(state, 32) + e, 32);
    store<u64>(state, load<u64>(state, 40) + f, 40);
    store<u64>(state, load<u64>(state, 48) + g, 48);
    store<u64>(state, load<u64>(state, 56) + h, 56);
  }
}
