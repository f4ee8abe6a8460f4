/**
 * Ratchets of the secret tree (RFC 9420 §9.1): any number of generations in one call.
 *
 *     DeriveTreeSecret(Secret, Label, Generation, Length) = ExpandWithLabel(Secret, Label, Generation, Length)
 */

import { SHA256, hashLength } from "./hash";
import { setSecret } from "./hkdf";
import { ratchet256 } from "./ratchet256";
import { ratchet512 } from "./ratchet512";

const LABELS = memory.data<u8>([
  0x6b,
  0x65,
  0x79, // "key"
  0x6e,
  0x6f,
  0x6e,
  0x63,
  0x65, // "nonce"
  0x73,
  0x65,
  0x63,
  0x72,
  0x65,
  0x74, // "secret"
]);
export const KEY = LABELS;
export const NONCE = LABELS + 3;

/** Longest key or nonce in bytes. */
export const LONGEST: u32 = 32;

/** Bytes of output. */
export function extent(alg: u32, count: u32, Nk: u32, Nn: u32): u64 {
  return <u64>count * (<u64>Nk + Nn) + hashLength(alg);
}

/**
 * Writes key and nonce of `count` generations from `generation` on to `out`, and then the ratchet secret of the
 * generation after them. `secret` holds the ratchet secret of `generation`.
 */
export function ratchet(alg: u32, secret: usize, generation: u32, count: u32, Nk: u32, Nn: u32, out: usize): void {
  if (alg == SHA256) ratchet256(secret, secret, LABELS, generation, count, Nk, Nn, out);
  else ratchet512(alg, secret, LABELS, generation, count, Nk, Nn, out);
}

/**
 * The same for a message that is to be sealed: one generation. Sets `other`, a secret as long, as that of the outputs of
 * `hkdf.ts` which follow.
 */
export function ratchetOnce(
  alg: u32,
  secret: usize,
  other: usize,
  generation: u32,
  Nk: u32,
  Nn: u32,
  out: usize,
): void {
  if (alg == SHA256) {
    ratchet256(secret, other, LABELS, generation, 1, Nk, Nn, out);
  } else {
    ratchet512(alg, secret, LABELS, generation, 1, Nk, Nn, out);
    setSecret(alg, other, hashLength(alg));
  }
}
