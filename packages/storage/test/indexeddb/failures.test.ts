import "fake-indexeddb/auto";
import { forceCloseDatabase } from "fake-indexeddb";
import { systemTime, type Time } from "@coppice/kit";
import { openDB } from "idb";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openDatabase } from "../../src/indexeddb/database.ts";
import { FIRST_VERSION, MIGRATIONS } from "../../src/indexeddb/schema.ts";
import { deleteIndexedDbStore, openIndexedDbStore, type Store } from "../../src/index.ts";
import { WatchedTime } from "../watched-time.ts";
import { bytes, dump, freshName, withRaw } from "./raw.ts";

const ALL = [{ prefix: "" }];

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** Version of the schema. */
const NEWEST = FIRST_VERSION + MIGRATIONS.length - 1;

/** Opens a database as the next version of this package would. */
function upgrade(name: string, time: Time = systemTime) {
  return openDatabase(name, { onLost: () => undefined, time, migrations: [...MIGRATIONS, () => undefined] });
}

async function openWithData(name: string): Promise<Store> {
  const store = await openIndexedDbStore({ name });
  await store.write([{ partition: "p", expectedVersion: 0, put: new Map([["a", bytes("value")]]) }]);
  return store;
}

function writeMore(store: Store): Promise<void> {
  return store.write([
    { partition: "p", expectedVersion: 1, put: new Map([["b", bytes("more")]]) },
    { partition: "q", expectedVersion: 0, put: new Map([["b", bytes("more")]]) },
  ]);
}

async function expectUnchanged(name: string): Promise<void> {
  const store = await openIndexedDbStore({ name });
  const { version, records } = await store.read("p", ALL);
  expect([version, [...records.keys()]]).toEqual([1, ["a"]]);
  expect((await store.partitions()).names).toEqual(["p"]);
  await store.close();
}

describe("quota exceeded (adversarial 41)", () => {
  test("reported by a request: ERR_STORE_QUOTA, nothing written, and the store lives", async () => {
    const name = freshName();
    const store = await openWithData(name);
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementationOnce(function (this: IDBObjectStore) {
      return failingRequest(this, "QuotaExceededError");
    });
    await expect(writeMore(store)).rejects.toMatchObject({
      code: "ERR_STORE_QUOTA",
      cause: { name: "QuotaExceededError" },
    });
    await expectUnchanged(name);
    await writeMore(store);
    await store.close();
  });

  test("reported by the commit: ERR_STORE_QUOTA, nothing written", async () => {
    const name = freshName();
    const store = await openWithData(name);
    onWritingCommit((transaction) => abortAs(transaction, "QuotaExceededError"));
    await expect(writeMore(store)).rejects.toMatchObject({ code: "ERR_STORE_QUOTA" });
    await store.close();
    await expectUnchanged(name);
  });

  test("on creating the store: ERR_STORE_QUOTA", async () => {
    vi.spyOn(IDBObjectStore.prototype, "add").mockImplementationOnce(function (this: IDBObjectStore) {
      return failingRequest(this, "QuotaExceededError");
    });
    await expect(openIndexedDbStore({ name: freshName() })).rejects.toMatchObject({ code: "ERR_STORE_QUOTA" });
  });
});

describe("other failures of the platform", () => {
  test("a transaction that completes although a request failed is no write: ERR_STORE_IO", async () => {
    const store = await openWithData(freshName());
    const { add } = IDBObjectStore.prototype;
    vi.spyOn(IDBObjectStore.prototype, "add").mockImplementationOnce(function (this: IDBObjectStore) {
      const request = add.call(this, { tag: new Uint8Array(32), version: 1, sealed: new Uint8Array() });
      const again = add.call(this, { tag: new Uint8Array(32), version: 2, sealed: new Uint8Array() });
      again.addEventListener("error", (event) => event.preventDefault());
      return request;
    });
    await expect(writeMore(store)).rejects.toMatchObject({ code: "ERR_STORE_IO" });
    await store.close();
  });

  test.each([
    ["a put request", "DataError", "put"],
    ["a delete request", "UnknownError", "delete"],
    ["an add request", "UnknownError", "add"],
    ["a getAll request", "UnknownError", "getAll"],
  ] as const)("%s that fails with %s: ERR_STORE_IO", async (_what, error, method) => {
    const name = freshName();
    const store = await openWithData(name);
    // The types of the methods differ; that of one stands for all.
    vi.spyOn(IDBObjectStore.prototype, method as "put").mockImplementationOnce(function (this: IDBObjectStore) {
      return failingRequest(this, error);
    });
    const call =
      method === "getAll"
        ? store.read("p", ALL)
        : store.write([{ partition: "p", expectedVersion: 1, put: new Map([["c", bytes("")]]), delete: ["a"] }]);
    await expect(call).rejects.toMatchObject({ code: "ERR_STORE_IO", cause: { name: error } });
    await store.close();
    await expectUnchanged(name);
  });

  test("a request that cannot even be made undoes those before it", async () => {
    const name = freshName();
    const store = await openWithData(name);
    const original = IDBObjectStore.prototype.put;
    let calls = 0;
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, value, key) {
      if (++calls === 2) throw new DOMException("made to fail", "DataCloneError");
      return original.call(this, value, key);
    });
    await expect(writeMore(store)).rejects.toMatchObject({ code: "ERR_STORE_IO", cause: { name: "DataCloneError" } });
    expect(calls).toBe(2);
    vi.restoreAllMocks();
    await store.close();
    await expectUnchanged(name);
  });

  test("a transaction that the platform aborts without a reason: ERR_STORE_IO", async () => {
    const name = freshName();
    const store = await openWithData(name);
    onWritingCommit((transaction) => transaction.abort());
    await expect(writeMore(store)).rejects.toMatchObject({ code: "ERR_STORE_IO", cause: { name: "AbortError" } });
    await store.close();
    await expectUnchanged(name);
  });
});

describe("a newer schema (adversarial 41)", () => {
  test("is ERR_STORE_NEWER_SCHEMA, and the data stay as they are", async () => {
    const name = freshName();
    await (await openWithData(name)).close();
    (await openDB(name, NEWEST + 1)).close();
    const before = await dump(name, "records");
    await expect(openIndexedDbStore({ name })).rejects.toMatchObject({ code: "ERR_STORE_NEWER_SCHEMA" });
    expect(await dump(name, "records")).toEqual(before);
    expect(await withRaw(name, async ({ version }) => version)).toBe(NEWEST + 1);
  });

  test("a store of an older version makes way for it and is lost", async () => {
    const name = freshName();
    const store = await openWithData(name);
    const newer = await upgrade(name);
    await expect(store.read("p", ALL)).rejects.toMatchObject({ code: "ERR_STORE_LOST" });
    newer.close();
  });

  test("migrations run from the version that is there", async () => {
    const name = freshName();
    await (await openWithData(name)).close();
    const ran: string[] = [];
    const migrations = ["one", "two", "three", "four"].map((name) => () => void ran.push(name));
    const database = await openDatabase(name, { onLost: () => undefined, time: systemTime, migrations });
    expect(database.version).toBe(NEWEST + 2);
    expect(ran).toEqual(["three", "four"]);
    expect(await database.count("records")).toBe(1);
    database.close();
  });
});

describe("a blocked upgrade (adversarial 41)", () => {
  test("is ERR_STORE_BLOCKED after a grace, and the late connection blocks nobody", async () => {
    const name = freshName();
    await (await openWithData(name)).close();
    const stubborn = await openDB(name);
    const time = new WatchedTime();
    const blocked = expect(upgrade(name, time)).rejects.toMatchObject({ code: "ERR_STORE_BLOCKED" });
    await time.untilWaiting(2_000);
    await time.advance(2_000);
    await blocked;
    const closed = vi.spyOn(IDBDatabase.prototype, "close");
    stubborn.close();
    await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(2));
    await deleteIndexedDbStore(name);
  });

  test("goes through if the other context lets go within the grace", async () => {
    const name = freshName();
    await (await openWithData(name)).close();
    const slow = await openDB(name, undefined, {
      blocking: (_current, _blocked, event) => setTimeout(() => (event.target as IDBDatabase).close(), 30),
    });
    expect(slow.version).toBe(NEWEST);
    const database = await upgrade(name);
    expect(database.version).toBe(NEWEST + 1);
    database.close();
  });

  test("a request that never gets an answer is ERR_STORE_BLOCKED too", async () => {
    const time = new WatchedTime();
    const silent = { addEventListener: () => undefined, removeEventListener: () => undefined };
    Object.setPrototypeOf(silent, IDBOpenDBRequest.prototype);
    vi.spyOn(indexedDB, "open").mockReturnValue(silent as unknown as IDBOpenDBRequest);
    const opened = openIndexedDbStore({ name: freshName(), time });
    const outcome = expect(opened).rejects.toMatchObject({ code: "ERR_STORE_BLOCKED" });
    await time.untilWaiting(30_000);
    await time.advance(30_000);
    await outcome;
  });
});

describe("the database disappears (adversarial 41)", () => {
  test("deleted by another context: ERR_STORE_LOST from then on", async () => {
    const name = freshName();
    const store = await openWithData(name);
    await deleteIndexedDbStore(name);
    await expect(store.read("p", ALL)).rejects.toMatchObject({ code: "ERR_STORE_LOST" });
    await expect(writeMore(store)).rejects.toMatchObject({ code: "ERR_STORE_LOST" });
    await expect(store.partitions()).rejects.toMatchObject({ code: "ERR_STORE_LOST" });
    await expect(store.exclusive("lock", async () => undefined)).rejects.toMatchObject({ code: "ERR_STORE_LOST" });
    expect(() => store.subscribe(() => undefined)).toThrow(expect.objectContaining({ code: "ERR_STORE_LOST" }));
    await store.close();
    await expect(store.partitions()).rejects.toMatchObject({ code: "ERR_STORE_CLOSED" });
  });

  test("deleted while it is being opened: ERR_STORE_LOST", async () => {
    const name = freshName();
    const derive = crypto.subtle.deriveKey.bind(crypto.subtle);
    vi.spyOn(crypto.subtle, "deriveKey").mockImplementationOnce(async (...parameters) => {
      await deleteIndexedDbStore(name);
      return derive(...parameters);
    });
    await expect(openIndexedDbStore({ name })).rejects.toMatchObject({ code: "ERR_STORE_LOST" });
  });

  test("closed by the browser in the middle of a write: the write is ERR_STORE_LOST and not there", async () => {
    const name = freshName();
    const store = await openWithData(name);
    onWritingCommit((transaction) => {
      abortAs(transaction, "AbortError");
      transaction.addEventListener("abort", () => setTimeout(() => forceCloseDatabase(transaction.db as never), 0));
    });
    await expect(writeMore(store)).rejects.toMatchObject({ code: "ERR_STORE_LOST" });
    await expect(store.read("p", ALL)).rejects.toMatchObject({ code: "ERR_STORE_LOST" });
    await store.close();
    await expectUnchanged(name);
  });

  test("a waiting exclusive call rejects", async () => {
    const name = freshName();
    const store = await openWithData(name);
    await store.exclusive("lock", async () => {
      const waiting = expect(store.exclusive("lock", async () => undefined)).rejects.toMatchObject({
        code: "ERR_STORE_LOST",
      });
      await deleteIndexedDbStore(name);
      await waiting;
    });
    await store.close();
  });
});

describe("no usable storage", () => {
  test.each(["SecurityError", "InvalidStateError"])("open throws %s: ERR_STORE_UNAVAILABLE", async (error) => {
    vi.spyOn(indexedDB, "open").mockImplementation(() => {
      throw new DOMException("not here", error);
    });
    await expect(openIndexedDbStore({ name: freshName() })).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  });

  test("no indexedDB at all: ERR_STORE_UNAVAILABLE", async () => {
    vi.stubGlobal("indexedDB", undefined);
    await expect(openIndexedDbStore({ name: freshName() })).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
    await expect(deleteIndexedDbStore(freshName())).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  });

  test("an insecure origin without SubtleCrypto: ERR_STORE_UNAVAILABLE", async () => {
    vi.stubGlobal("crypto", {});
    await expect(openIndexedDbStore({ name: "insecure" })).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  });

  test("a database of the same name that is not ours: ERR_STORE_CORRUPT, untouched", async () => {
    const name = freshName();
    const foreign = await openDB(name, 1, { upgrade: (database) => void database.createObjectStore("theirs") });
    foreign.close();
    await expect(openIndexedDbStore({ name })).rejects.toMatchObject({ code: "ERR_STORE_CORRUPT" });
    expect(await withRaw(name, async ({ objectStoreNames }) => [...objectStoreNames])).toEqual(["theirs"]);
  });
});

test("every writing transaction asks for strict durability", async () => {
  const transaction = vi.spyOn(IDBDatabase.prototype, "transaction");
  const store = await openWithData(freshName());
  await writeMore(store);
  await store.close();
  const writing = transaction.mock.calls.filter(([, mode]) => mode === "readwrite");
  expect(writing).toHaveLength(3);
  for (const [, , options] of writing) expect(options).toEqual({ durability: "strict" });
});

describe("deleting (the way to wipe)", () => {
  test("what does not exist is no error; what exists is gone", async () => {
    const name = freshName();
    await deleteIndexedDbStore(name);
    await (await openWithData(name)).close();
    await deleteIndexedDbStore(name);
    await expectNew(name);
  });

  test("stores that are open on it, in any number of contexts, let go of it", async () => {
    const name = freshName();
    const stores = [await openWithData(name), await openIndexedDbStore({ name }), await openIndexedDbStore({ name })];
    const busy = stores.map((store) => store.read("p", ALL).catch((error: unknown) => error));
    await deleteIndexedDbStore(name);
    await Promise.all(busy);
    for (const store of stores) {
      await expect(store.read("p", ALL)).rejects.toMatchObject({ code: "ERR_STORE_LOST" });
      await store.close();
    }
    await expectNew(name);
  });

  test("needs no key, and takes what cannot be opened", async () => {
    const name = freshName();
    await (await openIndexedDbStore({ name, key: { kind: "passphrase", passphrase: "forgotten" } })).close();
    await withRaw(name, (database) => database.put("meta", "damaged", "store"));
    await expect(openIndexedDbStore({ name })).rejects.toMatchObject({ code: "ERR_STORE_CORRUPT" });
    await deleteIndexedDbStore(name);
    await expectNew(name);
  });

  test("a context that does not let go: ERR_STORE_BLOCKED, and it is gone when that context ends", async () => {
    const name = freshName();
    await (await openWithData(name)).close();
    const frozen = await openDB(name);
    const time = new WatchedTime();
    const blocked = expect(deleteIndexedDbStore(name, { time })).rejects.toMatchObject({ code: "ERR_STORE_BLOCKED" });
    await time.untilWaiting(2_000);
    await time.advance(2_000);
    await blocked;
    frozen.close();
    await expectNew(name);
  });
});

/** Opens the database, which has to be there for the first time. */
async function expectNew(name: string): Promise<void> {
  const store = await openIndexedDbStore({ name });
  expect(await store.partitions()).toEqual({ names: [], damaged: 0 });
  expect((await store.read("p", [])).version).toBe(0);
  await store.close();
}

/** A request that fails as the engine would make it fail: with an `error` event that aborts the transaction. */
function failingRequest<T>(store: IDBObjectStore, error: string): IDBRequest<T> {
  const internals = store.transaction as unknown as {
    _execRequestAsync(request: { source: IDBObjectStore; operation: () => never }): IDBRequest<T>;
  };
  return internals._execRequestAsync({
    source: store,
    operation: () => {
      throw new DOMException("made to fail", error);
    },
  });
}

/** Does something else the next time that a writing transaction is to be committed. */
function onWritingCommit(instead: (transaction: IDBTransaction) => void): void {
  const original = IDBTransaction.prototype.commit;
  const spy = vi.spyOn(IDBTransaction.prototype, "commit").mockImplementation(function (this: IDBTransaction) {
    if (this.mode === "readonly") return original.call(this);
    spy.mockRestore();
    instead(this);
  });
}

function abortAs(transaction: IDBTransaction, error: string): void {
  (transaction as unknown as { _abort(name: string): void })._abort(error);
}
