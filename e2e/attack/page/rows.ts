/** The account's database as an attacker with access to the profile sees it: rows that are changed, moved, deleted, put back. */

/** A row by its place. Names of records are in the clear. */
export interface Row {
  readonly store: string;
  /** Of the partition, in hex; empty for what belongs to none. */
  readonly tag: string;
  /** Of a record; else the version. */
  readonly name: string;
}

export type Damage =
  /** One bit of the row's bytes. */
  | { readonly kind: "flip"; readonly row: Row; readonly random: number }
  | { readonly kind: "delete"; readonly row: Row }
  /** The two rows' values change places. */
  | { readonly kind: "swap"; readonly row: Row; readonly other: Row }
  /** The other row's value comes in the place of this one's, too. */
  | { readonly kind: "copy"; readonly row: Row; readonly other: Row }
  /** What was saved of the row. */
  | { readonly kind: "roll back"; readonly row: Row }
  /** What was saved of the row's whole partition. */
  | { readonly kind: "roll back all"; readonly row: Row };

interface Entry extends Row {
  readonly key: IDBValidKey;
  readonly value: unknown;
}

const STORES = ["meta", "partitions", "records", "journal"] as const;
/** Where saved rows are kept. */
const SAVED = "attack-saved-rows";

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("A request failed"));
    };
  });
}

async function withDatabase<T>(use: (database: IDBDatabase) => Promise<T>): Promise<T> {
  for (const { name } of await indexedDB.databases()) {
    if (name === undefined || name === SAVED) continue;
    const database = await done(indexedDB.open(name));
    try {
      if (database.objectStoreNames.contains("partitions")) return await use(database);
    } finally {
      database.close();
    }
  }
  throw new Error("There is no account's database");
}

async function withSaved<T>(use: (database: IDBDatabase) => Promise<T>): Promise<T> {
  const request = indexedDB.open(SAVED, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("rows", { autoIncrement: true });
  };
  const database = await done(request);
  try {
    return await use(database);
  } finally {
    database.close();
  }
}

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function place(store: string, key: IDBValidKey): Row {
  if (!Array.isArray(key)) return { store, tag: "", name: typeof key === "string" ? key : "" };
  const [tag, name] = key as [ArrayBuffer, string | number];
  return { store, tag: hex(new Uint8Array(tag)), name: String(name) };
}

async function entries(database: IDBDatabase): Promise<Entry[]> {
  const found: Entry[] = [];
  for (const store of STORES) {
    const rows = database.transaction(store).objectStore(store);
    const [keys, values] = await Promise.all([done(rows.getAllKeys()), done(rows.getAll() as IDBRequest<unknown[]>)]);
    keys.forEach((key, index) => found.push({ ...place(store, key), key, value: values[index] }));
  }
  return found;
}

/** A partition's row is found by its tag: its version is what an attack may change. */
const isAt = (row: Row, entry: Row): boolean =>
  row.store === entry.store && row.tag === entry.tag && (row.store === "partitions" || row.name === entry.name);

function find(rows: readonly Entry[], row: Row): Entry {
  const found = rows.find((entry) => isAt(row, entry));
  if (found === undefined) throw new Error(`There is no row ${row.store} ${row.tag} ${row.name}`);
  return found;
}

/** All byte arrays in a value. */
function bytesIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  if (value instanceof ArrayBuffer) return [new Uint8Array(value)];
  if (value instanceof CryptoKey || typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(bytesIn);
}

/** Flips a bit, but not one of the tag that a row is found by. */
function flipped({ store, value }: Entry, random: number): unknown {
  const copy: unknown = structuredClone(value);
  const all = bytesIn(store === "partitions" ? (copy as { readonly sealed: unknown }).sealed : copy);
  const bytes = all[Math.floor(random * all.length)];
  if (bytes === undefined || bytes.length === 0) throw new Error(`There are no bytes in a row of ${store}`);
  const at = Math.floor(random * 7919 * bytes.length) % bytes.length;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random * 8));
  return copy;
}

/** Deletes rows and puts rows, together. */
async function change(database: IDBDatabase, deleted: readonly Entry[], put: readonly Entry[]): Promise<void> {
  const transaction = database.transaction(STORES, "readwrite");
  const completed = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => {
      resolve();
    };
    transaction.onabort = () => {
      reject(transaction.error ?? new Error("The transaction was aborted"));
    };
  });
  for (const { store, key } of deleted) transaction.objectStore(store).delete(key);
  for (const { store, key, value } of put) {
    const rows = transaction.objectStore(store);
    if (rows.keyPath === null) rows.put(value, key);
    else rows.put(value);
  }
  await completed;
}

/** A row's value in the place of another: a partition's row names its place itself. */
function movedTo({ store, key, tag, name, value }: Entry, from: Entry): Entry {
  const placed = store === "partitions" ? { ...(from.value as object), ...pick(value as object) } : from.value;
  return { store, key, tag, name, value: placed };
}

const pick = ({ tag, version }: { tag?: unknown; version?: unknown }): object => ({ tag, version });

export const rows = {
  rows: (): Promise<Row[]> =>
    withDatabase(async (database) => (await entries(database)).map(({ store, tag, name }) => ({ store, tag, name }))),
  /** Keeps a copy of all rows in the place of the last one. */
  saveRows: (): Promise<void> =>
    withDatabase(async (database) => {
      const found = await entries(database);
      await withSaved(async (saved) => {
        const kept = saved.transaction("rows", "readwrite").objectStore("rows");
        kept.clear();
        for (const entry of found) kept.add(entry);
        await done(kept.count());
      });
    }),
  /** Where a row was saved that is another one now. */
  changedRows: (): Promise<Row[]> =>
    withDatabase(async (database) => {
      const now = await entries(database);
      const saved = await withSaved((kept) =>
        done(kept.transaction("rows").objectStore("rows").getAll() as IDBRequest<Entry[]>),
      );
      const text = (value: unknown): string => bytesIn(value).map(hex).join("|");
      return saved
        .filter((entry) => entry.store !== "meta")
        .filter((entry) => text(now.find((other) => isAt(entry, other))?.value) !== text(entry.value))
        .map(({ store, tag, name }) => ({ store, tag, name }));
    }),
  damage: (damage: Damage): Promise<void> =>
    withDatabase(async (database) => {
      const now = await entries(database);
      const saved = await withSaved((kept) =>
        done(kept.transaction("rows").objectStore("rows").getAll() as IDBRequest<Entry[]>),
      );
      const { row } = damage;
      const current = now.filter((entry) => isAt(row, entry));
      switch (damage.kind) {
        case "flip":
          return change(database, [], [{ ...find(now, row), value: flipped(find(now, row), damage.random) }]);
        case "delete":
          return change(database, current, []);
        case "swap": {
          const [one, other] = [find(now, row), find(now, damage.other)];
          return change(database, [], [movedTo(one, other), movedTo(other, one)]);
        }
        case "copy":
          return change(database, [], [movedTo(find(now, row), find(now, damage.other))]);
        case "roll back":
          return change(database, current, [find(saved, row)]);
        case "roll back all": {
          const ofPartition = (entry: Row): boolean => entry.tag === row.tag;
          return change(database, now.filter(ofPartition), saved.filter(ofPartition));
        }
      }
    }),
};
