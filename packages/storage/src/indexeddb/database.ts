/** Opening and deleting the database, so that every outcome settles the promise. */
import { type CoppiceError, systemTime, type Time } from "@coppice/kit";
import { deleteDB, openDB } from "idb";
import { storeError } from "../errors.ts";
import { openingError, platformError } from "./platform-error.ts";
import {
  type Database,
  FIRST_VERSION,
  type Migration,
  MIGRATIONS,
  OBJECT_STORES,
  OLD_OBJECT_STORES,
  type Schema,
} from "./schema.ts";

/** How long contexts with an older version get to finish their transactions and let go. */
const BLOCKED_GRACE_MS = 2_000;
/** A request that is queued behind another context's gets no event at all. */
const NO_ANSWER_MS = 30_000;

export interface OpenDatabaseOptions {
  /** The database was closed for us: deleted, upgraded by a newer version, or cleared by the browser. */
  readonly onLost: (message: string) => void;
  readonly time: Time;
  readonly migrations?: readonly Migration[];
}

export interface DeleteStoreOptions {
  /** Measures how long a context that does not let go is waited for. Default: the platform's. */
  readonly time?: Time;
}

/**
 * Opens a database at the newest version, migrating an older one.
 *
 * Rejects with `ERR_STORE_NEWER_SCHEMA`, `ERR_STORE_OLD_SCHEMA`, `ERR_STORE_BLOCKED`, `ERR_STORE_UNAVAILABLE`, `ERR_STORE_QUOTA`,
 * `ERR_STORE_CORRUPT` (the database is not Coppice's) or `ERR_STORE_IO`.
 */
export function openDatabase(
  name: string,
  { onLost, time, migrations = MIGRATIONS }: OpenDatabaseOptions,
): Promise<Database> {
  const refused: { error?: CoppiceError } = {};
  return patiently({
    time,
    doing: "to open the database",
    discard: (database) => {
      database.close();
    },
    start: async ({ onBlocked, onProgress }) => {
      if (typeof indexedDB === "undefined") {
        throw storeError("ERR_STORE_UNAVAILABLE", "This platform has no IndexedDB");
      }
      try {
        const database = await openDB<Schema>(name, FIRST_VERSION + migrations.length - 1, {
          upgrade: (upgraded, oldVersion, _newVersion, transaction) => {
            onProgress();
            if (oldVersion > 0 && oldVersion < FIRST_VERSION) {
              // Undone, the database stays as it was. The rejection of `openDB` is enough.
              refused.error = unknownVersion(upgraded);
              transaction.done.catch(() => undefined);
              transaction.abort();
              return;
            }
            for (const migrate of migrations.slice(Math.max(0, oldVersion - FIRST_VERSION + 1))) {
              migrate(upgraded, transaction);
            }
          },
          blocked: onBlocked,
          // Letting go at once keeps another tab's upgrade or deletion from being blocked by this one.
          blocking: (_current, wanted) => {
            database.close();
            onLost(wanted === null ? "The database was deleted" : "A newer version of Coppice took the database over");
          },
          terminated: () => {
            onLost("The browser closed the database");
          },
        });
        assertOwnDatabase(database);
        return database;
      } catch (error) {
        throw refused.error ?? openingError(error);
      }
    },
  });
}

/**
 * Deletes a database with everything in it: the way to wipe a device, to reset a store that cannot be opened
 * (`ERR_STORE_OLD_SCHEMA`, `ERR_STORE_CORRUPT`, `ERR_STORE_WRONG_KEY`) and to sign out. It opens nothing and needs no key.
 * Stores that are open on the database, in any context, let go of it and are lost (`ERR_STORE_LOST`).
 *
 * @param name - The `name` it was opened with; deleting what does not exist is no error.
 * @returns Resolves when it is gone. Rejects with `ERR_STORE_BLOCKED` if a context does not let go within two seconds (a
 *   frozen tab): the browser then deletes it as soon as that context wakes or ends. Otherwise `ERR_STORE_UNAVAILABLE` or
 *   `ERR_STORE_IO`.
 *
 * @example
 * await deleteIndexedDbStore("chat");
 */
export function deleteIndexedDbStore(name: string, { time = systemTime }: DeleteStoreOptions = {}): Promise<void> {
  return patiently({
    time,
    doing: "to delete the database",
    discard: () => undefined,
    start: async ({ onBlocked }) => {
      if (typeof indexedDB === "undefined") {
        throw storeError("ERR_STORE_UNAVAILABLE", "This platform has no IndexedDB");
      }
      try {
        await deleteDB(name, { blocked: onBlocked });
      } catch (error) {
        throw platformError(error, "to delete the database");
      }
    },
  });
}

function unknownVersion(database: Database): CoppiceError {
  if (!OLD_OBJECT_STORES.every((store) => database.objectStoreNames.contains(store))) return foreignDatabase();
  return storeError(
    "ERR_STORE_OLD_SCHEMA",
    "The database was written before the first release: delete it with deleteIndexedDbStore and sign in again",
  );
}

function foreignDatabase(): CoppiceError {
  return storeError("ERR_STORE_CORRUPT", "The database of this name is not a Coppice store");
}

function assertOwnDatabase(database: Database): void {
  if (OBJECT_STORES.every((store) => database.objectStoreNames.contains(store))) return;
  database.close();
  throw foreignDatabase();
}

/** Gives up on a request that stays blocked or silent; its late result is discarded. */
function patiently<T>({
  start,
  discard,
  doing,
  time,
}: {
  readonly start: (events: { readonly onBlocked: () => void; readonly onProgress: () => void }) => Promise<T>;
  readonly discard: (late: T) => void;
  readonly doing: string;
  readonly time: Time;
}): Promise<T> {
  return new Promise((resolve, reject) => {
    let abandoned = false;
    const giveUp = (): void => {
      abandoned = true;
      reject(storeError("ERR_STORE_BLOCKED", `Another context holds the database; gave up waiting ${doing}`));
    };
    let cancel = time.after(NO_ANSWER_MS, giveUp);
    const onBlocked = (): void => {
      cancel();
      cancel = time.after(BLOCKED_GRACE_MS, giveUp);
    };
    const onProgress = (): void => {
      cancel();
    };
    start({ onBlocked, onProgress })
      .then((result) => {
        if (abandoned) discard(result);
        else resolve(result);
      }, reject)
      .finally(() => {
        cancel();
      });
  });
}
