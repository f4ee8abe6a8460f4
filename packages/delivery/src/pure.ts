/** The contract without anything that reaches a platform: the one entry that a client engine imports at run time. */
export type { BlobStore } from "./blobs.ts";
export * from "./contract.ts";
export type { DeviceLogChange, DeviceLogEntry, LogKey } from "./device-log/entry.ts";
