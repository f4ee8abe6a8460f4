/** What the KEM needs of X25519, however the platform does it. */
import type { Bytes } from "../codec/bytes.ts";
import type { HpkeKeyPair } from "./hpke.ts";

/** X25519 (RFC 7748) over raw keys of 32 bytes. */
export interface X25519 {
  readonly generate: () => Promise<HpkeKeyPair>;
  readonly publicKeyOf: (privateKey: Bytes) => Promise<Bytes>;
  /** Rejects for an all-zero result (RFC 9180 §7.1.4). */
  readonly agree: (keys: HpkeKeyPair, peer: Bytes) => Promise<Bytes>;
  /** `agree` with a key pair that is made for this alone. */
  readonly agreeOnce: (peer: Bytes) => Promise<{ readonly publicKey: Bytes; readonly dh: Bytes }>;
}
