/** Opening an encrypted store. */
import { systemTime, type Time } from "@coppice/kit";
import type { Store } from "../contract.ts";
import { storeError } from "../errors.ts";
import { Lifetime } from "../lifetime.ts";
import { Announcements } from "./announcements.ts";
import { openDatabase } from "./database.ts";
import { changeKey, unlock } from "./meta.ts";
import { assertStoreKey, type StoreKey } from "./root-key.ts";
import { IndexedDbStore } from "./store.ts";

export interface IndexedDbStoreOptions {
  /** Name of the database; visible to every script of the origin, so it should not name a person. */
  readonly name: string;
  /** What protects the data at rest. Default: `{ kind: "device" }`. */
  readonly key?: StoreKey;
  /** Measures the patience of `exclusive`, and how long other contexts are waited for. Default: the platform's. */
  readonly time?: Time;
}

/**
 * Opens a store in IndexedDB, creating it if there is none. Any number of contexts of one origin (tabs, workers, service
 * workers, extension pages) may have it open at once.
 *
 * Every value is under AES-256-GCM with a key that is not extractable; partition names are in the clear nowhere. Writes
 * are durable when they resolve (`durability: "strict"`).
 *
 * Rejects, changing nothing, with `ERR_STORE_WRONG_KEY` (another key, or another kind of key, created this store),
 * `ERR_STORE_NEWER_SCHEMA`, `ERR_STORE_OLD_SCHEMA` (see `deleteIndexedDbStore`), `ERR_STORE_BLOCKED` (a context with an older version does not let go), `ERR_STORE_CORRUPT`,
 * `ERR_STORE_UNAVAILABLE` (no IndexedDB or no SubtleCrypto: private mode, insecure origin), `ERR_STORE_LOST` (deleted
 * while it was being opened), `ERR_STORE_QUOTA` or `ERR_STORE_IO`; `TypeError` for options that make no sense.
 *
 * @example
 * const store = await openIndexedDbStore({ name: "chat" });
 * await store.write([{ partition: "settings", expectedVersion: 0, put: new Map([["theme", Uint8Array.of(1)]]) }]);
 */
export async function openIndexedDbStore({
  name,
  key = { kind: "device" },
  time = systemTime,
}: IndexedDbStoreOptions): Promise<Store> {
  assertUsable(name, key);
  const lifetime = new Lifetime();
  const database = await openDatabase(name, {
    time,
    onLost: (message) => {
      lifetime.lose(message);
    },
  });
  try {
    const vault = await unlock(database, key);
    return new IndexedDbStore({ name, database, vault, announcements: new Announcements(name, vault), lifetime, time });
  } catch (error) {
    database.close();
    throw lifetime.failure ?? error;
  }
}

export interface ChangeStoreKeyOptions {
  /** Name of the database. */
  readonly name: string;
  /** The key that opens the store now. */
  readonly from: StoreKey;
  /** The key that opens it from now on; no other does. */
  readonly to: StoreKey;
  /** Measures how long other contexts are waited for. Default: the platform's. */
  readonly time?: Time;
}

/**
 * Changes what protects a store at rest, also to another kind of key. It takes one small write, whatever the store holds: the keys of
 * the data stay and are wrapped anew. Contexts that have the store open go on. A copy of the database that was made before
 * still opens by the old key.
 *
 * Rejects, changing nothing, as `openIndexedDbStore` does; `ERR_STORE_WRONG_KEY` if `from` does not open the store. A store that does
 * not exist is created under `to`.
 *
 * @example
 * const to = { kind: "passphrase", passphrase: "correct horse battery staple" } as const;
 * await changeStoreKey({ name: "chat", from: { kind: "device" }, to });
 */
export async function changeStoreKey({ name, from, to, time = systemTime }: ChangeStoreKeyOptions): Promise<void> {
  assertUsable(name, from, to);
  const lifetime = new Lifetime();
  const database = await openDatabase(name, {
    time,
    onLost: (message) => {
      lifetime.lose(message);
    },
  });
  try {
    await changeKey(database, from, to);
  } catch (error) {
    throw lifetime.failure ?? error;
  } finally {
    database.close();
  }
}

function assertUsable(name: string, ...keys: readonly StoreKey[]): void {
  if (typeof name !== "string" || name === "") throw new TypeError("name must be a string that is not empty");
  for (const key of keys) assertStoreKey(key);
  if (!("subtle" in crypto)) {
    throw storeError("ERR_STORE_UNAVAILABLE", "This origin is not secure: it has no SubtleCrypto");
  }
}
