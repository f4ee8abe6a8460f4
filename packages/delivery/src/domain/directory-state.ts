/** What the directory keeps of a device log beside its entries: the verified log, which the next entry extends. */
import { codec, equalBytes } from "@coppice/core";
import type { ClientId } from "../contract.ts";
import type { LogKey } from "../device-log/entry.ts";
import { deviceLog, listedDevices, type DeviceLog } from "../device-log/log.ts";
import { nameSkeleton } from "../name-skeleton.ts";
import type { UserRecord } from "./store.ts";

export const readLogState = ({ logState }: UserRecord): DeviceLog => codec.decode(deviceLog, logState);

/** The record of a user whose log is `log`. */
export const userRecord = (log: DeviceLog, groupsCreated: number): UserRecord => ({
  name: log.user,
  skeleton: nameSkeleton(log.user),
  logLength: log.position + 1,
  logState: codec.encode(deviceLog, log),
  groupsCreated,
});

/** The devices that the user's log lists, in the order in which they were added. */
export const devicesOf = (user: UserRecord): readonly ClientId[] =>
  listedDevices(readLogState(user)).map(({ device }) => ({ user: user.name, device }));

export const listsDevice = (user: UserRecord, device: string): boolean =>
  devicesOf(user).some((client) => client.device === device);

const sameKey = (a: LogKey, b: LogKey): boolean => a.suite === b.suite && equalBytes(a.publicKey, b.publicKey);

/** Whether the log lists this key for this device. */
export const listsKey = (log: DeviceLog, device: string, key: LogKey): boolean =>
  listedDevices(log).some((listed) => listed.device === device && sameKey(listed.key, key));

/** A device that may not go on as it is. */
export interface LostDevice {
  readonly client: ClientId;
  /** False where it has another key now, which its key packages do not have. */
  readonly isRemoved: boolean;
}

/** Devices that an entry removed, or gave another key. */
export function lostDevices(before: DeviceLog, after: DeviceLog): readonly LostDevice[] {
  const now = listedDevices(after);
  return listedDevices(before).flatMap(({ device, key }) => {
    const listed = now.find((candidate) => candidate.device === device);
    if (listed !== undefined && sameKey(listed.key, key)) return [];
    return [{ client: { user: after.user, device }, isRemoved: listed === undefined }];
  });
}
