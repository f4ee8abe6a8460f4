/** A context that freezes holds up nobody: its transactions wait for nothing that it would have to do. */
import "fake-indexeddb/auto";
import { beforeEach, expect, test, vi } from "vitest";
import { openIndexedDbStore, type Store } from "../../src/index.ts";
import { bytes, freshName, withRaw } from "./raw.ts";

const ALL = [{ prefix: "" }];

let name: string;
let store: Store;

beforeEach(async () => {
  name = freshName();
  store = await openIndexedDbStore({ name });
  await store.write([write(0)]);
  return () => store.close();
});

function write(expectedVersion: number, partition = "p") {
  return { partition, expectedVersion, put: new Map([["a", bytes("1")]]), delete: ["b"] };
}

/** What happens to each transaction of `call` in the turn in which it is opened, and what after. */
async function late(call: () => Promise<unknown>): Promise<{ transactions: number; requests: number; open: number }> {
  const seen = { transactions: 0, requests: 0, open: 0 };
  const settled = new Set<IDBTransaction>();
  const { transaction } = IDBDatabase.prototype;
  const commit = vi.spyOn(IDBTransaction.prototype, "commit");
  const opened = vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(function (
    this: IDBDatabase,
    ...given
  ) {
    const made = transaction.apply(this, given);
    seen.transactions++;
    queueMicrotask(() => {
      settled.add(made);
      if (!commit.mock.contexts.includes(made)) seen.open++;
    });
    return made;
  });
  const stores = (["get", "getKey", "getAll", "getAllKeys", "put", "add", "delete", "openCursor"] as const).map(
    (method) => {
      const original = IDBObjectStore.prototype[method] as (...given: unknown[]) => IDBRequest;
      return vi.spyOn(IDBObjectStore.prototype, method).mockImplementation(function (
        this: IDBObjectStore,
        ...given: unknown[]
      ) {
        if (settled.has(this.transaction)) seen.requests++;
        return original.apply(this, given) as never;
      });
    },
  );
  try {
    await call().catch(() => undefined);
    return seen;
  } finally {
    for (const spy of [...stores, opened, commit]) spy.mockRestore();
  }
}

test.each<[string, number, () => Promise<unknown>]>([
  ["a write", 2, () => store.write([write(1)])],
  ["a write of several partitions, one of them new", 3, () => store.write([write(1), write(0, "q")])],
  ["a clear", 2, () => store.write([{ partition: "p", expectedVersion: 1, clear: true }])],
  ["a write that is refused, and why", 3, () => store.write([write(7)])],
  ["a read", 1, () => store.read("p", [...ALL, { prefix: "a", last: true }])],
  ["a read of what never existed", 2, () => store.read("never", ALL)],
  ["readChanges", 2, () => store.readChanges("p", 0, ALL)],
  ["partitions", 1, () => store.partitions()],
])("%s makes all requests of a transaction in one go, and commits it", async (_what, transactions, call) => {
  expect(await late(call)).toEqual({ transactions, requests: 0, open: 0 });
});

test("discard, too", async () => {
  await withRaw(name, async (database) => {
    const [row] = (await database.getAll("partitions")) as object[];
    await database.put("partitions", { ...row, sealed: null });
  });
  expect(await late(() => store.discard("p"))).toEqual({ transactions: 3, requests: 0, open: 0 });
  expect((await store.read("p", [])).version).toBe(1 + 2 ** 32);
});
