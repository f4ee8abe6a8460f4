/** Reuse guards of private messages (RFC 9420 §6.3.1). */
import { randomBytes } from "@coppice/kit";
import type { Bytes } from "../codec/bytes.ts";

const LENGTH = 4;
/** Guards that are asked for at once: asking the platform for one takes longer than encrypting with it. */
const AT_ONCE = 256;

let ahead: Bytes = new Uint8Array(0);
let used = 0;

/**
 * 4 random bytes, which tell the nonces of two messages apart that a state and its older copy seal with one key. Guards that are
 * kept for later are in this context alone, never in a state.
 */
export function newReuseGuard(): Bytes {
  if (used === ahead.length) [ahead, used] = [randomBytes(LENGTH * AT_ONCE), 0];
  return ahead.slice(used, (used += LENGTH));
}
