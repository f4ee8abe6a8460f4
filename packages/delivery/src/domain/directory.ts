/** Users, their device logs, and who may sign in. */

import { type Bytes, codec, equalBytes } from "@coppice/core";
import { isCoppiceError } from "@coppice/kit";
import type { ClientId } from "../contract.ts";
import { deviceLogEntry } from "../device-log/codec.ts";
import type { DeviceLogEntry, LogKey } from "../device-log/entry.ts";
import { listedDevices, type DeviceLog } from "../device-log/log.ts";
import { verifyDeviceLog } from "../device-log/verify.ts";
import { deliveryError } from "../errors.ts";
import { requireNormalName } from "../require-name.ts";
import { unknownUser } from "./checks.ts";
import { clientKey } from "./client-key.ts";
import type { Context } from "./context.ts";
import { listsKey, lostDevices, readLogState, userRecord } from "./directory-state.ts";
import { requireStoreSpace } from "./space.ts";
import type { DomainReads, DomainTransaction, UserRecord } from "./store.ts";

/** Most entries of one answer. */
const DEVICE_LOG_PAGE = 256;

/** Clients that are told of a device log that grew: the others find out when they next look. */
const MOST_CONTACTS = 10_000;

/** How often an entry is checked anew because another one came first. */
const MOST_ATTEMPTS = 4;

/** Who wants to sign in, after the host has seen the proof that it holds the key. */
export interface SignIn {
  readonly client: ClientId;
  readonly key: LogKey;
  /** First entry of the device log, for a name that is free. */
  readonly register?: DeviceLogEntry | undefined;
  /** Asked before a name is registered: may refuse, for example by a rate limit. */
  readonly beforeRegistration?: () => void | Promise<void>;
}

/**
 * Lets a client in that its user's device log lists under this key, and registers the user where the name is free.
 * `ERR_DS_NAME_INVALID`, `ERR_DS_UNKNOWN_USER`, `ERR_DS_NAME_TAKEN`, `ERR_DS_DEVICE_LOG` for a first entry that is none.
 */
export async function signIn(context: Context, { client, key, register, beforeRegistration }: SignIn): Promise<void> {
  requireNormalName(client.user);
  const known = await context.store.read((tx) => findUser(tx, client.user));
  if (known !== undefined) {
    requireListed(known, client, key);
    return;
  }
  if (register === undefined) throw unknownUser(client.user);
  const log = await extend(client.user, undefined, register);
  if (!listsKey(log, client.device, key)) throw refusedEntry(0, "The first entry is for another device or key");
  const record = userRecord(log, 0);
  await context.store.read((tx) => requireDifferentLook(tx, record));
  await beforeRegistration?.();
  const encoded = codec.encode(deviceLogEntry, register);
  await context.change(async (tx) => {
    const first = await findUser(tx, client.user);
    if (first !== undefined) {
      requireListed(first, client, key);
      return;
    }
    await requireDifferentLook(tx, record);
    await tx.putUser(record);
    await tx.appendDeviceLog(client.user, 0, encoded);
    await requireStoreSpace(tx, context.limits);
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
    if (stored[0] !== undefined) {
      if (equalBytes(stored[0], encoded)) return;
      throw refusedEntry(user.logLength, "The device log has another entry here");
    }
    const before = readLogState(user);
    const after = await extend(client.user, before, entry);
    requireRoom(context, after);
    if (await append(context, client, { before, after, encoded })) return;
  }
  throw deliveryError("ERR_DS_RATE_LIMITED", "Other devices extend the device log at this moment", {
    detail: { retryAfter: 1 },
  });
}

/** The log with one more entry, or `ERR_DS_DEVICE_LOG` with the length that the log has. */
async function extend(user: string, log: DeviceLog | undefined, entry: DeviceLogEntry): Promise<DeviceLog> {
  const length = log === undefined ? 0 : log.position + 1;
  // Of what is pinned, the verification would take an entry for known.
  if (entry.position !== length) throw refusedEntry(length, "The entry does not follow the device log's newest one");
  try {
    return await verifyDeviceLog([entry], { user, pinned: log });
  } catch (error) {
    if (!isCoppiceError(error, "ERR_DS_DEVICE_LOG")) throw error;
    throw deliveryError("ERR_DS_DEVICE_LOG", error.message, { detail: { ...error.detail, length }, cause: error });
  }
}

const refusedEntry = (length: number, message: string): Error =>
  deliveryError("ERR_DS_DEVICE_LOG", message, { detail: { length } });

interface Extension {
  readonly before: DeviceLog;
  readonly after: DeviceLog;
  readonly encoded: Bytes;
}

/** Stores the entry if the log is still as it was when the entry was checked. */
function append(context: Context, poster: ClientId, { before, after, encoded }: Extension): Promise<boolean> {
  const lost = lostDevices(before, after);
  return context.change(async (tx, afterwards) => {
    const user = await requireUser(tx, poster.user);
    if (!equalBytes(readLogState(user).head, before.head)) return false;
    await tx.putUser(userRecord(after, user.groupsCreated));
    await tx.appendDeviceLog(user.name, after.position, encoded);
    for (const { client, isRemoved } of lost) {
      await tx.forgetKeyPackages(client);
      if (isRemoved) await tx.acknowledge(client, Number.MAX_SAFE_INTEGER);
    }
    const clients = await concernedBy(tx, after, poster);
    afterwards(() => {
      context.notify({ type: "devices", user: user.name, clients });
      for (const { client } of lost) context.notify({ type: "revoked", client });
    });
    return true;
  });
}

/** The user's devices and those who share a group with it, but for the one that knows already. */
async function concernedBy(tx: DomainTransaction, log: DeviceLog, poster: ClientId): Promise<readonly ClientId[]> {
  const own = listedDevices(log).map(({ device }) => ({ user: log.user, device }));
  const contacts = await tx.contacts(log.user, MOST_CONTACTS);
  const concerned = new Map([...own, ...contacts].map((client) => [clientKey(client), client]));
  concerned.delete(clientKey(poster));
  return [...concerned.values()];
}

function requireRoom({ limits }: Context, log: DeviceLog): void {
  const { deviceLogEntries, devicesPerUser } = limits;
  if (log.position < deviceLogEntries && listedDevices(log).length <= devicesPerUser) return;
  throw deliveryError(
    "ERR_DS_QUOTA",
    `A device log has at most ${deviceLogEntries} entries and ${devicesPerUser} devices here`,
  );
}

const findUser = async (tx: DomainReads, name: string): Promise<UserRecord | undefined> =>
  (await tx.users([name])).get(name);

async function requireUser(tx: DomainReads, name: string): Promise<UserRecord> {
  const user = await findUser(tx, name);
  if (user === undefined) throw unknownUser(name);
  return user;
}

/** `ERR_DS_NAME_TAKEN` for a name that people would take for another user's. */
async function requireDifferentLook(tx: DomainReads, { skeleton }: UserRecord): Promise<void> {
  if ((await tx.lookAlike(skeleton)) === undefined) return;
  throw deliveryError("ERR_DS_NAME_TAKEN", "The name looks like that of another user: choose another one", {
    detail: { reason: "look-alike" },
  });
}

function requireListed(user: UserRecord, { device }: ClientId, key: LogKey): void {
  if (listsKey(readLogState(user), device, key)) return;
  throw deliveryError(
    "ERR_DS_NAME_TAKEN",
    "The name belongs to someone else, or its device log does not list this device",
  );
}
