/** Stands in for the functions of `device-log/` until they are merged. */
import type { Bytes, Codec } from "@coppice/core";
import { codec, equalBytes, getCipherSuite, utf8 } from "@coppice/core";
import type { DeviceLogChange, DeviceLogEntry, LogKey } from "../device-log/entry.ts";
import { deliveryError } from "../errors.ts";

const { closedEnum, map, opaque, optional, select, struct, uint16, uint32, uint8, vector } = codec;

const text: Codec<string> = map(
  opaque,
  (value) => new TextDecoder("utf-8", { fatal: true }).decode(value),
  (value) => utf8(value),
);
const key: Codec<LogKey> = struct({ suite: uint16, publicKey: opaque });
const change: Codec<DeviceLogChange> = select<"action", DeviceLogChange["action"], DeviceLogChange>(
  "action",
  closedEnum(uint8, { create: 1, add: 2, remove: 3, replace: 4, recovery: 5 }),
  {
    create: struct({ device: text, key, nonce: opaque }),
    add: struct({ device: text, key }),
    remove: struct({ device: text }),
    replace: struct({ device: text, key }),
    recovery: struct({ key }),
  },
);
export const deviceLogEntry: Codec<DeviceLogEntry> = struct({
  user: text,
  position: uint32,
  previous: opaque,
  change,
  signer: text,
  signature: opaque,
});

export interface DeviceLogState {
  readonly user: string;
  readonly length: number;
  readonly head: Bytes;
  readonly devices: readonly { readonly device: string; readonly key: LogKey }[];
  readonly recovery: LogKey | undefined;
}

export const deviceLogState: Codec<DeviceLogState> = struct({
  user: text,
  length: uint32,
  head: opaque,
  devices: vector(struct({ device: text, key })),
  recovery: optional(key),
});

type Unsigned = Omit<DeviceLogEntry, "signature">;

const signedContent = (entry: Unsigned): Bytes =>
  codec.encode(
    struct<Unsigned & { label: string }>({
      label: text,
      user: text,
      position: uint32,
      previous: opaque,
      change,
      signer: text,
    }),
    {
      label: "Coppice device log 1",
      ...entry,
    },
  );

export async function signDeviceLogEntry(
  entry: Unsigned,
  sign: (content: Uint8Array) => Promise<Uint8Array>,
): Promise<DeviceLogEntry> {
  return { ...entry, signature: new Uint8Array(await sign(signedContent(entry))) };
}

export async function hashDeviceLogEntry(entry: DeviceLogEntry): Promise<Bytes> {
  const { hash } = await getCipherSuite(1);
  return hash.digest(codec.encode(deviceLogEntry, entry));
}

/** The state after one more entry, or `ERR_DS_DEVICE_LOG`. */
export async function extendDeviceLog(
  state: DeviceLogState | undefined,
  entry: DeviceLogEntry,
): Promise<DeviceLogState> {
  const refuse = (): Error =>
    deliveryError("ERR_DS_DEVICE_LOG", "The entry does not extend the device log", {
      detail: { length: state?.length ?? 0 },
    });
  const devices = new Map((state?.devices ?? []).map((item) => [item.device, item.key]));
  let recovery = state?.recovery;
  if (entry.position !== (state?.length ?? 0) || !equalBytes(entry.previous, state?.head ?? new Uint8Array(0)))
    throw refuse();
  if ((state === undefined) !== (entry.change.action === "create")) throw refuse();
  if (state !== undefined && state.user !== entry.user) throw refuse();
  const signer =
    entry.change.action === "create"
      ? entry.change.device === entry.signer
        ? entry.change.key
        : undefined
      : entry.signer === "recovery"
        ? recovery
        : devices.get(entry.signer);
  if (signer === undefined) throw refuse();
  const { signature } = await getCipherSuite(signer.suite);
  if (
    !(await signature.verify(new Uint8Array(signer.publicKey), signedContent(entry), new Uint8Array(entry.signature)))
  )
    throw refuse();
  switch (entry.change.action) {
    case "create":
    case "add":
      if (devices.has(entry.change.device)) throw refuse();
      devices.set(entry.change.device, entry.change.key);
      break;
    case "replace":
      if (!devices.has(entry.change.device)) throw refuse();
      devices.set(entry.change.device, entry.change.key);
      break;
    case "remove":
      if (!devices.delete(entry.change.device)) throw refuse();
      break;
    case "recovery":
      recovery = entry.change.key;
      break;
  }
  return {
    user: entry.user,
    length: entry.position + 1,
    head: await hashDeviceLogEntry(entry),
    devices: [...devices].map(([device, item]) => ({ device, key: item })),
    recovery,
  };
}
