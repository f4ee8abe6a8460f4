/** Ratchets of the secret tree (RFC 9420 §9.1) with SHA-384 and SHA-512. */

import { hashLength } from "./hash";
import { erase, expandWithLabel, setSecret } from "./hkdf";

const RATCHET_SECRET = memory.data(64, 16);
/** uint32 generation. */
const GENERATION = memory.data(4, 4);

/** Writes what `secret-tree.ts` describes. `labels` are "key", "nonce" and "secret" without gaps. */
export function ratchet512(
  alg: u32,
  secret: usize,
  labels: usize,
  generation: u32,
  count: u32,
  Nk: u32,
  Nn: u32,
  out: usize,
): void {
  const Nh = hashLength(alg);
  memory.copy(RATCHET_SECRET, secret, Nh);
  for (; count; --count, ++generation) {
    store<u32>(GENERATION, bswap(generation));
    setSecret(alg, RATCHET_SECRET, Nh);
    expandWithLabel(labels, 3, GENERATION, 4, out, Nk);
    expandWithLabel(labels + 3, 5, GENERATION, 4, out + Nk, Nn);
    expandWithLabel(labels + 8, 6, GENERATION, 4, RATCHET_SECRET, Nh);
    out += Nk + Nn;
  }
  memory.copy(out, RATCHET_SECRET, Nh);
  memory.fill(RATCHET_SECRET, 0, 64);
  store<u32>(GENERATION, 0);
  erase();
}
