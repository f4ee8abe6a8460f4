/**
 * Integers modulo the order L of the base point (RFC 8032 §5.1), 32 bytes, little-endian, and the digits that multiplications take
 * them in. What handles secrets takes the same time whatever they are.
 */

const ORDER = memory.data<u64>([0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000], 16);
/** 64 limbs of a byte each. */
const WIDE = memory.data(512, 16);

function limb(i: u32): i64 {
  return load<i64>(WIDE + 8 * i);
}

function setLimb(i: u32, value: i64): void {
  store<i64>(WIDE + 8 * i, value);
}

/** `out` = `WIDE` mod L; as in TweetNaCl, Bernstein and others, 2013. */
function reduceWide(out: usize): void {
  for (let i: u32 = 63; i >= 32; i--) {
    const top = limb(i);
    let carry: i64 = 0;
    for (let j = i - 32; j < i - 12; j++) {
      const value = limb(j) + carry - 16 * top * <i64>load<u8>(ORDER + (j - (i - 32)));
      carry = (value + 128) >> 8;
      setLimb(j, value - (carry << 8));
    }
    setLimb(i - 12, limb(i - 12) + carry);
    setLimb(i, 0);
  }
  let carry: i64 = 0;
  const top = limb(31) >> 4;
  for (let j: u32 = 0; j < 32; j++) {
    const value = limb(j) + carry - top * <i64>load<u8>(ORDER + j);
    carry = value >> 8;
    setLimb(j, value & 255);
  }
  for (let j: u32 = 0; j < 32; j++) setLimb(j, limb(j) - carry * <i64>load<u8>(ORDER + j));
  carry = 0;
  for (let j: u32 = 0; j < 32; j++) {
    const value = limb(j) + carry;
    carry = value >> 8;
    store<u8>(out + j, <u8>value);
  }
  memory.fill(WIDE, 0, 512);
}

/** `out` = 64 bytes mod L. */
export function reduce(out: usize, bytes: usize): void {
  for (let i: u32 = 0; i < 64; i++) setLimb(i, load<u8>(bytes + i));
  reduceWide(out);
}

/** `out` = a b + c mod L. */
export function multiplyAdd(out: usize, a: usize, b: usize, c: usize): void {
  for (let i: u32 = 0; i < 32; i++) setLimb(i, load<u8>(c + i));
  for (let i: u32 = 0; i < 32; i++) {
    for (let j: u32 = 0; j < 32; j++) setLimb(i + j, limb(i + j) + <i64>load<u8>(a + i) * <i64>load<u8>(b + j));
  }
  reduceWide(out);
}

/** Whether a public integer is below L. */
export function isBelowOrder(scalar: usize): bool {
  for (let i: i32 = 24; i >= 0; i -= 8) {
    const a = load<u64>(scalar + i);
    const b = load<u64>(ORDER + i);
    if (a != b) return a < b;
  }
  return false;
}

/** 64 digits from -8 to 8 of an integer below 2^255: Σ digit(i) 16^i. */
export function digits16(out: usize, scalar: usize): void {
  let carry: i32 = 0;
  for (let i: u32 = 0; i < 64; i++) {
    const digit = <i32>(((<u32>load<u8>(scalar + (i >> 1))) >> (4 * (i & 1))) & 15) + carry;
    carry = i == 63 ? 0 : (digit + 8) >> 4;
    store<i8>(out + i, <i8>(digit - (carry << 4)));
  }
}

/** 32 digits from -128 to 127, but the last, of an integer below 2^254: Σ digit(i) 256^i. */
export function digits256(out: usize, scalar: usize): void {
  let carry: i32 = 0;
  for (let i: u32 = 0; i < 32; i++) {
    const digit = <i32>load<u8>(scalar + i) + carry;
    carry = (digit + 128) >> 8;
    store<i8>(out + i, <i8>(digit - (carry << 8)));
  }
}

/** 256 digits, 0 or odd and up to `most` in size, of a public integer below 2^254: Σ digit(i) 2^i, few of them not 0. */
export function slide(out: usize, scalar: usize, most: i32): void {
  for (let i: u32 = 0; i < 256; i++) store<i8>(out + i, <i8>(((<u32>load<u8>(scalar + (i >> 3))) >> (i & 7)) & 1));
  for (let i: u32 = 0; i < 256; i++) {
    if (!load<i8>(out + i)) continue;
    for (let b: u32 = 1; b < 9 && i + b < 256; b++) {
      if (!load<i8>(out + i + b)) continue;
      const digit = <i32>load<i8>(out + i);
      if (digit + (1 << b) <= most) {
        store<i8>(out + i, <i8>(digit + (1 << b)));
        store<i8>(out + i + b, 0);
      } else if (digit - (1 << b) >= -most) {
        store<i8>(out + i, <i8>(digit - (1 << b)));
        let k = i + b;
        while (load<i8>(out + k)) store<i8>(out + k++, 0);
        store<i8>(out + k, 1);
      } else break;
    }
  }
}
