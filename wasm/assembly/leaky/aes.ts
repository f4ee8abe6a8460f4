/**
 * AES with a table, in the place of `../aes.ts`: what the timing harness has to notice. It is in no kernel but the
 * harness's own.
 *
 * The S-box is looked up two bytes at a time in 65,536 entries. Which of their cache lines a block touches depends on key
 * and data, and 128 kB do not fit a first-level cache, so that data that were not seen before take longer.
 */

export const LANES: u32 = 2;

const TABLE = memory.data(131072, 64);
const SBOX = memory.data(256, 16);
const ROUND_KEYS = memory.data(480, 16);
const STATE = memory.data(32, 16);
const SHIFTED = memory.data(16, 16);

let rounds: u32 = 0;
let ready: bool = false;

export function setKey(lane: u32, key: usize, keyLength: u32): void {
  memory.copy(ROUND_KEYS + lane * 240, key, keyLength);
}

export function expandKeys(keyLength: u32): void {
  if (!ready) fillTables();
  const words = keyLength >> 2;
  rounds = words + 6;
  for (let lane: u32 = 0; lane < LANES; lane++) {
    const keys = ROUND_KEYS + lane * 240;
    let rcon: u32 = 1;
    for (let i = words; i < 4 * (rounds + 1); i++) {
      let word = load<u32>(keys + ((i - 1) << 2));
      if (i % words == 0) {
        word = substitute(rotr<u32>(word, 8)) ^ rcon;
        rcon = (rcon << 1) ^ ((rcon >> 7) * 0x11b);
      } else if (words == 8 && i % words == 4) {
        word = substitute(word);
      }
      store<u32>(keys + (i << 2), word ^ load<u32>(keys + ((i - words) << 2)));
    }
  }
}

export function setBlock(lane: u32, p: usize): void {
  memory.copy(STATE + (lane << 4), p, 16);
}

export function encrypt(out: usize): void {
  for (let lane: u32 = 0; lane < LANES; lane++) {
    const state = STATE + (lane << 4);
    let key = ROUND_KEYS + lane * 240;
    addRoundKey(state, key);
    for (let round: u32 = 1; round <= rounds; round++) {
      key += 16;
      for (let i: usize = 0; i < 16; i += 4) store<u32>(state + i, substitute(load<u32>(state + i)));
      for (let i: usize = 0; i < 16; i++) store<u8>(SHIFTED + i, load<u8>(state + ((5 * i) & 15)));
      if (round < rounds) mixColumns(state);
      else memory.copy(state, SHIFTED, 16);
      addRoundKey(state, key);
    }
    memory.copy(out + (lane << 4), state, 16);
  }
}

export function erase(): void {
  memory.fill(ROUND_KEYS, 0, 480);
  memory.fill(STATE, 0, 32);
  memory.fill(SHIFTED, 0, 16);
}

function substitute(word: u32): u32 {
  return (<u32>load<u16>(TABLE + ((word & 0xffff) << 1))) | ((<u32>load<u16>(TABLE + ((word >> 16) << 1))) << 16);
}

function addRoundKey(state: usize, key: usize): void {
  v128.store(state, v128.xor(v128.load(state), v128.load(key)));
}

function mixColumns(state: usize): void {
  for (let column: usize = 0; column < 16; column += 4) {
    const a = load<u32>(SHIFTED + column);
    const high = a & 0x80808080;
    const doubled = ((a ^ high) << 1) ^ ((high >> 7) * 0x1b);
    const tripled = doubled ^ a;
    store<u32>(state + column, doubled ^ rotr<u32>(tripled, 8) ^ rotr<u32>(a, 16) ^ rotr<u32>(a, 24));
  }
}

/** The S-box from the powers of a generator and their inverses (FIPS 197 §5.1.1). */
function fillTables(): void {
  let p: u8 = 1;
  let q: u8 = 1;
  do {
    p = p ^ (p << 1) ^ (p & 0x80 ? 0x1b : 0);
    q ^= q << 1;
    q ^= q << 2;
    q ^= q << 4;
    if (q & 0x80) q ^= 0x09;
    store<u8>(SBOX + p, 0x63 ^ q ^ rotl<u8>(q, 1) ^ rotl<u8>(q, 2) ^ rotl<u8>(q, 3) ^ rotl<u8>(q, 4));
  } while (p != 1);
  store<u8>(SBOX, 0x63);
  for (let i: u32 = 0; i < 65536; i++) {
    store<u16>(TABLE + (i << 1), (<u16>load<u8>(SBOX + (i & 255))) | ((<u16>load<u8>(SBOX + (i >> 8))) << 8));
  }
  ready = true;
}
