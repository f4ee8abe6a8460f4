/**
 * Ratchets of the secret tree (RFC 9420 §9.1) with SHA-256, on the four lanes of `sha256x4.ts`: the three outputs of a
 * generation are HMACs of a block each under one key, and take two passes side by side; the halves of the key take one.
 */

import { setLanes } from "./hkdf";
import { compress256x4, digest, erase as eraseLanes, start } from "./sha256x4";

const BLOCK: u32 = 64;
const SCRATCH = memory.data(928, 16);
/** Two secrets, each with the inner and the outer padding of HMAC (RFC 2104). */
const PADS = SCRATCH;
/** A block for the inner hash of each output, and one for its outer hash. */
const INNER_BLOCKS = SCRATCH + 256;
const OUTER_BLOCKS = SCRATCH + 448;
/** Chaining values of the four lanes. */
const INNER = SCRATCH + 640;
const OUTER = SCRATCH + 768;
const SECRET = SCRATCH + 896;

/**
 * Writes what `secret-tree.ts` describes. `labels` are "key", "nonce" and "secret" without gaps. Sets `other`, which has 32 bytes
 * as well, as the secret of the outputs of `hkdf.ts` which follow: setting one key leaves two lanes free.
 */
export function ratchet256(
  secret: usize,
  other: usize,
  labels: usize,
  generation: u32,
  count: u32,
  Nk: u32,
  Nn: u32,
  out: usize,
): void {
  memory.copy(SECRET, secret, 32);
  setBlocks(0, labels, 3, Nk);
  setBlocks(1, labels + 3, 5, Nn);
  setBlocks(2, labels + 8, 6, 32);
  for (; count; --count, ++generation) {
    setKeys(other);
    setGeneration(0, 3, generation);
    setGeneration(1, 5, generation);
    setGeneration(2, 6, generation);
    compress256x4(INNER, INNER_BLOCKS, INNER_BLOCKS + BLOCK, INNER_BLOCKS + 2 * BLOCK, INNER_BLOCKS);
    for (let lane: u32 = 0; lane < 3; lane++) digest(INNER, lane, OUTER_BLOCKS + lane * BLOCK);
    compress256x4(OUTER, OUTER_BLOCKS, OUTER_BLOCKS + BLOCK, OUTER_BLOCKS + 2 * BLOCK, OUTER_BLOCKS);
    digest(OUTER, 0, SECRET);
    memory.copy(out, SECRET, Nk);
    digest(OUTER, 1, SECRET);
    memory.copy(out + Nk, SECRET, Nn);
    digest(OUTER, 2, SECRET);
    out += Nk + Nn;
  }
  memory.copy(out, SECRET, 32);
  memory.fill(SCRATCH, 0, 928);
  eraseLanes();
}

/** The blocks of an output of `length` bytes: `KDFLabel` and the counter of HKDF-Expand, padded, and a padded digest. */
function setBlocks(lane: u32, label: usize, labelLength: u32, length: u32): void {
  const inner = INNER_BLOCKS + lane * BLOCK;
  store<u16>(inner, bswap(<u16>length));
  store<u8>(inner, <u8>(8 + labelLength), 2);
  store<u64>(inner, 0x20302e3120534c4d, 3); // "MLS 1.0 "
  memory.copy(inner + 11, label, labelLength);
  const context = inner + 11 + labelLength;
  store<u8>(context, 4);
  store<u16>(context, 0x8001, 5); // The counter, and the beginning of the padding.
  store<u64>(inner, bswap((<u64>(BLOCK + 17 + labelLength)) << 3), 56);
  const outer = OUTER_BLOCKS + lane * BLOCK;
  store<u8>(outer, 0x80, 32);
  store<u64>(outer, bswap((<u64>(BLOCK + 32)) << 3), 56);
}

function setGeneration(lane: u32, labelLength: u32, generation: u32): void {
  store<u32>(INNER_BLOCKS + lane * BLOCK + 12 + labelLength, bswap(generation));
}

/** Sets the chaining values of all lanes to those of HMAC under the ratchet's secret. */
function setKeys(other: usize): void {
  setPads(PADS, SECRET);
  setPads(PADS + 2 * BLOCK, other);
  start(INNER);
  compress256x4(INNER, PADS, PADS + BLOCK, PADS + 2 * BLOCK, PADS + 3 * BLOCK);
  setLanes(INNER);
  for (let i: usize = 0; i < 128; i += 16) {
    v128.store(OUTER + i, v128.load32_splat(INNER + i, 4));
    v128.store(INNER + i, v128.load32_splat(INNER + i));
  }
}

function setPads(pads: usize, key: usize): void {
  for (let i: u32 = 0; i < BLOCK; i += 16) {
    const part = i < 32 ? v128.load(key + i) : i64x2.splat(0);
    v128.store(pads + i, v128.xor(part, i8x16.splat(0x36)));
    v128.store(pads + BLOCK + i, v128.xor(part, i8x16.splat(0x5c)));
  }
}
