/**
 * The rules of a device log. Whoever follows a log judges by them alike, and so does the server before it appends.
 *
 * Entries prove no possession of the keys they list, and need not: who lists another's key cannot use it, since signing in
 * and leaf nodes name user and device in what the key signs.
 */
import { toHex, type CoppiceError } from "@coppice/core";
import { deliveryError } from "../errors.ts";
import type { DeviceLogChange, DeviceLogEntry, LogKey } from "./entry.ts";
import { listedNow, type DeviceLog, type ListedKey } from "./log.ts";

/** What is refused, by the id that `detail.rule` carries. */
export const DEVICE_LOG_RULES = {
  "DL-1": "An entry has the declared fields within their bounds",
  "DL-2": "An entry names the user whose log it is in",
  "DL-3": "Positions start at 0 and grow by one",
  "DL-4": "An entry names the SHA-256 of the entry before; the first names none",
  "DL-5": "The first entry creates the log, signed by the device that it creates; no other one does",
  "DL-6": "The signer was listed right before its entry: a device, or the recovery key",
  "DL-7": "The signature verifies under the signer's key",
  "DL-8": "An added device was never listed before: a removed one does not come back",
  "DL-9": "A device that is removed or gets another key is listed",
  "DL-10": "A key is listed once in a log, whatever for",
  "DL-11": "A key has a supported suite and the length of that suite's public keys",
  "DL-12": "Only the recovery key removes the last device",
  "DL-13": "At most 256 devices are listed at once",
  "DL-14": "A log has at most 10,000 entries",
  "DL-15": "A log that was pinned is not shorter than it was: it was rolled back",
  "DL-16": "A log that was pinned has the same entries as it had: it was forked",
} as const;

/** Id of a rule of `DEVICE_LOG_RULES`. */
export type DeviceLogRule = keyof typeof DEVICE_LOG_RULES;

/** Devices that a log may list at once. */
export const MAX_LISTED_DEVICES: number = 256;

/** The error for a log that breaks a rule at a position. */
export function deviceLogError(
  rule: DeviceLogRule,
  { user, position, cause }: { readonly user: string; readonly position: number; readonly cause?: unknown },
): CoppiceError {
  return deliveryError(
    "ERR_DS_DEVICE_LOG",
    `Entry ${position} breaks a rule of device logs: ${DEVICE_LOG_RULES[rule]}`,
    {
      requirement: rule,
      detail: { rule, position, user },
      cause,
    },
  );
}

/** A log while entries are applied to it. The rules about a single entry's own bytes and place are in `verify.ts`. */
export class LogBuilder {
  readonly #devices: Map<string, readonly ListedKey[]>;
  #recovery: readonly ListedKey[];
  /** Public keys that were ever listed, as hex. */
  readonly #keys = new Set<string>();
  #listed = 0;

  constructor(pinned: DeviceLog | undefined) {
    this.#devices = new Map(pinned?.devices);
    this.#recovery = pinned?.recovery ?? [];
    for (const keys of [...this.#devices.values(), this.#recovery]) {
      for (const { key } of keys) this.#keys.add(toHex(key.publicKey));
    }
    for (const keys of this.#devices.values()) if (listedNow(keys) !== undefined) this.#listed++;
  }

  get devices(): ReadonlyMap<string, readonly ListedKey[]> {
    return this.#devices;
  }

  get recovery(): readonly ListedKey[] {
    return this.#recovery;
  }

  /** The key that has to have signed the entry. */
  signerOf({ user, position, change, signer }: DeviceLogEntry): LogKey {
    if ((change.action === "create") !== (position === 0)) throw deviceLogError("DL-5", { user, position });
    if (change.action === "create") {
      if (signer !== change.device) throw deviceLogError("DL-5", { user, position });
      return change.key;
    }
    const listed = listedNow(signer === "recovery" ? this.#recovery : this.#devices.get(signer));
    if (listed === undefined) throw deviceLogError("DL-6", { user, position });
    return listed.key;
  }

  /** Changes nothing if it throws. */
  apply(entry: DeviceLogEntry): void {
    const { change, position } = entry;
    switch (change.action) {
      case "create":
      case "add":
        this.#add(change, entry);
        return;
      case "remove":
        this.#remove(change.device, entry);
        return;
      case "replace": {
        const before = this.#listedKeysOf(change.device, entry);
        const next = this.#newKey(change.key, entry);
        this.#devices.set(change.device, [...ended(before, position), next]);
        return;
      }
      case "recovery":
        this.#recovery = [...ended(this.#recovery, position), this.#newKey(change.key, entry)];
    }
  }

  #add({ device, key }: Extract<DeviceLogChange, { action: "create" | "add" }>, entry: DeviceLogEntry): void {
    if (this.#devices.has(device)) throw deviceLogError("DL-8", entry);
    if (this.#listed === MAX_LISTED_DEVICES) throw deviceLogError("DL-13", entry);
    this.#devices.set(device, [this.#newKey(key, entry)]);
    this.#listed++;
  }

  #remove(device: string, entry: DeviceLogEntry): void {
    const keys = this.#listedKeysOf(device, entry);
    if (this.#listed === 1 && entry.signer !== "recovery") throw deviceLogError("DL-12", entry);
    this.#devices.set(device, ended(keys, entry.position));
    this.#listed--;
  }

  #listedKeysOf(device: string, entry: DeviceLogEntry): readonly ListedKey[] {
    const keys = this.#devices.get(device);
    if (keys === undefined || listedNow(keys) === undefined) throw deviceLogError("DL-9", entry);
    return keys;
  }

  #newKey(key: LogKey, entry: DeviceLogEntry): ListedKey {
    const hex = toHex(key.publicKey);
    if (this.#keys.has(hex)) throw deviceLogError("DL-10", entry);
    this.#keys.add(hex);
    return { key, since: entry.position, until: undefined };
  }
}

/** The keys, of which the last is listed no longer. */
function ended(keys: readonly ListedKey[], position: number): readonly ListedKey[] {
  return keys.map((listed, index) => (index === keys.length - 1 ? { ...listed, until: position } : listed));
}
