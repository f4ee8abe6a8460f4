/** Runs inside a page: keeps secrets in a store under a key of the caller's choice, and a marker in the clear beside it. */
import { changeStoreKey, openIndexedDbStore, type StoreKey } from "@coppice/storage";

/** Stores `secret` as a partition's record; resolves once it is on disk. */
export async function keepSecret(name: string, key: StoreKey, secret: string): Promise<void> {
  const store = await openIndexedDbStore({ name, key });
  const put = new Map([["record", fromHex(secret)]]);
  await store.write([{ partition: `partition of ${secret}`, expectedVersion: 0, put }]);
  await store.close();
}

export async function changeKey(name: string, from: StoreKey, to: StoreKey): Promise<void> {
  await changeStoreKey({ name, from, to });
}

export async function readSecret(name: string, key: StoreKey, secret: string): Promise<boolean> {
  const store = await openIndexedDbStore({ name, key });
  const { records } = await store.read(`partition of ${secret}`, [{ prefix: "record" }]);
  await store.close();
  return records.get("record")?.join() === fromHex(secret).join();
}

/** What a search of the profile must find. */
export async function keepInTheClear(marker: string): Promise<void> {
  const request = indexedDB.open("in the clear");
  await new Promise<void>((resolve, reject) => {
    request.onupgradeneeded = () => {
      request.result.createObjectStore("markers");
    };
    request.onerror = () => {
      reject(request.error ?? new Error("IndexedDB failed"));
    };
    request.onsuccess = () => {
      const transaction = request.result.transaction("markers", "readwrite", { durability: "strict" });
      transaction.objectStore("markers").put(fromHex(marker), "marker");
      transaction.oncomplete = () => {
        request.result.close();
        resolve();
      };
    };
  });
}

const fromHex = (hex: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
