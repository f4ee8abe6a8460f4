/** A user with devices, for tests of device logs. Keys are made once for each suite and name. */
import { getCipherSuite, type Signer } from "@coppice/core";
import {
  type DeviceLog,
  type DeviceLogChange,
  type DeviceLogEntry,
  signDeviceLogEntry,
  verifyDeviceLog,
} from "@coppice/delivery/contract";
import { signedContent } from "../../src/device-log/codec.ts";

/** A device id, or the id of a key, from a small number. */
export const id = (number: number): string => number.toString(16).padStart(32, "0");

export interface TestKey {
  readonly suite: number;
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly signer: Signer;
}

const keys = new Map<string, Promise<TestKey>>();

/** The key of this name: always the same one within a test file. */
export function key(name: number | string, suite = 1): Promise<TestKey> {
  const place = `${suite} ${name}`;
  const made = keys.get(place) ?? makeKey(suite);
  keys.set(place, made);
  return made;
}

async function makeKey(suite: number): Promise<TestKey> {
  const { signature } = await getCipherSuite(suite);
  const { privateKey, publicKey } = await signature.generateKeyPair();
  return { suite, publicKey, signer: await signature.importSigner(privateKey) };
}

/** A log that grows by honest entries. */
export class Writer {
  readonly entries: DeviceLogEntry[] = [];
  readonly user: string;
  log: DeviceLog | undefined;
  /** Names of the keys that the signers have now. */
  readonly #keys = new Map<string, TestKey>();

  constructor(user = "alice") {
    this.user = user;
  }

  static async create(user = "alice", { device = 1, suite = 1, nonce: byte = 7 } = {}): Promise<Writer> {
    const writer = new Writer(user);
    const first = await key(device, suite);
    await writer.sign(
      { action: "create", device: id(device), key: publicPart(first), nonce: nonce(byte) },
      id(device),
      first,
    );
    writer.#keys.set(id(device), first);
    return writer;
  }

  get verified(): DeviceLog {
    if (this.log === undefined) throw new Error("The log has no entry yet");
    return this.log;
  }

  async add(device: number, { by = id(1), suite = 1, as = device } = {}): Promise<void> {
    const added = await key(as, suite);
    await this.sign({ action: "add", device: id(device), key: publicPart(added) }, by);
    this.#keys.set(id(device), added);
  }

  async remove(device: number, by = id(1)): Promise<void> {
    await this.sign({ action: "remove", device: id(device) }, by);
  }

  async replace(device: number, as: number | string, by = id(1)): Promise<void> {
    const next = await key(as);
    await this.sign({ action: "replace", device: id(device), key: publicPart(next) }, by);
    this.#keys.set(id(device), next);
  }

  async recover(as: number | string, by = id(1)): Promise<void> {
    const next = await key(as);
    await this.sign({ action: "recovery", key: publicPart(next) }, by);
    this.#keys.set("recovery", next);
  }

  async sign(change: DeviceLogChange, signedBy: string, as?: TestKey): Promise<DeviceLogEntry> {
    const signer = as ?? this.#keys.get(signedBy);
    if (signer === undefined) throw new Error(`Nobody is called ${signedBy}`);
    const { entry, log } = await signDeviceLogEntry({
      user: this.user,
      log: this.log,
      change,
      signedBy,
      signer: signer.signer,
    });
    this.entries.push(entry);
    this.log = log;
    return entry;
  }

  /** Another log with the same entries up to now. */
  copy(): Writer {
    const copy = new Writer(this.user);
    copy.entries.push(...this.entries);
    copy.log = this.log;
    for (const [name, of] of this.#keys) copy.#keys.set(name, of);
    return copy;
  }

  verify(entries: readonly DeviceLogEntry[] = this.entries, pinned?: DeviceLog): Promise<DeviceLog> {
    return verifyDeviceLog(entries, { user: this.user, pinned });
  }
}

export const publicPart = ({ suite, publicKey }: TestKey): { suite: number; publicKey: Uint8Array<ArrayBuffer> } => ({
  suite,
  publicKey,
});

export const nonce = (byte: number): Uint8Array<ArrayBuffer> => new Uint8Array(32).fill(byte);

/** An entry that is signed as if the rules allowed it: the next one of the writer's log, with some fields changed. */
export async function forge(
  { user, log, entries }: Writer,
  as: TestKey,
  fields: Partial<DeviceLogEntry> & Pick<DeviceLogEntry, "change" | "signer">,
): Promise<DeviceLogEntry> {
  const unsigned = {
    user,
    position: entries.length,
    previous: log?.head ?? new Uint8Array(0),
    signature: new Uint8Array(0),
    ...fields,
  };
  return { ...unsigned, signature: new Uint8Array(await as.signer.sign(signedContent(unsigned))) };
}
