/** The database as an attacker with access to it sees it. */
import { type IDBPDatabase, openDB } from "idb";

/** Runs `use` on the raw database, which is closed again after. */
export async function withRaw<T>(name: string, use: (database: IDBPDatabase) => Promise<T>): Promise<T> {
  const database = await openDB(name);
  try {
    return await use(database);
  } finally {
    database.close();
  }
}

/** All keys and values of an object store. */
export function dump(name: string, store: string): Promise<{ key: IDBValidKey; value: unknown }[]> {
  return withRaw(name, async (database) => {
    const [keys, values] = await Promise.all([database.getAllKeys(store), database.getAll(store)]);
    return keys.map((key, index) => ({ key, value: values[index] as unknown }));
  });
}

/** Everything that can be read in a value, one character per byte. */
export function readable(value: unknown): string {
  if (value instanceof CryptoKey) return "CryptoKey";
  if (value instanceof ArrayBuffer) return String.fromCharCode(...new Uint8Array(value));
  if (value instanceof Uint8Array) return String.fromCharCode(...value);
  if (Array.isArray(value)) return value.map(readable).join("|");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value)
      .map(([name, entry]) => `${name}=${readable(entry)}`)
      .join("|");
  }
  return String(value);
}

/** The only element. */
export function only<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined || items.length !== 1) throw new Error(`expected one item, got ${items.length}`);
  return item;
}

/** A database name that no other test uses. */
export function freshName(): string {
  return `test-${crypto.randomUUID()}`;
}

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
