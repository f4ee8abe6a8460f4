/**
 * Records of the partition `account`. Names hold nothing that the server knows: people and groups are named by a salted hash.
 *
 * | record | contents |
 * |---|---|
 * | `account` | user, device and signature key |
 * | `recovery` | how often this store was found rolled back |
 * | `clock` | the latest time that this device has seen on its own clock |
 * | `restored` | there was a backup, and the key packages that the directory has are of before it |
 * | `key-package/N` | an own key package with its private keys |
 * | `used/HASH` | an epoch of a group that a last-resort key package let this device into, as long as that is kept |
 * | `waiting/HASH` | a Welcome that waits for a device log which the directory withholds |
 * | `pin/HASH` | a user's device log as it was last seen |
 * | `forgotten/HASH` | of a conversation that was deleted: what must not happen twice |
 */
import { codec, type Bytes } from "@coppice/core";
import { deviceLog, type DeviceLog } from "@coppice/delivery/contract";
import type { WaitingWelcome } from "../patience.ts";
import { logPosition } from "./conversation.ts";
import { boolean, id128, integer, record, text, type RecordCodec } from "./primitives.ts";

export const ACCOUNT = "account";
export const RECOVERY = "recovery";
export const CLOCK = "clock";
export const KEY_PACKAGE = "key-package/";
export const USED = "used/";
export const WAITING = "waiting/";
export const RESTORED = "restored";
export const PIN = "pin/";
export const FORGOTTEN = "forgotten/";

export interface AccountRecord {
  readonly user: string;
  readonly device: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  /** Secret; the store encrypts it. */
  readonly privateKey: Bytes;
  /** Keeps names of records from being guessed names of people. */
  readonly salt: Bytes;
  /** Position of the entry of the user's device log that lists this device; undefined until the server has accepted it. */
  readonly position: number | undefined;
}

export const accountRecord: RecordCodec<AccountRecord> = record(
  codec.struct<AccountRecord>({
    user: text,
    device: id128,
    publicKey: codec.opaque,
    privateKey: codec.opaque,
    salt: codec.opaque,
    position: codec.optional(integer),
  }),
);

export interface RecoveryRecord {
  /** Grows each time; conversations that were last joined at a lower count have to be joined again. */
  readonly count: number;
}

export const recoveryRecord: RecordCodec<RecoveryRecord> = record(codec.struct<RecoveryRecord>({ count: integer }));

export interface ClockRecord {
  /** Milliseconds since 1970. */
  readonly latest: number;
}

export const clockRecord: RecordCodec<ClockRecord> = record(codec.struct<ClockRecord>({ latest: integer }));

export interface KeyPackageRecord {
  readonly lastResort: boolean;
  /** `made`: the directory may not have it yet. `withdrawn`: it has been taken back; a Welcome for it may still be on its way. */
  readonly state: "made" | "published" | "withdrawn";
  /** Seconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** From `encodeOwnKeyPackage`: secret. */
  readonly own: Bytes;
}

export const keyPackageRecord: RecordCodec<KeyPackageRecord> = record(
  codec.struct<KeyPackageRecord>({
    lastResort: boolean,
    state: codec.closedEnum(codec.uint8, { made: 1, published: 2, withdrawn: 3 }),
    notBefore: integer,
    notAfter: integer,
    own: codec.opaque,
  }),
);

export interface UsedRecord {
  /** Number of the key package. */
  readonly keyPackage: number;
}

export const usedRecord: RecordCodec<UsedRecord> = record(codec.struct<UsedRecord>({ keyPackage: integer }));

export const waitingRecord: RecordCodec<WaitingWelcome> = record(
  codec.struct<WaitingWelcome>({
    groupId: codec.opaque,
    welcome: codec.opaque,
    position: logPosition,
    spent: integer,
    at: integer,
  }),
);

export const pinRecord: RecordCodec<DeviceLog> = record(deviceLog);

export interface ForgottenRecord {
  /** The last epoch that this device was in. */
  readonly epoch: bigint;
  /** Hash of the last Welcome that it joined by. */
  readonly welcome: Bytes | undefined;
}

export const forgottenRecord: RecordCodec<ForgottenRecord> = record(
  codec.struct<ForgottenRecord>({ epoch: codec.uint64, welcome: codec.optional(codec.opaque) }),
);
