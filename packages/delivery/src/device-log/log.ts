/** A device log that was verified, folded into what is asked of it. */
import { codec, type Bytes, type Codec } from "@coppice/core";
import { list } from "../wire/codec.ts";
import { deviceId, HASH_BYTES, logKey, logPosition, MAX_DEVICE_LOG_ENTRIES, userName } from "./codec.ts";
import type { LogKey } from "./entry.ts";

/** A key and when the log listed it. */
export interface ListedKey {
  readonly key: LogKey;
  /** Position of the entry that listed it. */
  readonly since: number;
  /** Position of the entry that removed or replaced it; undefined while it is listed. */
  readonly until: number | undefined;
}

/**
 * What `verifyDeviceLog` found out about a user. Keep it (`deviceLog` encodes it): it pins the log's head, and following the
 * log from there costs only what is new. Immutable.
 */
export interface DeviceLog {
  readonly user: string;
  /** SHA-256 of the encoded first entry. The same for as long as the user does not start anew. */
  readonly root: Bytes;
  /** Position of the newest entry. */
  readonly position: number;
  /** SHA-256 of the encoded newest entry. */
  readonly head: Bytes;
  /** Each device that was ever listed, in the order of their first entries, with its keys, oldest first. */
  readonly devices: ReadonlyMap<string, readonly ListedKey[]>;
  /** Recovery keys, oldest first. */
  readonly recovery: readonly ListedKey[];
}

/** A device that a log lists now. */
export interface ListedDevice {
  /** 32 lower-case hex digits. */
  readonly device: string;
  readonly key: LogKey;
  /** Position of the entry that listed this key. */
  readonly since: number;
}

/**
 * The devices that a log lists now, in the order in which they came.
 *
 * @example
 * ```ts check
 * import { listedDevices, type DeviceLog } from "@coppice/delivery/contract";
 *
 * declare const log: DeviceLog;
 * for (const { device, since } of listedDevices(log)) console.log(`${device} is listed since entry ${since}`);
 * ```
 */
export function listedDevices(log: DeviceLog): readonly ListedDevice[] {
  return [...log.devices].flatMap(([device, keys]) => {
    const listed = listedNow(keys);
    return listed === undefined ? [] : [{ device, key: listed.key, since: listed.since }];
  });
}

/** The key of these that is listed now: only the last one can be. */
export function listedNow(keys: readonly ListedKey[] | undefined): ListedKey | undefined {
  const last = keys?.at(-1);
  return last?.until === undefined ? last : undefined;
}

const hash = codec.fixed(HASH_BYTES);

const keys = list(
  codec.struct<ListedKey>({ key: logKey, since: logPosition, until: codec.optional(logPosition) }),
  MAX_DEVICE_LOG_ENTRIES,
);

const devices = codec.map(
  list(
    codec.struct<{ device: string; keys: readonly ListedKey[] }>({ device: deviceId, keys }),
    MAX_DEVICE_LOG_ENTRIES,
  ),
  (all): DeviceLog["devices"] => new Map(all.map((one) => [one.device, one.keys])),
  (all) => [...all].map(([device, of]) => ({ device, keys: of })),
);

/** A verified log as stored where nobody else writes: it is not verified again when it is read. */
export const deviceLog: Codec<DeviceLog> = codec.struct<DeviceLog>({
  user: userName,
  root: hash,
  position: logPosition,
  head: hash,
  devices,
  recovery: keys,
});
