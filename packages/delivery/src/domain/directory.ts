/** Users, their device logs, and who may sign in. */
import { codec, equalBytes } from "@coppice/core";
import type { ClientId } from "../contract.ts";
import type { DeviceLogEntry, LogKey } from "../device-log/entry.ts";
import { deliveryError } from "../errors.ts";
import { deviceLogEntry, extendDeviceLog, type DeviceLogState } from "../standin/device-log.ts";
import { isValidName } from "../wire/names.ts";
import { unknownUser } from "./checks.ts";
import { clientKey } from "./client-key.ts";
import type { Context } from "./context.ts";
import { readState, writeState } from "./directory-state.ts";
import type { DomainReads, UserRecord } from "./store.ts";

/** Most entries of one answer. */
export const DEVICE_LOG_PAGE = 256;

/** Clients that are told of a device log that grew: the others find out when they next look. */
const MOST_CONTACTS = 10_000;

/** How often an entry is checked anew because another one came first. */
const MOST_ATTEMPTS = 4;

/** Who wants to sign in, after the host has seen the proof that it holds the key. */
export interface SignIn {
  readonly client: ClientId;
  readonly key: LogKey;
  /** First entry of the device log, for a name that is free. */
  readonly register: DeviceLogEntry | undefined;
  /** Asked before a name is registered: may refuse, for example by a rate limit. */
  readonly beforeRegistration?: () => void | Promise<void>;
}

/**
 * Lets a client in that its user's device log lists under this key, and registers the user where the name is free.
 * `ERR_DS_NAME_INVALID`, `ERR_DS_UNKNOWN_USER`, `ERR_DS_NAME_TAKEN`, `ERR_DS_DEVICE_LOG` for a malformed first entry.
 */
export async function signIn(context: Context, { client, key, register, beforeRegistration }: SignIn): Promise<void> {
  if (!isValidName(client.user)) throw deliveryError("ERR_DS_NAME_INVALID", "The name is not allowed");
  const known = await context.store.read((tx) => findUser(tx, client.user));
  if (known !== undefined) {
    requireListed(known, client, key);
    return;
  }
  if (register === undefined) throw unknownUser(client.user);
  const state = await extendDeviceLog(undefined, register);
  const record = writeState(client.user, state, 0);
  if (state.user !== client.user || !lists(state, client, key)) {
    throw deliveryError("ERR_DS_DEVICE_LOG", "The first entry is for another user, device or key", {
      detail: { length: 0 },
    });
  }
  await beforeRegistration?.();
  const encoded = codec.encode(deviceLogEntry, register);
  await context.change(async (tx) => {
    const first = await findUser(tx, client.user);
    if (first !== undefined) {
      requireListed(first, client, key);
      return;
    }
    await tx.putUser(record);
    await tx.appendDeviceLog(client.user, 0, encoded);
  });
}

/** See `DeliveryService.readDeviceLog`. */
export async function readDeviceLog(
  { store }: Context,
  { user, from }: { readonly user: string; readonly from: number },
): Promise<readonly DeviceLogEntry[]> {
  const entries = await store.read(async (tx) => {
    if ((await findUser(tx, user)) === undefined) throw unknownUser(user);
    return tx.deviceLog(user, from, DEVICE_LOG_PAGE);
  });
  return entries.map((entry) => codec.decode(deviceLogEntry, entry));
}

/** See `DeliveryService.appendDeviceLog`. The signature is verified outside of transactions. */
export async function appendDeviceLog(context: Context, client: ClientId, entry: DeviceLogEntry): Promise<void> {
  const encoded = codec.encode(deviceLogEntry, entry);
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const { user, stored } = await context.store.read(async (tx) => ({
      user: await requireUser(tx, client.user),
      stored: await tx.deviceLog(client.user, entry.position, 1),
    }));
    if (entry.user !== client.user) throw refusedEntry(user, "The entry is for another user's device log");
    if (stored[0] !== undefined) {
      if (equalBytes(stored[0], encoded)) return;
      throw refusedEntry(user, "The device log has another entry here");
    }
    const before = readState(user);
    const after = await extendDeviceLog(before, entry);
    requireRoom(context, after);
    if (await append(context, client, { before, after, encoded })) return;
  }
  throw deliveryError("ERR_DS_RATE_LIMITED", "Other devices extend the device log at this moment", {
    detail: { retryAfter: 1 },
  });
}

/** Stores the entry if the log is still as it was when the entry was checked. */
function append(
  { change, notify }: Context,
  poster: ClientId,
  entry: { readonly before: DeviceLogState; readonly after: DeviceLogState; readonly encoded: Uint8Array<ArrayBuffer> },
): Promise<boolean> {
  const { before, after, encoded } = entry;
  const name = poster.user;
  const gone = lostDevices(before, after);
  return change(async (tx, afterwards) => {
    const user = await requireUser(tx, name);
    if (!equalBytes(readState(user).head, before.head)) return false;
    await tx.putUser(writeState(name, after, user.groupsCreated));
    await tx.appendDeviceLog(name, before.length, encoded);
    for (const { client, isRemoved } of gone) {
      await tx.forgetKeyPackages(client);
      if (isRemoved) await tx.acknowledge(client, Number.MAX_SAFE_INTEGER);
    }
    const concerned = new Map<string, ClientId>();
    const own = after.devices.map(({ device }) => ({ user: name, device }));
    for (const client of [...own, ...(await tx.contacts(name, MOST_CONTACTS))]) {
      concerned.set(clientKey(client), client);
    }
    concerned.delete(clientKey(poster));
    afterwards(() => {
      notify({ type: "devices", user: name, clients: [...concerned.values()] });
      for (const { client } of gone) notify({ type: "revoked", client });
    });
    return true;
  });
}

/** Devices that may not go on as they are: removed, or under another key, which their key packages do not have. */
function lostDevices(
  before: DeviceLogState,
  after: DeviceLogState,
): readonly { readonly client: ClientId; readonly isRemoved: boolean }[] {
  return before.devices.flatMap(({ device, key }) => {
    const now = after.devices.find((candidate) => candidate.device === device);
    if (now !== undefined && sameKey(now.key, key)) return [];
    return [{ client: { user: after.user, device }, isRemoved: now === undefined }];
  });
}

const refusedEntry = (user: UserRecord, message: string): Error =>
  deliveryError("ERR_DS_DEVICE_LOG", message, { detail: { length: user.logLength } });

function requireRoom({ limits }: Context, state: DeviceLogState): void {
  if (state.length > limits.deviceLogEntries || state.devices.length > limits.devicesPerUser) {
    const { deviceLogEntries, devicesPerUser } = limits;
    throw deliveryError(
      "ERR_DS_QUOTA",
      `A device log has at most ${String(deviceLogEntries)} entries and ${String(devicesPerUser)} devices`,
    );
  }
}

const findUser = async (tx: DomainReads, name: string): Promise<UserRecord | undefined> =>
  (await tx.users([name])).get(name);

async function requireUser(tx: DomainReads, name: string): Promise<UserRecord> {
  const user = await findUser(tx, name);
  if (user === undefined) throw unknownUser(name);
  return user;
}

const sameKey = (a: LogKey, b: LogKey): boolean => a.suite === b.suite && equalBytes(a.publicKey, b.publicKey);

const lists = (state: DeviceLogState, client: ClientId, key: LogKey): boolean =>
  state.devices.some((listed) => listed.device === client.device && sameKey(listed.key, key));

function requireListed(user: UserRecord, client: ClientId, key: LogKey): void {
  if (!lists(readState(user), client, key)) {
    throw deliveryError(
      "ERR_DS_NAME_TAKEN",
      "The name belongs to someone else, or its device log does not list this device",
    );
  }
}
