/**
 * Many messages, each with a key of its own, in one call.
 *
 * MLS uses a key for one message, so that expanding the key costs as much as a short message. Messages that are taken
 * side by side, one a lane, share the expansion and every pass of the cipher.
 *
 * A message lies in memory as key, nonce, associated data, data and tag without gaps. A table entry holds the lengths of
 * associated data and data, 32 bits each; when a message does not authenticate, the second becomes `REFUSED` and the
 * data stay as they are.
 */

import {
  KEYSTREAM,
  NONCE,
  TAG,
  absorbAad,
  absorbData,
  finishMac,
  keyLength,
  lanes,
  macUnits,
  open,
  refill,
  seal,
  setLane,
  setUp,
  startMac,
  unit,
  verifyMac,
  xor,
} from "./aead";

export const ENTRY: u32 = 8;
const REFUSED: u32 = 0xffffffff;

/** Where the message of every lane begins. */
const MESSAGES = memory.data(32, 16);
/** Key of the MAC of every lane. */
const MAC_KEYS = memory.data(256, 16);

/** Bytes that table and messages take; more than any memory when they contradict each other. */
export function extent(alg: u32, table: usize, count: u32, capacity: u32): u64 {
  let total: u64 = <u64>count * ENTRY;
  if (total > capacity) return total;
  for (let entry = table, end = table + count * ENTRY; entry < end; entry += ENTRY) {
    total += <u64>keyLength(alg) + NONCE + load<u32>(entry) + <u64>load<u32>(entry, 4) + TAG;
  }
  return total;
}

/** Seals or opens `count` messages in place. The messages follow the table. */
export function process(alg: u32, decrypt: bool, table: usize, count: u32): void {
  let message = table + count * ENTRY;
  let entry = table;
  while (count) {
    const group = min(count, lanes(alg));
    const first = message;
    let longest: u32 = 0;
    let apart: u32 = 0;
    for (let lane: u32 = 0; lane < group; lane++) {
      const length = load<u32>(entry + lane * ENTRY, 4);
      const units = macUnits(alg) + (length + unit(alg) - 1) / unit(alg);
      longest = max(longest, units);
      // One more for the expansion of the key.
      apart += 1 + (units + lanes(alg) - 1) / lanes(alg);
      store<u32>(MESSAGES + (lane << 2), message);
      message += keyLength(alg) + NONCE + load<u32>(entry + lane * ENTRY) + length + TAG;
    }
    if (longest + 1 < apart) sideBySide(alg, decrypt, entry, group, longest);
    else
      for (let lane: u32 = 0; lane < group; lane++)
        alone(alg, decrypt, entry + lane * ENTRY, load<u32>(MESSAGES + (lane << 2)));
    entry += group * ENTRY;
    count -= group;
  }
  memory.fill(MESSAGES, 0, 32);
  memory.fill(MAC_KEYS, 0, 256);
}

/** One message, with all lanes working for it. */
function alone(alg: u32, decrypt: bool, entry: usize, message: usize): void {
  const aad = message + keyLength(alg) + NONCE;
  const aadLength = load<u32>(entry);
  const data = aad + aadLength;
  const length = load<u32>(entry, 4);
  if (!decrypt) seal(alg, message, aad, aadLength, data, length);
  else if (!open(alg, message, aad, aadLength, data, length)) store<u32>(entry, REFUSED, 4);
}

/** Up to as many messages as there are lanes, which need at most `units` units of key stream. */
function sideBySide(alg: u32, decrypt: bool, table: usize, group: u32, units: u32): void {
  const size = unit(alg);
  const macSize = 32 / macUnits(alg);
  for (let lane: u32 = 0; lane < group; lane++) {
    const message = load<u32>(MESSAGES + (lane << 2));
    setLane(alg, lane, message, message + keyLength(alg), 0);
  }
  setUp(alg);
  for (let i: u32 = 0; i < macUnits(alg); i++) {
    refill(alg, 1);
    for (let lane: u32 = 0; lane < group; lane++) {
      memory.copy(MAC_KEYS + (lane << 5) + i * macSize, KEYSTREAM + lane * size, macSize);
    }
  }
  if (decrypt) authenticate(alg, true, table, group);
  for (let i = macUnits(alg), at: u32 = 0; i < units; i++, at += size) {
    refill(alg, 1);
    for (let lane: u32 = 0; lane < group; lane++) {
      const entry = table + lane * ENTRY;
      const length = load<u32>(entry, 4);
      if (length == REFUSED || length <= at) continue;
      xor(dataOf(alg, entry, lane) + at, KEYSTREAM + lane * size, min(size, length - at));
    }
  }
  if (!decrypt) authenticate(alg, false, table, group);
}

function dataOf(alg: u32, entry: usize, lane: u32): usize {
  return load<u32>(MESSAGES + (lane << 2)) + keyLength(alg) + NONCE + load<u32>(entry);
}

/** Makes or verifies the tags of a group. */
function authenticate(alg: u32, decrypt: bool, table: usize, group: u32): void {
  for (let lane: u32 = 0; lane < group; lane++) {
    const entry = table + lane * ENTRY;
    const data = dataOf(alg, entry, lane);
    const length = load<u32>(entry, 4);
    startMac(alg, MAC_KEYS + (lane << 5));
    absorbAad(data - load<u32>(entry), load<u32>(entry));
    absorbData(data, length);
    if (!decrypt) finishMac(data + length);
    else if (!verifyMac(data + length)) store<u32>(entry, REFUSED, 4);
  }
}
