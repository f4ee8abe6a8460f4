/** Runs inside the page, with the key that the browser keeps: what the stores of this origin hold once decrypted. */
import type { Bytes } from "@coppice/core";
import { restoreGroup } from "@coppice/core";
import { openIndexedDbStore } from "@coppice/storage";

/** Values that must not stand in the database as they are: each stored record, and each private key in them. */
export async function readSecrets(): Promise<{ records: string[]; privateKeys: string[] }> {
  const records: Uint8Array[] = [];
  const privateKeys: Bytes[] = [];
  for (const { name } of await indexedDB.databases()) {
    if (name === undefined) continue;
    const store = await openIndexedDbStore({ name });
    for (const partition of (await store.partitions()).names) {
      const snapshot = await store.read(partition, [{ prefix: "" }]);
      records.push(...snapshot.records.values());
      const group = new Map([...snapshot.records].filter(([record]) => record.startsWith("group/")));
      if (group.size === 0) continue;
      const state = await restoreGroup(group);
      privateKeys.push(...[...state.privateKeys.values()].map(({ privateKey }) => privateKey));
      privateKeys.push(...Object.values(state.secrets).filter(({ length }) => length > 0));
    }
    await store.close();
  }
  return { records: records.map(toBase64), privateKeys: privateKeys.map(toBase64) };
}

/** Everything in IndexedDB, keys and values, as it is stored. Refuses keys that a script could read out. */
export async function dump(): Promise<string> {
  const chunks: Uint8Array[] = [];
  const collect = (value: unknown): void => {
    if (value instanceof CryptoKey) {
      if (value.extractable) throw new Error(`an extractable ${value.algorithm.name} key is stored`);
    } else if (value instanceof ArrayBuffer) chunks.push(new Uint8Array(value));
    else if (ArrayBuffer.isView(value)) chunks.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    else if (typeof value === "object" && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        collect(name);
        collect(inner);
      }
    } else chunks.push(new TextEncoder().encode(String(value)));
  };
  for (const { name } of await indexedDB.databases()) {
    if (name === undefined) continue;
    const database = await result(indexedDB.open(name));
    for (const storeName of database.objectStoreNames) {
      const store = database.transaction(storeName).objectStore(storeName);
      collect(await result(store.getAllKeys()));
      collect(await result(database.transaction(storeName).objectStore(storeName).getAll()));
    }
    database.close();
  }
  const all = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length + 1, 0));
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length + 1;
  }
  return toBase64(all);
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("IndexedDB failed"));
    };
  });
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
