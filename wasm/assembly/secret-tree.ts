/**
 * Ratchets of the secret tree (RFC 9420 §9.1): any number of generations in one call.
 *
 *     DeriveTreeSecret(Secret, Label, Generation, Length) = ExpandWithLabel(Secret, Label, Generation, Length)
 */

import { SHA256, hashLength } from "./hash";
import { erase, expandWithLabel, setSecret } from "./hkdf";
import { LONGEST, ratchet256 } from "./ratchet256";

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
const SECRET = LABELS + 8;

const RATCHET_SECRET = memory.data(64, 16);
/** uint32 generation. */
const GENERATION = memory.data(4, 4);

/** Bytes of output. */
export function extent(alg: u32, count: u32, Nk: u32, Nn: u32): u64 {
  return <u64>count * (<u64>Nk + Nn) + hashLength(alg);
}

/**
 * Writes key and nonce of `count` generations from `generation` on to `out`, and then the ratchet secret of the
 * generation after them. `secret` holds the ratchet secret of `generation`.
 */
export function ratchet(alg: u32, secret: usize, generation: u32, count: u32, Nk: u32, Nn: u32, out: usize): void {
  if (alg == SHA256 && Nk <= LONGEST && Nn <= LONGEST) {
    ratchet256(secret, LABELS, generation, count, Nk, Nn, out);
    return;
  }
  const Nh = hashLength(alg);
  memory.copy(RATCHET_SECRET, secret, Nh);
  for (; count; --count, ++generation) {
    store<u32>(GENERATION, bswap(generation));
    setSecret(alg, RATCHET_SECRET, Nh);
    expandWithLabel(KEY, 3, GENERATION, 4, out, Nk);
    expandWithLabel(NONCE, 5, GENERATION, 4, out + Nk, Nn);
    expandWithLabel(SECRET, 6, GENERATION, 4, RATCHET_SECRET, Nh);
    out += Nk + Nn;
  }
  memory.copy(out, RATCHET_SECRET, Nh);
  memory.fill(RATCHET_SECRET, 0, 64);
  store<u32>(GENERATION, 0);
  erase();
}
