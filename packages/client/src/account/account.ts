/** The account of a store: one name, its signature key, its key packages and the keys it knows of others. */
import {
  erase,
  getCipherSuite,
  isCoppiceError,
  randomBytes,
  toHex,
  utf8,
  equalBytes,
  type Bytes,
  type CipherSuite,
  type Signer,
} from "@coppice/core";
import type { Identity } from "@coppice/delivery";
import type { PartitionWrite, Store } from "@coppice/storage";
import { clientError } from "../errors.ts";
import {
  ACCOUNT,
  accountRecord,
  KEY_PACKAGE,
  keyPackageRecord,
  PIN,
  pinRecord,
  type AccountRecord,
  type KeyPackageRecord,
  type PinRecord,
} from "../records/account.ts";

/** MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519 */
export const SUITE_ID = 1;

/** What a write changes in the account. */
export interface AccountChanges {
  readonly keyPackages?: ReadonlyMap<string, KeyPackageRecord | undefined>;
  readonly pins?: readonly PinRecord[];
}

/** What the account's partition held at one version. */
export interface AccountContents {
  readonly version: number;
  /** By hex of their references. */
  readonly keyPackages: ReadonlyMap<string, KeyPackageRecord>;
  /** Signature keys by name. */
  readonly pins: ReadonlyMap<string, Bytes>;
}

export class Account {
  readonly store: Store;
  readonly suite: CipherSuite;
  readonly signer: Signer;
  readonly name: string;
  readonly #salt: Bytes;
  #contents: AccountContents | undefined;

  private constructor(store: Store, suite: CipherSuite, signer: Signer, record: AccountRecord) {
    this.store = store;
    this.suite = suite;
    this.signer = signer;
    this.name = record.name;
    this.#salt = record.salt;
  }

  /** How the Delivery Service knows this account. */
  get identity(): Identity {
    const { name, signer } = this;
    return { user: name, publicKey: signer.publicKey, sign: (challenge) => signer.sign(new Uint8Array(challenge)) };
  }

  /** What the store has now. */
  async current(): Promise<AccountContents> {
    const { version } = await this.store.read(ACCOUNT, []);
    return this.#contents?.version === version ? this.#contents : this.#load();
  }

  /** What was read last: enough to judge by, since a write that is based on it fails if the store has moved on. */
  async known(): Promise<AccountContents> {
    return this.#contents ?? (await this.#load());
  }

  /** What to pass to the store, together with other partitions' writes. Call `wrote` or `forget` afterwards. */
  planWrite(changes: AccountChanges, expectedVersion: number): PartitionWrite {
    const put = new Map<string, Uint8Array>();
    const removed: string[] = [];
    for (const [ref, value] of changes.keyPackages ?? []) {
      if (value === undefined) removed.push(KEY_PACKAGE + ref);
      else put.set(KEY_PACKAGE + ref, keyPackageRecord.encode(value));
    }
    for (const pin of changes.pins ?? []) put.set(PIN + this.#pinName(pin.name), pinRecord.encode(pin));
    return { partition: ACCOUNT, expectedVersion, put, delete: removed };
  }

  /** Takes over what was written. */
  wrote(changes: AccountChanges, expectedVersion: number): void {
    const before = this.#contents;
    if (before?.version !== expectedVersion) {
      this.forget();
      return;
    }
    const keyPackages = new Map(before.keyPackages);
    for (const [ref, value] of changes.keyPackages ?? []) {
      if (value === undefined) keyPackages.delete(ref);
      else keyPackages.set(ref, value);
    }
    const pins = new Map(before.pins);
    for (const { name, signatureKey } of changes.pins ?? []) pins.set(name, signatureKey);
    this.#contents = { version: expectedVersion + 1, keyPackages, pins };
  }

  /** Forgets what was read: another context has written. */
  forget(): void {
    this.#contents = undefined;
  }

  /** Writes until no other context was in between; `change` sees the newest contents. */
  async update(change: (contents: AccountContents) => AccountChanges | undefined): Promise<void> {
    for (;;) {
      const contents = await this.current();
      const changes = change(contents);
      if (changes === undefined) return;
      try {
        await this.store.write([this.planWrite(changes, contents.version)]);
        this.wrote(changes, contents.version);
        return;
      } catch (error) {
        this.forget();
        if (!isCoppiceError(error, "ERR_STORE_CONFLICT")) throw error;
      }
    }
  }

  #pinName(name: string): string {
    return toHex(this.suite.hash.hmac(this.#salt, utf8(name)));
  }

  async #load(): Promise<AccountContents> {
    const { version, records } = await this.store.read(ACCOUNT, [{ prefix: KEY_PACKAGE }, { prefix: PIN }]);
    const keyPackages = new Map<string, KeyPackageRecord>();
    const pins = new Map<string, Bytes>();
    for (const [name, bytes] of records) {
      if (name.startsWith(KEY_PACKAGE)) {
        keyPackages.set(name.slice(KEY_PACKAGE.length), keyPackageRecord.decode(bytes));
      } else {
        const pin = pinRecord.decode(bytes);
        pins.set(pin.name, pin.signatureKey);
      }
    }
    this.#contents = { version, keyPackages, pins };
    return this.#contents;
  }

  /**
   * Opens the store's account. A new one is stored before `register` tells the Delivery Service of it, so that a crash
   * cannot lose the key of a registered name, and is taken back if `register` reports that it was refused.
   * `ERR_CLIENT_WRONG_ACCOUNT` if the store belongs to another name.
   */
  static async open(store: Store, name: string, register: (account: Account) => Promise<void>): Promise<Account> {
    const suite = await getCipherSuite(SUITE_ID);
    return store.exclusive("account", async () => {
      const { version, records } = await store.read(ACCOUNT, [{ prefix: ACCOUNT }]);
      const stored = records.get(ACCOUNT);
      const known = stored === undefined ? undefined : accountRecord.decode(stored);
      if (known?.confirmed === true && known.name !== name) {
        throw clientError("ERR_CLIENT_WRONG_ACCOUNT", "this store belongs to another name");
      }
      if (known?.confirmed === true) return Account.#from(store, suite, known);

      const made = known?.name === name ? known : await newAccount(suite, name);
      await store.write([{ partition: ACCOUNT, expectedVersion: version, clear: true, put: toRecords(made) }]);
      const account = await Account.#from(store, suite, made);
      try {
        await register(account);
      } catch (error) {
        if (isRefusal(error)) await store.write([{ partition: ACCOUNT, expectedVersion: version + 1, clear: true }]);
        throw error;
      }
      const confirmed = { ...made, confirmed: true };
      await store.write([{ partition: ACCOUNT, expectedVersion: version + 1, put: toRecords(confirmed) }]);
      erase(made.privateKey);
      return account;
    });
  }

  static async #from(store: Store, suite: CipherSuite, record: AccountRecord): Promise<Account> {
    const signer = await suite.signature.importSigner(record.privateKey);
    if (!equalBytes(signer.publicKey, record.publicKey)) {
      throw clientError("ERR_CLIENT_WRONG_ACCOUNT", "the stored signature key is not the account's");
    }
    return new Account(store, suite, signer, record);
  }
}

async function newAccount(suite: CipherSuite, name: string): Promise<AccountRecord> {
  return { name, ...(await suite.signature.generateKeyPair()), salt: randomBytes(16), confirmed: false };
}

const toRecords = (account: AccountRecord): ReadonlyMap<string, Uint8Array> =>
  new Map([[ACCOUNT, accountRecord.encode(account)]]);

/** Whether the Delivery Service has said that it will not have this name with this key. */
const isRefusal = (error: unknown): boolean =>
  isCoppiceError(error, "ERR_DS_NAME_TAKEN") ||
  isCoppiceError(error, "ERR_DS_NAME_INVALID") ||
  isCoppiceError(error, "ERR_DS_SIGN_IN");
