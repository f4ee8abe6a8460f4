/** SHA-512 over input that comes in pieces (FIPS 180-4 §6.4). */
import { IV512, compress512 } from "../sha512";

const STATE = memory.data(64, 16);
const BLOCK = memory.data(128, 16);
/** What `finish` gives. */
export const DIGEST: usize = memory.data(64, 16);

let total: u32 = 0;

export function start(): void {
  memory.copy(STATE, IV512, 64);
  total = 0;
}

export function update(p: usize, length: u32): void {
  const used = total & 127;
  total += length;
  if (used > 0) {
    const part = min<u32>(128 - used, length);
    memory.copy(BLOCK + used, p, part);
    if (used + part < 128) return;
    compress512(STATE, BLOCK, 1);
    p += part;
    length -= part;
  }
  const blocks = length >> 7;
  compress512(STATE, p, blocks);
  memory.copy(BLOCK, p + (blocks << 7), length & 127);
}

export function finish(): void {
  const used = total & 127;
  memory.fill(BLOCK + used, 0, 128 - used);
  store<u8>(BLOCK + used, 0x80);
  if (used >= 112) {
    compress512(STATE, BLOCK, 1);
    memory.fill(BLOCK, 0, 128);
  }
  store<u64>(BLOCK, bswap<u64>((<u64>total) << 3), 120);
  compress512(STATE, BLOCK, 1);
  for (let i: usize = 0; i < 64; i += 8) store<u64>(DIGEST + i, bswap(load<u64>(STATE + i)));
  eraseState();
}

function eraseState(): void {
  memory.fill(STATE, 0, 64);
  memory.fill(BLOCK, 0, 128);
  total = 0;
}

export function eraseDigest(): void {
  eraseState();
  memory.fill(DIGEST, 0, 64);
}
