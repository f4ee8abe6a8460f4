/**
 * What the curve module exports. The caller writes records, one for each signature that is verified together, and what is hashed to the
 * arena.
 */
import { DIGEST, eraseDigest, finish, start, update } from "./digest";
import {
  BASE,
  BASE_MULTIPLES,
  BASE_TABLE,
  addSigned,
  decodePoints,
  double,
  equals,
  erasePoints,
  isPoint,
  makeComb,
  makeOddMultiples,
  negate,
  prepareConstants,
  queuePoint,
  setNeutral,
} from "./edwards";
import { FOUR, copy } from "./field";
import { PREFIX, agreeX25519, commit, encodePublicKey, eraseSecrets, publicX25519, respond, takeKey } from "./secret";
import { digits16, digits256, isBelowOrder, reduce, slide } from "./scalar";

/** Bytes that are hashed in one piece. */
const CAPACITY: u32 = 16384;
const ARENA = memory.data(16384, 16);

/** Signatures that are verified together. */
const BATCH: u32 = 32;
/** Public key, R, S, and the challenge k; eight bytes beyond the last are read. */
const RECORD: u32 = 128;
const RECORDS = memory.data(4112, 16);
/** Of each record, A, which becomes -A, and R. */
const POINTS = memory.data(9216, 16);

/** Multiples 1 to 8 of 2^(16 i) (-A), i = 0, …, 15, prepared. */
const TABLE = memory.data(18432, 16);
const MULTIPLES: u32 = 8;

const SUM = memory.data(144, 16);
const ODD = memory.data(1152, 16);
const DIGITS_S = memory.data(256, 16);
const DIGITS_K = memory.data(256, 16);

export const arena: usize = ARENA;
export const capacity: u32 = CAPACITY;
export const records: usize = RECORDS;
export const batch: u32 = BATCH;
export const table: usize = TABLE;
export const tableLength: u32 = MULTIPLES * 16 * 144;

/** Makes what all operations share. To be called first, once. */
export function initialise(): void {
  prepareConstants();
  copy(SUM, BASE);
  makeComb(BASE_TABLE, SUM, BASE_MULTIPLES);
  erase();
}

function record(i: u32): usize {
  if (i >= BATCH) unreachable();
  return RECORDS + i * RECORD;
}

function point(i: u32): usize {
  return POINTS + i * 2 * FOUR;
}

export function hashStart(): void {
  start();
}

/** Hashes bytes of the arena. */
export function hashUpdate(length: u32): void {
  if (length > CAPACITY) unreachable();
  update(ARENA, length);
}

/** Ends a hash, which becomes the challenge of a record. */
export function challenge(i: u32): void {
  const p = record(i);
  finish();
  reduce(p + 96, DIGEST);
}

/** Decodes R of records 0 to `count` - 1, and the public keys of those whose bits are set. */
export function decode(count: u32, keys: u32): void {
  if (count > BATCH) unreachable();
  for (let i: u32 = 0; i < count; i++) {
    queuePoint(record(i) + 32, point(i) + FOUR);
    if ((keys >> i) & 1) queuePoint(record(i), point(i));
  }
  decodePoints();
}

/** Makes the table of a record's public key, which was decoded. Returns whether it is a point. */
export function makeTable(i: u32): bool {
  record(i);
  const key = point(i);
  if (!isPoint(key)) return false;
  negate(key);
  makeComb(TABLE, key, MULTIPLES);
  return true;
}

/** Whether S B - k A = R for a record whose public key's table is in its place. */
export function verifyKnown(i: u32): bool {
  const p = record(i);
  if (!isBelowOrder(p + 64)) return false;
  digits256(DIGITS_S, p + 64);
  digits16(DIGITS_K, p + 96);
  setNeutral(SUM);
  for (let part: i32 = 3; part >= 0; part--) {
    if (part < 3) for (let n = 0; n < 4; n++) double(SUM);
    for (let i: u32 = 0; i < 16; i++) {
      addMultiple(TABLE + i * MULTIPLES * FOUR, load<i8>(DIGITS_K + 4 * i + part));
      if (part & 1) continue;
      addMultiple(BASE_TABLE + i * BASE_MULTIPLES * FOUR, load<i8>(DIGITS_S + 2 * i + (part >> 1)));
    }
  }
  return equals(SUM, point(i) + FOUR);
}

function addMultiple(multiples: usize, digit: i32): void {
  if (digit != 0) addSigned(SUM, multiples + (<u32>abs(digit) - 1) * FOUR, digit < 0);
}

/** Whether S B - k A = R for a record whose public key was decoded. */
export function verifyNew(i: u32): bool {
  const p = record(i);
  const key = point(i);
  if (!isBelowOrder(p + 64) || !isPoint(key)) return false;
  negate(key);
  makeOddMultiples(ODD, key);
  slide(DIGITS_S, p + 64, 127);
  slide(DIGITS_K, p + 96, 15);
  let at = 255;
  while (at >= 0 && !load<i8>(DIGITS_S + at) && !load<i8>(DIGITS_K + at)) at--;
  setNeutral(SUM);
  for (; at >= 0; at--) {
    double(SUM);
    const k: i32 = load<i8>(DIGITS_K + at);
    if (k != 0) addSigned(SUM, ODD + ((<u32>abs(k)) >> 1) * FOUR, k < 0);
    addMultiple(BASE_TABLE, load<i8>(DIGITS_S + at));
  }
  return equals(SUM, point(i) + FOUR);
}

/** Takes the key whose seed, 32 bytes, was hashed. */
export function keyTake(): void {
  finish();
  takeKey();
}

/** Writes the public key of the key that was taken to the arena. */
export function keyPublic(): void {
  encodePublicKey(ARENA);
}

/** Starts the hash that the nonce comes from: the message follows. */
export function signStart(): void {
  start();
  update(PREFIX, 32);
}

/** Writes R to the arena, once the message was hashed. R, public key and message are to be hashed next. */
export function signCommit(): void {
  finish();
  commit(ARENA);
}

/** Writes S to the arena. */
export function signFinish(): void {
  finish();
  respond(ARENA);
}

/** Writes the public key of a private key at the beginning of the arena behind it. */
export function x25519Public(): void {
  publicX25519(ARENA + 32, ARENA);
}

/** Writes the agreement of a private key and the public key behind it behind both. Returns whether it is not zero. */
export function x25519Agree(): bool {
  const out = ARENA + 64;
  agreeX25519(out, ARENA, ARENA + 32);
  return (load<u64>(out) | load<u64>(out, 8) | load<u64>(out, 16) | load<u64>(out, 24)) != 0;
}

/** Erases what any operation can have left, but for tables and constants. */
export function erase(): void {
  memory.fill(ARENA, 0, CAPACITY);
  memory.fill(RECORDS, 0, BATCH * RECORD);
  eraseDigest();
  erasePoints();
  eraseSecrets();
}
