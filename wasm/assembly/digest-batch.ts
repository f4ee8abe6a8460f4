/**
 * Digests of many messages in one call: the nodes of a level of a ratchet tree, for example.
 *
 * The messages lie one after the other behind a table of their lengths, 32 bits each.
 */

import { SHA256, erase, finish, hashLength, start, update } from "./hash";
import { compress256x4, digest, erase as eraseLanes, start as startLanes } from "./sha256x4";

const ENTRY: u32 = 4;
const LANES: u32 = 4;

/** Eight vectors of chaining values. */
const STATES = memory.data(128, 16);
/** The end of each message with its padding: one block or two. */
const TAILS = memory.data(512, 16);
/** Where each message begins, and its blocks: those in place and those with the tail. */
const PLAN = memory.data(48, 16);
const POINTERS = PLAN;
const WHOLE = PLAN + 16;
const TOTAL = PLAN + 32;

/** Bytes that table and messages take. */
export function extent(table: usize, count: u32, capacity: u32): u64 {
  let total: u64 = <u64>count * ENTRY;
  if (total > capacity) return total;
  for (let entry = table, end = table + count * ENTRY; entry < end; entry += ENTRY) total += load<u32>(entry);
  return total;
}

/** Writes the digests one after the other to `out`. */
export function process(alg: u32, table: usize, count: u32, out: usize): void {
  let message = table + count * ENTRY;
  let entry = table;
  while (count) {
    const group = min(count, LANES);
    if (alg == SHA256 && group == LANES && worthwhile(entry)) {
      message = sideBySide(entry, message, out);
    } else {
      for (let lane: u32 = 0; lane < group; lane++) {
        const length = load<u32>(entry + lane * ENTRY);
        start(alg);
        update(message, length);
        finish(out + lane * hashLength(alg));
        message += length;
      }
    }
    entry += group * ENTRY;
    out += group * hashLength(alg);
    count -= group;
  }
  erase();
  eraseLanes();
}

function blocksOf(length: u32): u32 {
  return (length + 9 + 63) >> 6;
}

/** Four lanes take the time of two, and as long as the longest of them. */
function worthwhile(table: usize): bool {
  let sum: u32 = 0;
  let longest: u32 = 0;
  for (let lane: u32 = 0; lane < LANES; lane++) {
    const blocks = blocksOf(load<u32>(table + lane * ENTRY));
    sum += blocks;
    longest = max(longest, blocks);
  }
  return longest << 1 < sum;
}

/** Returns where the messages end. */
function sideBySide(table: usize, message: usize, out: usize): usize {
  let longest: u32 = 0;
  for (let lane: u32 = 0; lane < LANES; lane++) {
    const length = load<u32>(table + lane * ENTRY);
    const blocks = blocksOf(length);
    const rest = length & 63;
    const tail = TAILS + (lane << 7);
    const size = rest < 56 ? 64 : 128;
    memory.copy(tail, message + (length - rest), rest);
    memory.fill(tail + rest, 0, size - rest);
    store<u8>(tail + rest, 0x80);
    store<u64>(tail + size - 8, bswap((<u64>length) << 3));
    store<u32>(POINTERS + (lane << 2), message);
    store<u32>(WHOLE + (lane << 2), length >> 6);
    store<u32>(TOTAL + (lane << 2), blocks);
    longest = max(longest, blocks);
    message += length;
  }
  startLanes(STATES);
  for (let i: u32 = 0; i < longest; i++) {
    compress256x4(STATES, block(0, i), block(1, i), block(2, i), block(3, i));
    for (let lane: u32 = 0; lane < LANES; lane++) {
      if (i + 1 == load<u32>(TOTAL + (lane << 2))) digest(STATES, lane, out + (lane << 5));
    }
  }
  memory.fill(STATES, 0, 128);
  memory.fill(TAILS, 0, 512);
  memory.fill(PLAN, 0, 48);
  return message;
}

/** Address of a message's block. A message that has ended repeats its last one, to no effect. */
function block(lane: u32, index: u32): usize {
  const whole = load<u32>(WHOLE + (lane << 2));
  if (index < whole) return load<u32>(POINTERS + (lane << 2)) + (index << 6);
  const last = load<u32>(TOTAL + (lane << 2)) - 1;
  return TAILS + (lane << 7) + ((min(index, last) - whole) << 6);
}
