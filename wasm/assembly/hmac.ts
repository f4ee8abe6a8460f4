/**
 * HMAC (RFC 2104) over the hash in `hash.ts`.
 *
 * The two padded keys are absorbed once and kept as chaining values, so that HKDF-Expand, which uses one key for every
 * block of output, pays for them once.
 */

import { SHA256, blockLength, erase as eraseHash, finish, hashLength, resume, start, suspend, update } from "./hash";

const INNER = memory.data(64, 16);
const OUTER = memory.data(64, 16);
const PAD = memory.data(128, 16);
const DIGEST = memory.data(64, 16);

let algorithm: u32 = 0;

/** Takes a key of at most one block (a longer one is hashed by the caller). */
export function setKey(alg: u32, key: usize, length: u32): void {
  const size = blockLength(alg);
  if (length > size) unreachable();
  algorithm = alg;
  memory.copy(PAD, key, length);
  memory.fill(PAD + length, 0, size - length);
  absorbPad(0x36, INNER);
  // 0x6a is 0x36 ^ 0x5c: it turns the inner padding into the outer one.
  absorbPad(0x6a, OUTER);
}

function absorbPad(byte: u8, out: usize): void {
  const mask = i8x16.splat(byte);
  const size = blockLength(algorithm);
  for (let p = PAD; p < PAD + size; p += 16) v128.store(p, v128.xor(v128.load(p), mask));
  start(algorithm);
  update(PAD, size);
  suspend(out);
}

/** Takes the chaining values of SHA-256 after the padded keys, from lanes 2 and 3 of eight vectors. */
export function setKeyByLanes(states: usize): void {
  algorithm = SHA256;
  for (let i: usize = 0; i < 8; i++) {
    store<u32>(INNER + (i << 2), load<u32>(states + (i << 4), 8));
    store<u32>(OUTER + (i << 2), load<u32>(states + (i << 4), 12));
  }
}

/** Starts a MAC under the key that was set; `update` of `hash.ts` takes the message. */
export function startMac(): void {
  resume(algorithm, INNER, blockLength(algorithm));
}

/** Writes the MAC to `out`. The key stays. */
export function finishMac(out: usize): void {
  finish(DIGEST);
  resume(algorithm, OUTER, blockLength(algorithm));
  update(DIGEST, hashLength(algorithm));
  finish(out);
}

/** Erases key and MAC in progress. */
export function erase(): void {
  memory.fill(INNER, 0, 64);
  memory.fill(OUTER, 0, 64);
  memory.fill(PAD, 0, 128);
  memory.fill(DIGEST, 0, 64);
  eraseHash();
}
