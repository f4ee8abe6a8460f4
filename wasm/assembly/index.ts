/** Exports of the kernel. Lengths are in bytes; input lies at `arena`, one argument after the other. */

import * as aead from "./aead";
import * as batch from "./aead-batch";
import { ARENA, CAPACITY, OUTPUT, checkInput } from "./arena";
import * as digestBatch from "./digest-batch";
import { blockLength, erase as eraseHash, finish, hashLength, start, update as updateHash } from "./hash";
import { erase as eraseMac, finishMac, setKey, startMac } from "./hmac";
import * as hkdf from "./hkdf";
import * as privateMessage from "./private-message";
import * as secretTree from "./secret-tree";

/** Address of the first byte of input. Output of `n` bytes is at `arena - n`. */
export const arena: usize = ARENA;
/** Bytes of input that fit. */
export const capacity: u32 = CAPACITY;
/** Bytes of output that fit. */
export const outputCapacity: u32 = OUTPUT;

/** Traps unless HKDF-Expand takes a key and gives an output of these lengths. */
function checkExpand(alg: u32, keyLength: u32, length: u32): void {
  if (keyLength > blockLength(alg) || length > 255 * hashLength(alg)) unreachable();
}

/** Hash of `length` bytes. */
export function digest(alg: u32, length: u32): void {
  checkInput(length);
  start(alg);
  updateHash(ARENA, length);
  finish(ARENA - hashLength(alg));
  eraseHash();
}

/** Hashes of `count` messages; `digest-batch.ts` has their layout. */
export function digestMany(alg: u32, count: u32): void {
  const length = <u64>count * hashLength(alg);
  if (length > OUTPUT || digestBatch.extent(ARENA, count, CAPACITY) > CAPACITY) unreachable();
  digestBatch.process(alg, ARENA, count, ARENA - <usize>length);
}

/** HMAC of `length` bytes that follow the key. */
export function hmac(alg: u32, keyLength: u32, length: u32): void {
  checkInput(<u64>keyLength + length);
  setKey(alg, ARENA, keyLength);
  startMac();
  updateHash(ARENA + keyLength, length);
  finishMac(ARENA - hashLength(alg));
  eraseMac();
}

/** HKDF-Expand; `info` follows `prk`. */
export function expand(alg: u32, prkLength: u32, infoLength: u32, length: u32): void {
  checkInput(<u64>prkLength + infoLength);
  checkExpand(alg, prkLength, length);
  hkdf.setSecret(alg, ARENA, prkLength);
  hkdf.expand(ARENA + prkLength, infoLength, ARENA - length, length);
  hkdf.erase();
}

/** ExpandWithLabel; `label` without its prefix and `context` follow `secret`. */
export function expandWithLabel(alg: u32, secretLength: u32, labelLength: u32, contextLength: u32, length: u32): void {
  checkInput(<u64>secretLength + labelLength + contextLength);
  checkExpand(alg, secretLength, length);
  const label = ARENA + secretLength;
  hkdf.setSecret(alg, ARENA, secretLength);
  hkdf.expandWithLabel(label, labelLength, label + labelLength, contextLength, ARENA - length, length);
  hkdf.erase();
}

/**
 * ExpandWithLabel of one secret with `count` labels and contexts. The secret comes first, then a table of the lengths of
 * label, context and output, 32 bits each, then labels and contexts in turn. The outputs lie one after the other and end
 * at `arena`; `length` is their sum.
 */
export function expandMany(alg: u32, secretLength: u32, count: u32, length: u32): void {
  checkExpand(alg, secretLength, 0);
  const tableLength = <u64>count * 12;
  checkInput(secretLength + tableLength);
  if (length > OUTPUT) unreachable();
  const table = ARENA + secretLength;
  const end = table + <usize>tableLength;
  let input = secretLength + tableLength;
  let output: u64 = 0;
  for (let entry = table; entry < end; entry += 12) {
    input += <u64>load<u32>(entry) + load<u32>(entry, 4);
    output += load<u32>(entry, 8);
    checkExpand(alg, secretLength, load<u32>(entry, 8));
  }
  checkInput(input);
  if (output != length) unreachable();
  let label = end;
  let out = ARENA - length;
  hkdf.setSecret(alg, ARENA, secretLength);
  for (let entry = table; entry < end; entry += 12) {
    const context = label + load<u32>(entry);
    hkdf.expandWithLabel(label, load<u32>(entry), context, load<u32>(entry, 4), out, load<u32>(entry, 8));
    label = context + load<u32>(entry, 4);
    out += load<u32>(entry, 8);
  }
  hkdf.erase();
}

/**
 * Runs a ratchet of the secret tree from the ratchet secret of `generation`, `Nh` bytes. The output is `count` keys and
 * nonces in turn and the ratchet secret after them.
 */
export function ratchet(alg: u32, generation: u32, count: u32, Nk: u32, Nn: u32): void {
  const length = secretTree.extent(alg, count, Nk, Nn);
  if (length > OUTPUT || Nk > secretTree.LONGEST || Nn > secretTree.LONGEST) unreachable();
  secretTree.ratchet(alg, ARENA, generation, count, Nk, Nn, ARENA - <usize>length);
  hkdf.erase();
}

/** Starts a hash of input that comes in pieces. */
export function digestStart(alg: u32): void {
  start(alg);
}

/** Starts a MAC of input that comes in pieces. */
export function hmacStart(alg: u32, keyLength: u32): void {
  checkInput(keyLength);
  setKey(alg, ARENA, keyLength);
  startMac();
}

/** Next piece. */
export function update(length: u32): void {
  checkInput(length);
  updateHash(ARENA, length);
}

/** Ends what `digestStart` began. */
export function digestFinish(alg: u32): void {
  finish(ARENA - hashLength(alg));
  eraseHash();
}

/** Ends what `hmacStart` began. */
export function hmacFinish(alg: u32): void {
  finishMac(ARENA - hashLength(alg));
  eraseMac();
}

/**
 * Seals or opens `count` messages in place; `aead-batch.ts` has their layout. The algorithms are 0 for AES-128-GCM, 1 for
 * AES-256-GCM and 2 for ChaCha20-Poly1305.
 */
export function aeadBatch(alg: u32, open: bool, count: u32): void {
  if (batch.extent(alg, ARENA, count, CAPACITY) > CAPACITY) unreachable();
  batch.process(alg, open, ARENA, count);
  aead.erase();
}

/**
 * Seals a private message; `private-message.ts` has its layout. The output is the ratchet secret of the next generation, and
 * before it what is left of a key and a nonce, to be erased.
 */
export function sealPrivateMessage(
  hash: u32,
  alg: u32,
  generation: u32,
  leafIndex: u32,
  headerLength: u32,
  aadStart: u32,
  senderDataAadEnd: u32,
  plaintextLength: u32,
): void {
  checkInput(privateMessage.extent(hash, headerLength, plaintextLength));
  if (aadStart > senderDataAadEnd || senderDataAadEnd > headerLength) unreachable();
  const output = ARENA - privateMessage.outputLength(hash, alg);
  privateMessage.seal(
    hash,
    alg,
    ARENA,
    generation,
    leafIndex,
    headerLength,
    aadStart,
    senderDataAadEnd,
    plaintextLength,
    output,
  );
  aead.erase();
}

/** Opens the sender data of `count` private messages in place; `private-message.ts` has their layout. */
export function openSenderData(hash: u32, alg: u32, count: u32): void {
  if (privateMessage.sealedExtent(hash, alg, ARENA, count, CAPACITY) > CAPACITY) unreachable();
  privateMessage.openSenderData(hash, alg, ARENA, count, CAPACITY);
  aead.erase();
}

/** Starts a message that comes in pieces; the nonce follows the key. */
export function aeadStart(alg: u32): void {
  aead.start(alg, ARENA, ARENA + aead.keyLength(alg));
}

/** Next piece of associated data. Only the last may be other than a multiple of 16. */
export function aeadAad(length: u32): void {
  checkInput(length);
  aead.absorbAad(ARENA, length);
}

/** Next piece of ciphertext for the MAC. Only the last may be other than a multiple of 16. */
export function aeadData(length: u32): void {
  checkInput(length);
  aead.absorbData(ARENA, length);
}

/** Encrypts or decrypts the next piece in place. Only the last may be other than a multiple of 16. */
export function aeadCrypt(length: u32): void {
  checkInput(length);
  aead.crypt(ARENA, length);
}

/** Tag of what was absorbed. */
export function aeadTag(): void {
  aead.finishMac(ARENA - aead.TAG);
}

/** Whether the tag of what was absorbed is the one in the arena. */
export function aeadVerify(): bool {
  return aead.verifyMac(ARENA);
}

/** Erases everything that a started and abandoned operation has left. */
export function erase(): void {
  eraseMac();
  aead.erase();
}
