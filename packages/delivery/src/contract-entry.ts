/** What clients and servers agree on: the contract, names, device logs and the credentials made of them. No transport. */
export * from "./blobs.ts";
export * from "./contract.ts";
export type { DeviceLogChange, DeviceLogEntry, LogKey } from "./device-log/entry.ts";
