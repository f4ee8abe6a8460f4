/** Calls about key packages and device logs. */
import { codec } from "@coppice/core";
import type { ClaimedKeyPackage } from "../contract.ts";
import type { DeviceLogEntry } from "../device-log/entry.ts";
import { deviceLogEntry } from "../device-log/codec.ts";
import { WIRE_LIMITS, type Call } from "./call.ts";
import { bool, empty, integer, list } from "./codec.ts";
import { client, input, message, user } from "./fields.ts";
const { optional, struct } = codec;

export const publishKeyPackages: Call<
  {
    readonly keyPackages: readonly Uint8Array[];
    readonly lastResort: Uint8Array | undefined;
    readonly replace: boolean;
  },
  void
> = {
  name: "publishKeyPackages",
  path: "v2/key-packages/publish",
  request: struct({
    keyPackages: list(input(message), WIRE_LIMITS.keyPackages),
    lastResort: optional(input(message)),
    replace: bool,
  }),
  answer: empty,
};

export const countKeyPackages: Call<void, { readonly count: number }> = {
  name: "countKeyPackages",
  path: "v2/key-packages/count",
  request: empty,
  answer: struct({ count: integer() }),
};

export const claimKeyPackages: Call<{ readonly users: readonly string[] }, readonly ClaimedKeyPackage[]> = {
  name: "claimKeyPackages",
  path: "v2/key-packages/claim",
  request: struct({ users: list(user, WIRE_LIMITS.clients) }),
  answer: list(struct<ClaimedKeyPackage>({ client, keyPackage: message }), WIRE_LIMITS.clients),
};

export const readDeviceLog: Call<{ readonly user: string; readonly from: number }, readonly DeviceLogEntry[]> = {
  name: "readDeviceLog",
  path: "v2/device-log/read",
  request: struct({ user, from: integer() }),
  answer: list(deviceLogEntry, WIRE_LIMITS.deviceLogPage),
};

export const appendDeviceLog: Call<DeviceLogEntry, void> = {
  name: "appendDeviceLog",
  path: "v2/device-log/append",
  request: deviceLogEntry,
  answer: empty,
};
