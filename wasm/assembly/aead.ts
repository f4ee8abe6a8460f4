/**
 * AES-128-GCM, AES-256-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439 §2.8) over input that comes in pieces.
 *
 * Both constructions have one shape: a stream cipher whose first output is 32 bytes of key for a one-time MAC, half to
 * multiply with and half to mask the tag, and a MAC over associated data, ciphertext and their lengths, each padded to
 * whole blocks of 16. This file is that shape; one message is in progress at a time.
 */

import * as aes from "./aes";
import * as chacha20 from "./chacha20";
import * as ctr from "./ctr";
import * as ghash from "./ghash";
import * as poly1305 from "./poly1305";

export const AES128: u32 = 0;
export const AES256: u32 = 1;
export const CHACHA: u32 = 2;

export const NONCE: u32 = 12;
export const TAG: u32 = 16;

/** Output of the cipher: a unit for every lane. */
export const KEYSTREAM = memory.data(256, 16);
const MAC_KEY = memory.data(32, 16);
const BLOCK = memory.data(16, 16);
const EXPECTED = memory.data(16, 16);

let algorithm: u32 = 0;
/** Bytes of key stream that are used up. */
let position: u32 = 0;
let aadLength: u64 = 0;
let dataLength: u64 = 0;

/** Key length in bytes. */
export function keyLength(alg: u32): u32 {
  return alg == AES128 ? 16 : 32;
}

/** Messages that the cipher takes side by side. */
export function lanes(alg: u32): u32 {
  return alg == CHACHA ? chacha20.LANES : aes.LANES;
}

/** Bytes that a lane gives at a time. */
export function unit(alg: u32): u32 {
  return alg == CHACHA ? 64 : 16;
}

/** Units that make up the key of the MAC. */
export function macUnits(alg: u32): u32 {
  return alg == CHACHA ? 1 : 2;
}

/** Gives a lane its key, its nonce and the number of its next unit. */
export function setLane(alg: u32, lane: u32, key: usize, nonce: usize, counter: u32): void {
  if (alg == CHACHA) {
    chacha20.setLane(lane, key, nonce, counter);
  } else {
    aes.setKey(lane, key, keyLength(alg));
    ctr.setCounter(lane, nonce, counter);
  }
}

/** To be called once all lanes are set. */
export function setUp(alg: u32): void {
  if (alg != CHACHA) aes.expandKeys(keyLength(alg));
}

/** Fills `KEYSTREAM` with the next unit of every lane and moves every lane on by `step`. */
export function refill(alg: u32, step: u32): void {
  if (alg == CHACHA) chacha20.next(KEYSTREAM, step);
  else ctr.next(KEYSTREAM, step);
}

/** Starts one message: all lanes work for it. */
export function start(alg: u32, key: usize, nonce: usize): void {
  algorithm = alg;
  const count = lanes(alg);
  for (let lane: u32 = 0; lane < count; lane++) setLane(alg, lane, key, nonce, lane);
  setUp(alg);
  refill(alg, count);
  memory.copy(MAC_KEY, KEYSTREAM, 32);
  position = macUnits(alg) * unit(alg);
  startMac(alg, MAC_KEY);
}

/** Encrypts or decrypts the next `length` bytes in place. Only the last piece may be other than a multiple of 16. */
export function crypt(p: usize, length: u32): void {
  const count = lanes(algorithm);
  const size = count * unit(algorithm);
  while (length) {
    if (position == size) {
      refill(algorithm, count);
      position = 0;
    }
    const take = min(length, size - position);
    xor(p, KEYSTREAM + position, take);
    position += take;
    p += take;
    length -= take;
  }
}

/** Adds the key stream at `stream` to the data at `p`. */
export function xor(p: usize, stream: usize, length: u32): void {
  for (; length >= 16; length -= 16, p += 16, stream += 16) v128.store(p, v128.xor(v128.load(p), v128.load(stream)));
  for (; length; --length, ++p, ++stream) store<u8>(p, load<u8>(p) ^ load<u8>(stream));
}

/** Starts the MAC with the 32 bytes at `key`. */
export function startMac(alg: u32, key: usize): void {
  algorithm = alg;
  if (key != MAC_KEY) memory.copy(MAC_KEY, key, 32);
  if (alg == CHACHA) poly1305.start(MAC_KEY);
  else ghash.start(MAC_KEY);
  aadLength = 0;
  dataLength = 0;
}

/** Absorbs associated data. Only the last piece may be other than a multiple of 16. */
export function absorbAad(p: usize, length: u32): void {
  aadLength += length;
  absorb(p, length);
}

/** Absorbs ciphertext, after all associated data. Only the last piece may be other than a multiple of 16. */
export function absorbData(p: usize, length: u32): void {
  dataLength += length;
  absorb(p, length);
}

function absorb(p: usize, length: u32): void {
  const rest = length & 15;
  const whole = length - rest;
  absorbBlocks(p, whole >> 4);
  if (rest) {
    v128.store(BLOCK, i64x2.splat(0));
    memory.copy(BLOCK, p + whole, rest);
    absorbBlocks(BLOCK, 1);
  }
}

function absorbBlocks(p: usize, blocks: u32): void {
  if (algorithm == CHACHA) poly1305.update(p, blocks);
  else ghash.update(p, blocks);
}

/** Ends the MAC and writes the tag to `out`. */
export function finishMac(out: usize): void {
  if (algorithm == CHACHA) {
    store<u64>(BLOCK, aadLength);
    store<u64>(BLOCK, dataLength, 8);
  } else {
    store<u64>(BLOCK, bswap(aadLength << 3));
    store<u64>(BLOCK, bswap(dataLength << 3), 8);
  }
  absorbBlocks(BLOCK, 1);
  if (algorithm == CHACHA) poly1305.finish(MAC_KEY + 16, out);
  else ghash.finish(MAC_KEY + 16, out);
}

/** Ends the MAC and tells whether it is the tag at `tag`, in constant time. */
export function verifyMac(tag: usize): bool {
  finishMac(EXPECTED);
  return !v128.any_true(v128.xor(v128.load(EXPECTED), v128.load(tag)));
}

/** Encrypts `length` bytes at `data` in place and writes the tag behind them. The nonce follows the key. */
export function seal(alg: u32, key: usize, aad: usize, aadLength: u32, data: usize, length: u32): void {
  start(alg, key, key + keyLength(alg));
  crypt(data, length);
  absorbAad(aad, aadLength);
  absorbData(data, length);
  finishMac(data + length);
}

/** Decrypts `length` bytes at `data` in place if the tag behind them is theirs, and tells whether it is. */
export function open(alg: u32, key: usize, aad: usize, aadLength: u32, data: usize, length: u32): bool {
  start(alg, key, key + keyLength(alg));
  absorbAad(aad, aadLength);
  absorbData(data, length);
  const authentic = verifyMac(data + length);
  if (authentic) crypt(data, length);
  return authentic;
}

/** Erases keys, key stream and state. */
export function erase(): void {
  if (algorithm == CHACHA) {
    chacha20.erase();
    poly1305.erase();
  } else {
    ctr.erase();
    ghash.erase();
  }
  memory.fill(KEYSTREAM, 0, 256);
  memory.fill(MAC_KEY, 0, 32);
  memory.fill(BLOCK, 0, 16);
  memory.fill(EXPECTED, 0, 16);
}
