/** What clients and servers agree on: the contract, names, device logs and the credentials made of them. No transport. */
export * from "./blobs.ts";
export * from "./contract.ts";
export { MAX_DEVICE_LOG_ENTRIES, deviceLogEntry } from "./device-log/codec.ts";
export {
  checkIdentity,
  decodeIdentity,
  encodeIdentity,
  identityStanding,
  type IdentityStanding,
  type LeafIdentity,
} from "./device-log/credential.ts";
export type { DeviceLogChange, DeviceLogEntry, LogKey } from "./device-log/entry.ts";
export { deviceLog, type DeviceLog, type ListedDevice, listedDevices, type ListedKey } from "./device-log/log.ts";
export { DEVICE_LOG_RULES, type DeviceLogRule, MAX_LISTED_DEVICES } from "./device-log/rules.ts";
export { safetyNumber } from "./device-log/safety-number.ts";
export { signDeviceLogEntry, type SignDeviceLogOptions } from "./device-log/sign.ts";
export { verifyDeviceLog } from "./device-log/verify.ts";
export { isNormalName, MAX_NAME_BYTES, type NameFault, normalName, normalTitle } from "./names.ts";
