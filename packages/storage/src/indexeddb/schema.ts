/** The database as IndexedDB sees it: object stores, their version, and how older versions become this one. */
import type { DBSchema, IDBPDatabase, IDBPTransaction, StoreNames } from "idb";

/** Goes in as a byte array; IndexedDB gives keys back as an `ArrayBuffer`, so copy it before use. */
type Tag = Uint8Array<ArrayBuffer>;

/**
 * Values are `unknown`: what comes out of a database is parsed before it is used. A partition is addressed by its
 * tag (see `vault.ts`), a record by tag and name.
 */
export interface Schema extends DBSchema {
  /** What unlocks the store, under `META_KEY`. */
  meta: { key: string; value: unknown };
  partitions: { key: Tag; value: unknown };
  records: { key: [Tag, string]; value: unknown };
}

export type Database = IDBPDatabase<Schema>;

/** Takes a database from one version to the next, inside the upgrade transaction. */
export type Migration = (
  database: Database,
  transaction: IDBPTransaction<Schema, StoreNames<Schema>[], "versionchange">,
) => void;

/** Entry `n` makes version `n + 1` out of version `n`. Released entries never change. */
export const MIGRATIONS: readonly Migration[] = [
  (database) => {
    database.createObjectStore("meta");
    database.createObjectStore("partitions");
    database.createObjectStore("records");
  },
];

/** The one key in `meta`. */
export const META_KEY = "store";

/** The object stores that the current version consists of. */
export const OBJECT_STORES: readonly StoreNames<Schema>[] = ["meta", "partitions", "records"];
