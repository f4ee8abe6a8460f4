/**
 * HKDF-Expand (RFC 5869 §2.3) and ExpandWithLabel (RFC 9420 §8).
 *
 * `info` is absorbed in pieces, so that a KDFLabel is never put together in memory.
 */

import { SHA256, SHORT, absorbed, hashLength, room, update } from "./hash";
import { erase as eraseMac, finishMac, setKey, setKeyByLanes, startMac } from "./hmac";
import { writeVarint } from "./varint";

/** T(i) and the pieces of `info` that the caller does not give; erased together. */
const SCRATCH = memory.data(96, 16);
/** T(i), at most 64 bytes. */
const BLOCK = SCRATCH;
/** uint16 length, variable-length integer (RFC 9420 §2.1.2) and the constant prefix of every label. */
const HEAD = SCRATCH + 64;
const CONTEXT_HEAD = SCRATCH + 80;
const COUNTER = SCRATCH + 84;

const PREFIX: u64 = 0x20302e3120534c4d; // "MLS 1.0 " in memory order
const PREFIX_LENGTH: u32 = 8;

let algorithm: u32 = 0;

/** Sets the key of the outputs that follow: `prk`, or `secret`, at most one block. */
export function setSecret(alg: u32, secret: usize, secretLength: u32): void {
  algorithm = alg;
  setKey(alg, secret, secretLength);
}

/** Sets a secret of SHA-256 by the chaining values of HMAC under it, in lanes 2 and 3 of eight vectors. */
export function setLanes(states: usize): void {
  algorithm = SHA256;
  setKeyByLanes(states);
}

/** Writes `HKDF-Expand(prk, info, length)` to `out`. */
export function expand(info: usize, infoLength: u32, out: usize, length: u32): void {
  expandPieces(0, info, infoLength, 0, info, 0, out, length);
}

/** Writes `ExpandWithLabel(secret, label, context, length)` to `out`; the label comes without "MLS 1.0 ". */
export function expandWithLabel(
  label: usize,
  labelLength: u32,
  context: usize,
  contextLength: u32,
  out: usize,
  length: u32,
): void {
  const short: u32 = 13 + labelLength + contextLength;
  if (labelLength <= SHORT && contextLength <= SHORT && short <= SHORT && length <= hashLength(algorithm)) {
    expandShort(label, labelLength, context, contextLength, out, length);
    return;
  }
  store<u16>(HEAD, bswap(<u16>length));
  const head = 2 + writeVarint(HEAD + 2, PREFIX_LENGTH + labelLength);
  store<u64>(HEAD + head, PREFIX);
  const contextHead = writeVarint(CONTEXT_HEAD, contextLength);
  expandPieces(head + PREFIX_LENGTH, label, labelLength, contextHead, context, contextLength, out, length);
}

/** One block of output from one block of input, which is put together where it is hashed: what MLS asks for most. */
function expandShort(
  label: usize,
  labelLength: u32,
  context: usize,
  contextLength: u32,
  out: usize,
  length: u32,
): void {
  startMac();
  const info = room();
  store<u16>(info, bswap(<u16>length));
  store<u8>(info, <u8>(PREFIX_LENGTH + labelLength), 2);
  store<u64>(info, PREFIX, 3);
  memory.copy(info + 11, label, labelLength);
  const end = info + 11 + labelLength;
  store<u8>(end, <u8>contextLength);
  memory.copy(end + 1, context, contextLength);
  store<u8>(end + 1 + contextLength, 1);
  absorbed(13 + labelLength + contextLength);
  finishMac(BLOCK);
  memory.copy(out, BLOCK, length);
}

function expandPieces(
  head: u32,
  label: usize,
  labelLength: u32,
  contextHead: u32,
  context: usize,
  contextLength: u32,
  out: usize,
  length: u32,
): void {
  const size = hashLength(algorithm);
  let counter: u8 = 0;
  while (length) {
    startMac();
    if (counter) update(BLOCK, size);
    update(HEAD, head);
    update(label, labelLength);
    update(CONTEXT_HEAD, contextHead);
    update(context, contextLength);
    store<u8>(COUNTER, ++counter);
    update(COUNTER, 1);
    finishMac(BLOCK);
    const take = min(length, size);
    memory.copy(out, BLOCK, take);
    out += take;
    length -= take;
  }
}

/** Erases the key and what the outputs went through. */
export function erase(): void {
  memory.fill(SCRATCH, 0, 96);
  eraseMac();
}
