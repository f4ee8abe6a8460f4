/** What the directory keeps of a device log beside its entries: the state that the next entry extends. */
import { codec } from "@coppice/core";
import { deviceLogState, type DeviceLogState } from "../standin/device-log.ts";
import type { UserRecord } from "./store.ts";

export const readState = ({ logState }: UserRecord): DeviceLogState => codec.decode(deviceLogState, logState);

/** The record of a user whose log says `state`. */
export const writeState = (name: string, state: DeviceLogState, groupsCreated: number): UserRecord => ({
  name,
  logLength: state.length,
  logState: codec.encode(deviceLogState, state),
  groupsCreated,
});

/** Ids of the devices that the log lists, in the order in which they were added. */
export const listedDevices = (user: UserRecord): readonly string[] =>
  readState(user).devices.map(({ device }) => device);

export const listsDevice = (user: UserRecord, device: string): boolean => listedDevices(user).includes(device);
