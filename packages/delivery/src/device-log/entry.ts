/**
 * Device logs: who may speak for a user. An append-only list per user, kept by the directory, which can neither extend nor
 * change it: each entry is signed by a device (or the recovery key) that the log lists, and names the hash of the one before.
 */
import type { Bytes } from "@coppice/core";

/** A signature key of a device or of a recovery key. */
export interface LogKey {
  /** Cipher suite whose signature scheme the key is of. */
  readonly suite: number;
  /** Raw public key. */
  readonly publicKey: Bytes;
}

/** What an entry changes. `device` is 32 lower-case hex digits. */
export type DeviceLogChange =
  /** First entry: the user's first device. `nonce` (32 random bytes) makes the log's root unique. */
  | { readonly action: "create"; readonly device: string; readonly key: LogKey; readonly nonce: Bytes }
  | { readonly action: "add"; readonly device: string; readonly key: LogKey }
  | { readonly action: "remove"; readonly device: string }
  /** A new key for a device that is listed. */
  | { readonly action: "replace"; readonly device: string; readonly key: LogKey }
  /** Sets the one recovery key, which may sign like a device; a later one takes its place. */
  | { readonly action: "recovery"; readonly key: LogKey };

export interface DeviceLogEntry {
  readonly user: string;
  /** 0 for the first entry, then one more each. */
  readonly position: number;
  /** SHA-256 of the encoded entry before; empty for the first. */
  readonly previous: Bytes;
  readonly change: DeviceLogChange;
  /** Device id of the signer, or `recovery`. The first entry is signed by the device it creates. */
  readonly signer: string;
  /** By the signer's key over the entry without the signature, under a label of its own. */
  readonly signature: Bytes;
}
