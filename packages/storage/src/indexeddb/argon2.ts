/** Argon2id (RFC 9106), in a module of its own: only stores under a passphrase load it. */
import { argon2idAsync } from "@noble/hashes/argon2.js";

/** What stretching a passphrase costs (RFC 9106 §3.1). */
export interface PassphraseCost {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
}

/** 32 bytes of a passphrase. Lets go of the thread now and then. */
export function argon2id(
  passphrase: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
  { memory, passes, lanes }: PassphraseCost,
): Promise<Uint8Array<ArrayBuffer>> {
  return argon2idAsync(passphrase, salt, { m: memory, t: passes, p: lanes, dkLen: 32 });
}
