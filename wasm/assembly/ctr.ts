/**
 * Counter mode of GCM (NIST SP 800-38D §6.5, §7) for nonces of 12 bytes, on the eight lanes of AES.
 *
 * A lane's counter begins at 0 for the block of zeros whose encryption is the hash key; block 1 masks the tag and block
 * 2 is the first of the key stream.
 */

import { LANES, encrypt, erase as eraseAes, setBlock } from "./aes";

/** Nonce and big-endian counter of every lane. */
const COUNTERS = memory.data(128, 16);
const ZEROS = memory.data(16, 16);

/** Gives lane `lane` a nonce and the counter of its next block. */
export function setCounter(lane: u32, nonce: usize, counter: u32): void {
  const p = COUNTERS + (lane << 4);
  memory.copy(p, nonce, 12);
  store<u32>(p, bswap(counter), 12);
}

/** Writes the next block of every lane to `out`, 128 bytes, and adds `step` to the counters. */
export function next(out: usize, step: u32): void {
  for (let lane: u32 = 0; lane < LANES; lane++) {
    const p = COUNTERS + (lane << 4);
    const counter = bswap(load<u32>(p, 12));
    // The block of zeros has no nonce.
    setBlock(lane, counter ? p : ZEROS);
    store<u32>(p, bswap(counter + step), 12);
  }
  encrypt(out);
}

/** Erases keys, nonces and state. */
export function erase(): void {
  memory.fill(COUNTERS, 0, 128);
  eraseAes();
}
