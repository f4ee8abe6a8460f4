/** The database as IndexedDB sees it: object stores, their version, and how older versions become this one. */
import type { DBSchema, IDBPDatabase, IDBPTransaction, StoreNames } from "idb";

/** The index of `partitions` in which a tag occurs once. */
export const BY_TAG = "byTag";

/** Goes in as a byte array; IndexedDB gives keys back as an `ArrayBuffer`, so copy it before use. */
type Tag = Uint8Array<ArrayBuffer>;

/**
 * Values are `unknown`: what comes out of a database is parsed before it is used. A partition is addressed by its
 * tag (see `vault.ts`), a record by tag and name.
 */
export interface Schema extends DBSchema {
  /** What unlocks the store, under `META_KEY`. */
  meta: { key: string; value: unknown };
  /**
   * One row per partition, under its tag and version. A write deletes the row of the version it expects and adds that of the
   * new one: at any other version the unique index refuses, and the write has compared without reading anything.
   */
  partitions: { key: [Tag, number]; value: unknown; indexes: { [BY_TAG]: Tag } };
  records: { key: [Tag, string]; value: unknown };
  /** What each of a partition's last writes changed, by its version. */
  journal: { key: [Tag, number]; value: unknown };
}

export type Database = IDBPDatabase<Schema>;

/** Takes a database from one version to the next, inside the upgrade transaction. */
export type Migration = (
  database: Database,
  transaction: IDBPTransaction<Schema, StoreNames<Schema>[], "versionchange">,
) => void;

/** The first version that is kept. Version 1 was never released: a database of it is refused. */
export const FIRST_VERSION = 2;

/** The first entry makes `FIRST_VERSION` out of nothing, each other one the next version. Released entries never change. */
export const MIGRATIONS: readonly Migration[] = [
  (database) => {
    const partitions = database.createObjectStore("partitions", { keyPath: ["tag", "version"] });
    partitions.createIndex(BY_TAG, "tag", { unique: true });
    for (const name of ["meta", "records", "journal"] as const) database.createObjectStore(name);
  },
  // The key record wraps the keys of the data from now on: it is rewritten when it is opened next, since that takes the key.
  () => undefined,
];

/** The object stores that the current version consists of. */
export const OBJECT_STORES: readonly StoreNames<Schema>[] = ["meta", "partitions", "records", "journal"];

/** The object stores of version 1. */
export const OLD_OBJECT_STORES: readonly StoreNames<Schema>[] = ["meta", "partitions", "records"];

/** The one key in `meta`. */
export const META_KEY = "store";
