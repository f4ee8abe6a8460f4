/** Engines that treat a failed request differently once `commit` was called: each write happens all the same, or not at all. */
import "fake-indexeddb/auto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { storeConformance } from "../../src/conformance.ts";
import type { Store } from "../../src/index.ts";
import { bytes, freshName } from "./raw.ts";

/** The last request that each transaction was given. */
const last = new WeakMap<IDBTransaction, IDBRequest>();

function noteRequests(): void {
  for (const method of ["get", "getKey", "getAll", "getAllKeys", "put", "add", "delete"] as const) {
    const original = IDBObjectStore.prototype[method] as (...given: unknown[]) => IDBRequest;
    vi.spyOn(IDBObjectStore.prototype, method).mockImplementation(function (this: IDBObjectStore, ...given: unknown[]) {
      const request = original.apply(this, given);
      last.set(this.transaction, request);
      return request as never;
    });
  }
}

const { commit } = IDBTransaction.prototype;

/** Firefox keeps what the others wrote, unless it was the last request that failed; then it says `AbortError`. */
function commitAsFirefox(this: IDBTransaction): void {
  this.addEventListener("error", (event) => {
    if (event.target === last.get(this)) forgetError(this, new DOMException("aborted", "AbortError"));
    else event.preventDefault();
  });
  commit.call(this);
}

/** WebKit undoes all, and does not say why. */
function commitAsWebKit(this: IDBTransaction): void {
  forgetError(this, null);
  commit.call(this);
}

function forgetError(transaction: IDBTransaction, error: DOMException | null): void {
  Object.defineProperty(transaction, "error", { get: () => error, set: () => undefined });
}

describe.each([
  ["Firefox", commitAsFirefox],
  ["WebKit", commitAsWebKit],
])("%s", (_name, commitAs) => {
  let openIndexedDbStore: (options: { readonly name: string }) => Promise<Store>;
  let deleteIndexedDbStore: (name: string) => Promise<void>;

  beforeAll(async () => {
    // What the browser does is found out once.
    vi.resetModules();
    ({ openIndexedDbStore, deleteIndexedDbStore } = await import("../../src/index.ts"));
    noteRequests();
    vi.spyOn(IDBTransaction.prototype, "commit").mockImplementation(commitAs);
  });
  afterAll(() => {
    vi.restoreAllMocks();
  });

  storeConformance({
    test,
    createData: async () => {
      const name = freshName();
      return { open: () => openIndexedDbStore({ name }), destroy: () => deleteIndexedDbStore(name) };
    },
  });

  test("a stale write that puts and deletes much writes nothing", async () => {
    const name = freshName();
    const store = await openIndexedDbStore({ name });
    const put = (value: string) => new Map(["a", "b", "c"].map((record) => [record, bytes(value)]));
    for (const expectedVersion of [0, 1])
      await store.write([{ partition: "p", expectedVersion, put: put(`after ${expectedVersion}`) }]);
    const stale = { partition: "p", expectedVersion: 1, clear: true, put: put("stale"), delete: ["d"] };
    await expect(store.write([stale])).rejects.toMatchObject({ code: "ERR_STORE_CONFLICT" });
    const { version, records, damaged } = await store.read("p", [{ prefix: "" }]);
    expect([version, damaged, [...records]]).toEqual([2, [], [...put("after 1")]]);
    await store.close();
  });

  test("contexts that create a store at once have one key", async () => {
    const name = freshName();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openIndexedDbStore({ name })));
    await stores[0]?.write([{ partition: "p", expectedVersion: 0, put: new Map([["a", bytes("1")]]) }]);
    for (const store of stores) {
      expect((await store.read("p", [{ prefix: "" }])).records).toEqual(new Map([["a", bytes("1")]]));
      await store.close();
    }
  });
});

test("a store can be opened where nothing can be tried out, as on a full disk", async () => {
  vi.resetModules();
  const { openIndexedDbStore } = await import("../../src/index.ts");
  const name = freshName();
  const made = await openIndexedDbStore({ name });
  await made.close();
  vi.resetModules();
  const later = await import("../../src/index.ts");
  const full = vi.spyOn(IDBTransaction.prototype, "commit").mockImplementation(function (this: IDBTransaction) {
    forgetError(this, new DOMException("full", "QuotaExceededError"));
    this.abort();
  });
  const store = await later.openIndexedDbStore({ name });
  full.mockRestore();
  await store.write([{ partition: "p", expectedVersion: 0, put: new Map([["a", bytes("1")]]) }]);
  await store.close();
});
