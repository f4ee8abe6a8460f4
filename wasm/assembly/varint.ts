/** Variable-length integers (RFC 9420 §2.1.2). */

/** Writes `value`, below 2^30. Returns its length. */
export function writeVarint(p: usize, value: u32): u32 {
  if (value < 0x40) {
    store<u8>(p, <u8>value);
    return 1;
  }
  if (value < 0x4000) {
    store<u16>(p, bswap(<u16>(value | 0x4000)));
    return 2;
  }
  store<u32>(p, bswap(value | 0x80000000));
  return 4;
}
