/**
 * SHA-256, SHA-384 and SHA-512 over input that comes in pieces (FIPS 180-4 §5, §6).
 *
 * One hash is in progress at a time. What differs between the three is the block length, the initial value and the
 * compression function; everything above this file names the function by its number.
 */

import { SCRATCH, compress256 } from "./sha256";
import { IV384, IV512, compress512 } from "./sha512";

export const SHA256: u32 = 0;
export const SHA384: u32 = 1;
export const SHA512: u32 = 2;

export const IV256 = memory.data<u32>(
  [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19],
  16,
);
/** Bytes that fit a block of any of the three together with their padding. */
export const SHORT: u32 = 55;

/** Chaining value. */
const STATE = SCRATCH + 256;
/** Input that does not fill a block yet. */
const BLOCK = SCRATCH + 320;

let algorithm: u32 = 0;
let buffered: u32 = 0;
let total: u64 = 0;

/** Output length in bytes. */
export function hashLength(alg: u32): u32 {
  return alg == SHA256 ? 32 : alg == SHA384 ? 48 : 64;
}

/** Block length in bytes. */
export function blockLength(alg: u32): u32 {
  return alg == SHA256 ? 64 : 128;
}

/** Starts a hash from its initial value. */
export function start(alg: u32): void {
  resume(alg, alg == SHA256 ? IV256 : alg == SHA384 ? IV384 : IV512, 0);
}

/** Starts a hash from a chaining value that has absorbed `absorbed` bytes, a whole number of blocks. */
export function resume(alg: u32, state: usize, absorbed: u64): void {
  memory.copy(STATE, state, 64);
  algorithm = alg;
  buffered = 0;
  total = absorbed;
}

/** Copies the chaining value out. Only whole blocks may have been absorbed. */
export function suspend(state: usize): void {
  memory.copy(state, STATE, 64);
}

function compress(p: usize, blocks: u32): void {
  if (algorithm == SHA256) compress256(STATE, p, blocks);
  else compress512(STATE, p, blocks);
}

/** Absorbs `length` bytes at `p`. */
export function update(p: usize, length: u32): void {
  const size = blockLength(algorithm);
  total += length;
  if (buffered) {
    const take = min(length, size - buffered);
    memory.copy(BLOCK + buffered, p, take);
    buffered += take;
    p += take;
    length -= take;
    if (buffered < size) return;
    compress(BLOCK, 1);
    buffered = 0;
  }
  const rest = length & (size - 1);
  const whole = length - rest;
  if (whole) compress(p, whole / size);
  if (rest) {
    memory.copy(BLOCK, p + whole, rest);
    buffered = rest;
  }
}

/** Where the first `SHORT` bytes of a hash may be written in place of an `update`, if they are all there is; then `absorbed`. */
export function room(): usize {
  return BLOCK;
}

/** Says how many bytes were written where `room` says. */
export function absorbed(length: u32): void {
  buffered = length;
  total += length;
}

/** Pads and writes the digest to `out`. What the hash has held stays until `erase`. */
export function finish(out: usize): void {
  const size = blockLength(algorithm);
  const length = size >> 3;
  store<u8>(BLOCK + buffered++, 0x80);
  if (buffered > size - length) {
    memory.fill(BLOCK + buffered, 0, size - buffered);
    compress(BLOCK, 1);
    buffered = 0;
  }
  // The 128-bit length field of SHA-384 and SHA-512 has its upper half zero: no input reaches 2^61 bytes.
  memory.fill(BLOCK + buffered, 0, size - 8 - buffered);
  store<u64>(BLOCK + size - 8, bswap(total << 3));
  compress(BLOCK, 1);
  if (algorithm == SHA256) {
    for (let i: u32 = 0; i < 32; i += 4) store<u32>(out + i, bswap(load<u32>(STATE + i)));
  } else {
    for (let i: u32 = 0, n = hashLength(algorithm); i < n; i += 8) store<u64>(out + i, bswap(load<u64>(STATE + i)));
  }
}

/** Erases a hash, finished or in progress. */
export function erase(): void {
  memory.fill(SCRATCH, 0, 448);
  buffered = 0;
  total = 0;
}
