/** The record that unlocks a store: created once, by whichever context comes first. */
import { storeError } from "../errors.ts";
import { probeCommit } from "./commit-probe.ts";
import { isBytes, isObject } from "./parse.ts";
import { platformError } from "./platform-error.ts";
import { createKeySource, type KeySource, rootKey, SALT_BYTES, type StoreKey } from "./root-key.ts";
import { type Database, META_KEY } from "./schema.ts";
import { isRefused, runAtOnce } from "./transaction.ts";
import { Vault } from "./vault.ts";

const STORE_ID_BYTES = 32;
const KEY_CHECK_BYTES = 32;

/** As stored. */
interface Meta {
  /** Random; the HKDF salt that makes two stores' keys differ under one root key. */
  readonly storeId: Uint8Array<ArrayBuffer>;
  readonly source: KeySource;
  readonly keyCheck: Uint8Array<ArrayBuffer>;
}

/**
 * The keys of a store; of a new one if the database is empty. Changes nothing in a store that exists.
 *
 * Rejects with `ERR_STORE_WRONG_KEY`, `ERR_STORE_CORRUPT`, or what the platform reports.
 */
export async function unlock(database: Database, key: StoreKey): Promise<Vault> {
  const vault = await openOrCreate(database, key);
  try {
    await probeCommit(database);
  } catch (error) {
    throw platformError(error, "to try a transaction");
  }
  return vault;
}

async function openOrCreate(database: Database, key: StoreKey): Promise<Vault> {
  const stored = await readMeta(database);
  if (stored !== undefined) return openVault(parseMeta(stored), key);
  const created = await create(key);
  const winner = await insertMeta(database, created.meta);
  return winner === undefined ? created.vault : openVault(parseMeta(winner), key);
}

async function create(key: StoreKey): Promise<{ readonly meta: Meta; readonly vault: Vault }> {
  const storeId = crypto.getRandomValues(new Uint8Array(STORE_ID_BYTES));
  const source = await createKeySource(key);
  const vault = await Vault.derive(await rootKey(source, key), storeId);
  return { meta: { storeId, source, keyCheck: await vault.keyCheck() }, vault };
}

async function openVault(meta: Meta, key: StoreKey): Promise<Vault> {
  const vault = await Vault.derive(await rootKey(meta.source, key), meta.storeId);
  if (!(await vault.matches(meta.keyCheck)))
    throw storeError("ERR_STORE_WRONG_KEY", "The key does not open this store");
  return vault;
}

async function readMeta(database: Database): Promise<unknown> {
  try {
    return await database.get("meta", META_KEY);
  } catch (error) {
    throw platformError(error, "to read the store's key record");
  }
}

/** Stores `meta` unless another context was faster; then returns what that one stored. */
async function insertMeta(database: Database, meta: Meta): Promise<unknown> {
  try {
    if ((await database.count("partitions")) > 0) {
      // A new key would hide for good that the old one is missing.
      const present = await readMeta(database);
      if (present === undefined) throw storeError("ERR_STORE_CORRUPT", "The store has data but its key record is gone");
      return present;
    }
    const transaction = database.transaction("meta", "readwrite", { durability: "strict" });
    await runAtOnce(transaction, undefined, () => transaction.store.add(meta, META_KEY));
    return undefined;
  } catch (error) {
    const failure = platformError(error, "to create the store's key record");
    if (!isRefused(failure)) throw failure;
    return readMeta(database);
  }
}

function parseMeta(stored: unknown): Meta {
  if (isObject(stored) && isBytes(stored["storeId"], STORE_ID_BYTES) && isBytes(stored["keyCheck"], KEY_CHECK_BYTES)) {
    const source = parseSource(stored["source"]);
    if (source !== undefined) return { storeId: stored["storeId"], source, keyCheck: stored["keyCheck"] };
  }
  throw storeError("ERR_STORE_CORRUPT", "The store's key record is damaged");
}

function parseSource(stored: unknown): KeySource | undefined {
  if (!isObject(stored)) return undefined;
  switch (stored["kind"]) {
    case "device":
      // WebKit reads a key back as null when the key that wraps it, in the system's keychain, is gone.
      if (!(stored["key"] instanceof CryptoKey)) {
        throw storeError("ERR_STORE_WRONG_KEY", "The browser no longer gives out the device key of this store");
      }
      return { kind: "device", key: stored["key"] };
    case "passphrase":
      return isBytes(stored["salt"], SALT_BYTES) ? { kind: "passphrase", salt: stored["salt"] } : undefined;
    case "application":
      return { kind: "application" };
    default:
      return undefined;
  }
}
