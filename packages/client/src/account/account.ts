/** The account of a store: one device of one user, with its signature key. */
import {
  equalBytes,
  erase,
  getCipherSuite,
  toHex,
  utf8,
  type Bytes,
  type CipherSuite,
  type Signer,
} from "@coppice/core";
import { signDeviceLogEntry, type DeviceLogEntry, type Identity } from "@coppice/delivery/contract";
import { CoppiceError, isCoppiceError, randomBytes } from "@coppice/kit";
import type { PartitionSnapshot, PartitionWrite, RecordRange, Store } from "@coppice/storage";
import { clientError } from "../errors.ts";
import { ACCOUNT, accountRecord, FORGOTTEN, PIN, USED, WAITING, type AccountRecord } from "../records/account.ts";

/** MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519 */
export const SUITE_ID = 1;

/** Writes of other contexts that may come in between; more are a defect. */
const MAX_CONFLICTS = 64;

/** What a write changes in the account's partition. */
export interface AccountChange {
  readonly put?: ReadonlyMap<string, Uint8Array>;
  readonly delete?: readonly string[];
  /** Deletes every record first. */
  readonly clear?: boolean;
  /** Written together with it, all or nothing. */
  readonly others?: readonly PartitionWrite[];
}

export class Account {
  readonly store: Store;
  readonly suite: CipherSuite;
  readonly signer: Signer;
  readonly user: string;
  readonly device: string;
  /** See `AccountRecord`. */
  readonly position: number;
  readonly #salt: Bytes;

  private constructor(store: Store, suite: CipherSuite, signer: Signer, record: AccountRecord) {
    this.store = store;
    this.suite = suite;
    this.signer = signer;
    this.user = record.user;
    this.device = record.device;
    this.position = record.position ?? 0;
    this.#salt = record.salt;
  }

  /** How the Delivery Service knows this device. */
  get identity(): Identity {
    return identityOf(this);
  }

  pinName(user: string): string {
    return PIN + this.#hidden(utf8(user));
  }

  forgottenName(id: string): string {
    return FORGOTTEN + this.#hidden(utf8(id));
  }

  /** Of what a Welcome gave: see `useOf`. */
  usedName(use: Bytes): string {
    return USED + this.#hidden(use);
  }

  /** Of a Welcome, by its hash. */
  waitingName(welcome: Bytes): string {
    return WAITING + this.#hidden(welcome);
  }

  /** Records of the account's partition. */
  read(ranges: readonly RecordRange[]): Promise<PartitionSnapshot> {
    return this.store.read(ACCOUNT, ranges);
  }

  /**
   * Writes what `compute` makes of these records, again if another context wrote meanwhile. Resolves with whether there was
   * something to write.
   */
  async update(
    ranges: readonly RecordRange[],
    compute: (snapshot: PartitionSnapshot) => AccountChange | undefined | Promise<AccountChange | undefined>,
  ): Promise<boolean> {
    for (let conflicts = 0; ; conflicts++) {
      const snapshot = await this.read(ranges);
      const changes = await compute(snapshot);
      if (changes === undefined) return false;
      const { others = [], ...change } = changes;
      const own = { partition: ACCOUNT, expectedVersion: snapshot.version, ...change };
      try {
        await this.store.write([...others, own]);
        return true;
      } catch (error) {
        if (!isCoppiceError(error, "ERR_STORE_CONFLICT") || conflicts >= MAX_CONFLICTS) throw error;
      }
    }
  }

  #hidden(name: Bytes): string {
    return toHex(this.suite.hash.hmac(this.#salt, name));
  }

  /**
   * Opens the store's account. A new one is stored before `register` tells the Delivery Service of it, so that a crash
   * cannot lose the key of a registered name, and is taken back if `register` reports that it was refused. `register` resolves
   * with the position at which the user's device log lists the device. `ERR_CLIENT_WRONG_ACCOUNT` if the store belongs to
   * another name, `ERR_STORE_CORRUPT` if its record is damaged.
   */
  static async open(
    store: Store,
    user: string,
    register: (identity: Identity, account: Account) => Promise<number>,
  ): Promise<Account> {
    const suite = await getCipherSuite(SUITE_ID);
    const made = await takeUp(store, suite, user);
    const account = await Account.#from(store, suite, made);
    if (made.position !== undefined) return account;
    let position: number;
    try {
      position = await register({ ...account.identity, register: await firstEntry(account) }, account);
    } catch (error) {
      if (isRefusal(error)) await account.update([], () => ({ clear: true }));
      throw error;
    }
    const confirmed = { ...made, position };
    await account.update([], () => ({ put: toRecords(confirmed) }));
    erase(made.privateKey);
    return new Account(store, suite, account.signer, confirmed);
  }

  static async #from(store: Store, suite: CipherSuite, record: AccountRecord): Promise<Account> {
    const signer = await suite.signature.importSigner(record.privateKey);
    if (!equalBytes(signer.publicKey, record.publicKey)) {
      throw new CoppiceError("ERR_STORE_CORRUPT", "The stored signature key is not the account's");
    }
    return new Account(store, suite, signer, record);
  }
}

/** The stored account, or a new one, stored without the server's word. Of several contexts that open it, one makes it. */
async function takeUp(store: Store, suite: CipherSuite, user: string): Promise<AccountRecord> {
  for (let conflicts = 0; ; conflicts++) {
    const { version, records, damaged } = await store.read(ACCOUNT, [{ prefix: ACCOUNT }]);
    if (damaged.length > 0) {
      throw new CoppiceError(
        "ERR_STORE_CORRUPT",
        "The record of the account is damaged: this device has to start anew",
      );
    }
    const stored = records.get(ACCOUNT);
    const known = stored === undefined ? undefined : accountRecord.decode(stored);
    if (known?.user === user) return known;
    if (known?.position !== undefined) {
      throw clientError("ERR_CLIENT_WRONG_ACCOUNT", "This store belongs to another name");
    }
    const made = await newAccount(suite, user);
    try {
      await store.write([{ partition: ACCOUNT, expectedVersion: version, clear: true, put: toRecords(made) }]);
      return made;
    } catch (error) {
      if (!isCoppiceError(error, "ERR_STORE_CONFLICT") || conflicts >= MAX_CONFLICTS) throw error;
    }
  }
}

async function newAccount(suite: CipherSuite, user: string): Promise<AccountRecord> {
  const keys = await suite.signature.generateKeyPair();
  return { user, device: toHex(randomBytes(16)), ...keys, salt: randomBytes(16), position: undefined };
}

/** The device log of a user of whom this is the first device. */
async function firstEntry({ user, device, signer }: Account): Promise<DeviceLogEntry> {
  const key = { suite: SUITE_ID, publicKey: new Uint8Array(signer.publicKey) };
  const change = { action: "create", device, key, nonce: randomBytes(32) } as const;
  return (await signDeviceLogEntry({ user, log: undefined, change, signedBy: device, signer })).entry;
}

function identityOf({ user, device, signer }: Pick<Account, "user" | "device" | "signer">): Identity {
  return {
    client: { user, device },
    suite: SUITE_ID,
    publicKey: signer.publicKey,
    sign: (challenge) => signer.sign(new Uint8Array(challenge)),
  };
}

const toRecords = (account: AccountRecord): ReadonlyMap<string, Uint8Array> =>
  new Map([[ACCOUNT, accountRecord.encode(account)]]);

/** Whether the Delivery Service has said that it will not have this name with this key. */
const isRefusal = (error: unknown): boolean =>
  isCoppiceError(error, "ERR_DS_NAME_TAKEN") ||
  isCoppiceError(error, "ERR_DS_NAME_INVALID") ||
  isCoppiceError(error, "ERR_DS_SIGN_IN");
