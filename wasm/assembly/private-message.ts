/**
 * Private messages (RFC 9420 §6.3). One call seals a message: key and nonce from the ratchet, content, and sender data. One call
 * opens the sender data of many.
 *
 * What is sealed lies in memory without gaps:
 *
 *     opaque ratchet_secret[Nh]; opaque sender_data_secret[Nh]; opaque reuse_guard[4];
 *     opaque header[header_length];           the message up to `authenticated_data`
 *     opaque encrypted_sender_data<V>;        room for it
 *     opaque ciphertext<V>;                   room for its header, the plaintext, room for the tag
 *
 * Sender data to be opened lie in the layout of `aead-batch.ts`, with room for the keys and nonces. After them come
 *
 *     opaque sender_data_secret[Nh];
 *     struct { uint32 length; opaque sample[length]; } samples[count];     native byte order
 */

import { TAG, keyLength, NONCE as NONCE_LENGTH, seal as sealData } from "./aead";
import * as batch from "./aead-batch";
import { hashLength } from "./hash";
import * as hkdf from "./hkdf";
import { KEY, NONCE, ratchetOnce } from "./secret-tree";
import { writeVarint } from "./varint";

const GUARD: u32 = 4;
const SENDER_DATA: u32 = 12;

/** Bytes of input; at most those of a header before the ciphertext are counted. */
export function extent(hash: u32, headerLength: u32, plaintextLength: u32): u64 {
  return 2 * <u64>hashLength(hash) + GUARD + headerLength + 1 + SENDER_DATA + TAG + 4 + <u64>plaintextLength + TAG;
}

/** Bytes of output: the ratchet secret of the next generation, with room for a key and a nonce before it. */
export function outputLength(hash: u32, alg: u32): u32 {
  return keyLength(alg) + NONCE_LENGTH + hashLength(hash);
}

/**
 * Completes the message at `input` and writes the next ratchet secret to the end of `output`. `PrivateContentAAD` is the header
 * from `aadStart` on, `SenderDataAAD` is that up to `senderDataAadEnd`.
 */
export function seal(
  hash: u32,
  alg: u32,
  input: usize,
  generation: u32,
  leafIndex: u32,
  headerLength: u32,
  aadStart: u32,
  senderDataAadEnd: u32,
  plaintextLength: u32,
  output: usize,
): void {
  const Nh = hashLength(hash);
  const Nk = keyLength(alg);
  const senderDataSecret = input + Nh;
  const reuseGuard = load<u32>(senderDataSecret + Nh);
  const header = senderDataSecret + Nh + GUARD;
  const aad = header + aadStart;
  const length = plaintextLength + TAG;
  const senderData = header + headerLength + 1;
  let ciphertext = senderData + SENDER_DATA + TAG;
  ciphertext += writeVarint(ciphertext, length);
  const nonce = output + Nk;

  ratchetOnce(hash, input, senderDataSecret, generation, Nk, NONCE_LENGTH, output);
  store<u32>(nonce, load<u32>(nonce) ^ reuseGuard);
  sealData(alg, output, aad, headerLength - aadStart, ciphertext, plaintextLength);

  const sample = min(length, Nh);
  hkdf.expandWithLabel(KEY, 3, ciphertext, sample, output, Nk);
  hkdf.expandWithLabel(NONCE, 5, ciphertext, sample, nonce, NONCE_LENGTH);
  hkdf.erase();
  store<u8>(senderData - 1, <u8>(SENDER_DATA + TAG));
  store<u32>(senderData, bswap(leafIndex));
  store<u32>(senderData, bswap(generation), 4);
  store<u32>(senderData, reuseGuard, 8);
  sealData(alg, output, aad, senderDataAadEnd - aadStart, senderData, SENDER_DATA);
}

/** Bytes that sender data to be opened take; more than any memory when the lengths in them contradict each other. */
export function sealedExtent(hash: u32, alg: u32, table: usize, count: u32, capacity: u32): u64 {
  let total = batch.extent(alg, table, count, capacity) + hashLength(hash);
  for (; count && total + 4 <= capacity; --count) total += 4 + <u64>load<u32>(table + <usize>total);
  return total + 4 * <u64>count;
}

/** Opens the sender data of `count` messages in place. */
export function openSenderData(hash: u32, alg: u32, table: usize, count: u32, capacity: u32): void {
  const Nk = keyLength(alg);
  const secret = table + <usize>batch.extent(alg, table, count, capacity);
  let sample = secret + hashLength(hash);
  let message = table + count * batch.ENTRY;
  hkdf.setSecret(hash, secret, hashLength(hash));
  for (let entry = table, end = message; entry < end; entry += batch.ENTRY) {
    const length = load<u32>(sample);
    hkdf.expandWithLabel(KEY, 3, sample + 4, length, message, Nk);
    hkdf.expandWithLabel(NONCE, 5, sample + 4, length, message + Nk, NONCE_LENGTH);
    sample += 4 + length;
    message += Nk + NONCE_LENGTH + load<u32>(entry) + load<u32>(entry, 4) + TAG;
  }
  hkdf.erase();
  batch.process(alg, true, table, count);
}
