/** Opening and deleting the database, so that every outcome settles the promise. */
import { deleteDB, openDB } from "idb";
import { storeError } from "../errors.ts";
import { openingError, platformError } from "./platform-error.ts";
import { type Database, type Migration, MIGRATIONS, OBJECT_STORES, type Schema } from "./schema.ts";

/** How long contexts with an older version get to finish their transactions and let go. */
const BLOCKED_GRACE_MS = 2_000;
/** A request that is queued behind another context's gets no event at all. */
const NO_ANSWER_MS = 30_000;

export interface OpenDatabaseOptions {
  /** The database was closed for us: deleted, upgraded by a newer version, or cleared by the browser. */
  readonly onLost: (message: string) => void;
  readonly migrations?: readonly Migration[];
  readonly blockedGraceMs?: number;
}

/**
 * Opens a database at the newest version, migrating an older one.
 *
 * Rejects with `ERR_STORE_NEWER_SCHEMA`, `ERR_STORE_BLOCKED`, `ERR_STORE_UNAVAILABLE`, `ERR_STORE_QUOTA`,
 * `ERR_STORE_CORRUPT` (the database is not Coppice's) or `ERR_STORE_IO`.
 */
export function openDatabase(
  name: string,
  { onLost, migrations = MIGRATIONS, blockedGraceMs = BLOCKED_GRACE_MS }: OpenDatabaseOptions,
): Promise<Database> {
  return patiently({
    blockedGraceMs,
    doing: "to open the database",
    discard: (database) => {
      database.close();
    },
    start: async ({ onBlocked, onProgress }) => {
      if (typeof indexedDB === "undefined") {
        throw storeError("ERR_STORE_UNAVAILABLE", "This platform has no IndexedDB");
      }
      try {
        const database = await openDB<Schema>(name, migrations.length, {
          upgrade: (upgraded, oldVersion, _newVersion, transaction) => {
            onProgress();
            for (const migrate of migrations.slice(oldVersion)) migrate(upgraded, transaction);
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
        throw openingError(error);
      }
    },
  });
}

/**
 * Deletes a database with everything in it. Stores that are open on it lose it (`ERR_STORE_LOST`).
 *
 * @param name - The `name` it was opened with; deleting what does not exist is no error.
 * @returns Resolves when it is gone. Rejects with `ERR_STORE_BLOCKED` if a context does not let go: the browser then
 *   deletes it as soon as that context ends. Otherwise `ERR_STORE_UNAVAILABLE` or `ERR_STORE_IO`.
 */
export function deleteIndexedDbStore(name: string): Promise<void> {
  return patiently({
    blockedGraceMs: BLOCKED_GRACE_MS,
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

function assertOwnDatabase(database: Database): void {
  if (OBJECT_STORES.every((store) => database.objectStoreNames.contains(store))) return;
  database.close();
  throw storeError("ERR_STORE_CORRUPT", "The database of this name is not a Coppice store");
}

/** Gives up on a request that stays blocked or silent; its late result is discarded. */
function patiently<T>({
  start,
  discard,
  doing,
  blockedGraceMs,
}: {
  readonly start: (events: { readonly onBlocked: () => void; readonly onProgress: () => void }) => Promise<T>;
  readonly discard: (late: T) => void;
  readonly doing: string;
  readonly blockedGraceMs: number;
}): Promise<T> {
  return new Promise((resolve, reject) => {
    let abandoned = false;
    const giveUp = (): void => {
      abandoned = true;
      reject(storeError("ERR_STORE_BLOCKED", `Another context holds the database; gave up waiting ${doing}`));
    };
    let timer = setTimeout(giveUp, NO_ANSWER_MS);
    const onBlocked = (): void => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, blockedGraceMs);
    };
    const onProgress = (): void => {
      clearTimeout(timer);
    };
    start({ onBlocked, onProgress })
      .then((result) => {
        if (abandoned) discard(result);
        else resolve(result);
      }, reject)
      .finally(() => {
        clearTimeout(timer);
      });
  });
}
