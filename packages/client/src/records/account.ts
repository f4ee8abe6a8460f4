/**
 * Records of the partition `account`.
 *
 * | record | contents |
 * |---|---|
 * | `account` | name and signature key |
 * | `key-package/REF` | an own key package with its private keys, by hex of its reference |
 * | `pin/HASH` | the signature key first seen with a name, by a salted hash of the name |
 */
import { codec, type Bytes } from "@coppice/core";
import { boolean, integer, record, text, type RecordCodec } from "./primitives.ts";

export const ACCOUNT = "account";
export const KEY_PACKAGE = "key-package/";
export const PIN = "pin/";

export interface AccountRecord {
  readonly name: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  /** Secret; the store encrypts it. */
  readonly privateKey: Bytes;
  /** Keeps names of records from being guessed names of people. */
  readonly salt: Bytes;
  /** Whether the Delivery Service has accepted name and key. */
  readonly confirmed: boolean;
}

export const accountRecord: RecordCodec<AccountRecord> = record(
  codec.struct({
    name: text,
    publicKey: codec.opaque,
    privateKey: codec.opaque,
    salt: codec.opaque,
    confirmed: boolean,
  }),
);

export interface KeyPackageRecord {
  readonly lastResort: boolean;
  /** Whether the directory has it. */
  readonly published: boolean;
  /** Seconds since 1970. */
  readonly notAfter: number;
  /** From `encodeOwnKeyPackage`: secret. */
  readonly own: Bytes;
}

export const keyPackageRecord: RecordCodec<KeyPackageRecord> = record(
  codec.struct({ lastResort: boolean, published: boolean, notAfter: integer, own: codec.opaque }),
);

export interface PinRecord {
  readonly name: string;
  readonly signatureKey: Bytes;
}

export const pinRecord: RecordCodec<PinRecord> = record(codec.struct({ name: text, signatureKey: codec.opaque }));
