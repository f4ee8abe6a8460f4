/** The record that unlocks a store: created once, by whichever context comes first. */
import { storeError } from "../errors.ts";
import { probeCommit } from "./commit-probe.ts";
import type { PassphraseCost } from "./argon2.ts";
import { createDataKeys, derivedDataKeys, unwrapDataKeys, WRAPPED_BYTES, wrapDataKeys } from "./data-key.ts";
import { isBytes, isObject } from "./parse.ts";
import { platformError } from "./platform-error.ts";
import {
  createKeySource,
  isOutdated,
  isPayable,
  type KeySource,
  rootKey,
  SALT_BYTES,
  type StoreKey,
} from "./root-key.ts";
import { type Database, META_KEY } from "./schema.ts";
import { isRefused, runAtOnce } from "./transaction.ts";
import { Vault } from "./vault.ts";

const STORE_ID_BYTES = 32;
const KEY_CHECK_BYTES = 32;

/** Changes of the key by other contexts that may come in between. */
const MAX_ATTEMPTS = 8;

/** As stored. */
interface Meta {
  /** Random; the HKDF salt that makes two stores' keys differ under one root key. */
  readonly storeId: Uint8Array<ArrayBuffer>;
  readonly source: KeySource;
  /** The keys of the data, see `data-key.ts`; undefined in schema version 2, which derived them from the root key. */
  readonly wrapped: Uint8Array<ArrayBuffer> | undefined;
  readonly keyCheck: Uint8Array<ArrayBuffer>;
}

/**
 * The keys of a store; of a new one if the database is empty. In a store that exists nothing changes but the key record, and that
 * only if it is of an older version or its passphrase is stretched otherwise than one that is set now.
 *
 * Rejects with `ERR_STORE_WRONG_KEY`, `ERR_STORE_CORRUPT`, or what the platform reports.
 */
export async function unlock(database: Database, key: StoreKey): Promise<Vault> {
  const { meta, keys } = await openOrCreate(database, key);
  if (meta.wrapped === undefined || isOutdated(meta.source)) {
    // Another context may have been faster: then it is done.
    await replaceMeta(database, meta, await wrapped(meta, keys, key));
  }
  const vault = await Vault.open(keys);
  try {
    await probeCommit(database);
  } catch (error) {
    throw platformError(error, "to try a transaction");
  }
  return vault;
}

/** Makes `to` the key of a store whose key is `from`. Rejects as `unlock` does; then nothing has changed. */
export async function changeKey(database: Database, from: StoreKey, to: StoreKey): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const { meta, keys } = await openOrCreate(database, from);
    const changed = await replaceMeta(database, meta, await wrapped(meta, keys, to));
    keys.fill(0);
    if (changed) return;
  }
  throw storeError("ERR_STORE_IO", "Other contexts keep changing the key of this store");
}

interface Opened {
  readonly meta: Meta;
  /** The keys of the data: to be overwritten. */
  readonly keys: Uint8Array<ArrayBuffer>;
}

async function openOrCreate(database: Database, key: StoreKey): Promise<Opened> {
  const stored = await readMeta(database);
  if (stored !== undefined) return openMeta(parseMeta(stored), key);
  const created = await create(key);
  const winner = await insertMeta(database, created.meta);
  return winner === undefined ? created : openMeta(parseMeta(winner), key);
}

async function create(key: StoreKey): Promise<Opened> {
  const storeId = crypto.getRandomValues(new Uint8Array(STORE_ID_BYTES));
  const keys = createDataKeys();
  const { keyCheck } = await check(keys);
  return { meta: await wrapped({ storeId, keyCheck }, keys, key), keys };
}

/** A store's key record under a key that is set now. */
async function wrapped(
  { storeId, keyCheck }: Pick<Meta, "storeId" | "keyCheck">,
  keys: Uint8Array<ArrayBuffer>,
  key: StoreKey,
): Promise<Meta> {
  const source = await createKeySource(key);
  return { storeId, source, keyCheck, wrapped: await wrapDataKeys(await rootKey(source, key), storeId, keys) };
}

async function openMeta(meta: Meta, key: StoreKey): Promise<Opened> {
  const root = await rootKey(meta.source, key);
  const keys =
    meta.wrapped === undefined
      ? await derivedDataKeys(root, meta.storeId)
      : await unwrapDataKeys(root, meta.storeId, meta.wrapped);
  if (keys === undefined || !(await (await check(keys)).matches(meta.keyCheck))) {
    throw storeError("ERR_STORE_WRONG_KEY", "The key does not open this store");
  }
  return { meta, keys };
}

/** What tells whether keys are the right ones. */
async function check(keys: Uint8Array<ArrayBuffer>): Promise<{
  readonly keyCheck: Uint8Array<ArrayBuffer>;
  matches(check: Uint8Array<ArrayBuffer>): Promise<boolean>;
}> {
  const vault = await Vault.open(keys.slice());
  return { keyCheck: await vault.keyCheck(), matches: (stored) => vault.matches(stored) };
}

/** Stores `next` in the place of `expected`; false, and nothing changed, if another context has put something else there. */
async function replaceMeta(database: Database, expected: Meta, next: Meta): Promise<boolean> {
  try {
    const transaction = database.transaction("meta", "readwrite", { durability: "strict" });
    const stored: unknown = await transaction.store.get(META_KEY);
    const present = isObject(stored) ? stored["wrapped"] : undefined;
    const isExpected =
      expected.wrapped === undefined
        ? present === undefined
        : isBytes(present, WRAPPED_BYTES) && equalBytes(present, expected.wrapped);
    if (isExpected) await transaction.store.put(next, META_KEY);
    await transaction.done;
    return isExpected;
  } catch (error) {
    throw platformError(error, "to write the store's key record");
  }
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
  if (isObject(stored)) {
    const { storeId, keyCheck, wrapped } = stored;
    const isWhole = isBytes(storeId, STORE_ID_BYTES) && isBytes(keyCheck, KEY_CHECK_BYTES);
    if (isWhole && (wrapped === undefined || isBytes(wrapped, WRAPPED_BYTES))) {
      const source = parseSource(stored["source"], wrapped === undefined);
      if (source !== undefined) return { storeId, source, keyCheck, wrapped };
    }
  }
  throw storeError("ERR_STORE_CORRUPT", "The store's key record is damaged");
}

/** `isOld`: of schema version 2. */
function parseSource(stored: unknown, isOld: boolean): KeySource | undefined {
  if (!isObject(stored)) return undefined;
  switch (stored["kind"]) {
    case "device":
      // WebKit reads a key back as null when the key that wraps it, in the system's keychain, is gone.
      if (!(stored["key"] instanceof CryptoKey)) {
        throw storeError("ERR_STORE_WRONG_KEY", "The browser no longer gives out the device key of this store");
      }
      return { kind: "device", key: stored["key"] };
    case "passphrase": {
      const { salt } = stored;
      if (!isBytes(salt, SALT_BYTES)) return undefined;
      if (isOld) return { kind: "passphrase", salt, cost: undefined };
      const cost = parseCost(stored["cost"]);
      return cost && { kind: "passphrase", salt, cost };
    }
    case "application":
      return { kind: "application" };
    default:
      return undefined;
  }
}

function parseCost(stored: unknown): PassphraseCost | undefined {
  if (!isObject(stored)) return undefined;
  const { memory, passes, lanes } = stored;
  if (typeof memory !== "number" || typeof passes !== "number" || typeof lanes !== "number") return undefined;
  return isPayable({ memory, passes, lanes }) ? { memory, passes, lanes } : undefined;
}

/** Neither is secret. */
const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, index) => byte === b[index]);
