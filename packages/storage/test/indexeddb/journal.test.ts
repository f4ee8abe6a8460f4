/** The journal as it is stored: what it costs, what it shows, and what someone can do to it. */
import "fake-indexeddb/auto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { decodeEntry, encodeEntry } from "../../src/indexeddb/journal-rows.ts";
import { openIndexedDbStore, type PartitionChanges, type PartitionWrite, type Store } from "../../src/index.ts";
import { bytes, dump, freshName, readable, withRaw } from "./raw.ts";

const ALL = [{ prefix: "" }];

let name: string;
let store: Store;

beforeEach(async () => {
  name = freshName();
  store = await openIndexedDbStore({ name });
  return () => store.close();
});

function put(expectedVersion: number, records: Record<string, string>, deleted: string[] = []): Promise<void> {
  const values = new Map(Object.entries(records).map(([record, text]) => [record, bytes(text)]));
  return store.write([{ partition: "p", expectedVersion, put: values, delete: deleted }]);
}

/** Four writes: version 4, of which the last two changed a, b and c. */
async function fourWrites(): Promise<void> {
  await put(0, { a: "1", b: "1", c: "1", d: "1" });
  await put(1, { d: "2" });
  await put(2, { a: "3", b: "3" });
  await put(3, { b: "4" }, ["c"]);
}

/** Records, deleted and damaged names. */
function told(changes: PartitionChanges | undefined): unknown {
  if (changes === undefined) return undefined;
  const records = Array.from(changes.records, ([record, value]) => `${record}=${readable(value)}`);
  return [records, changes.deleted, changes.damaged];
}

async function journal(): Promise<{ key: [ArrayBuffer, number]; value: Uint8Array<ArrayBuffer> }[]> {
  return (await dump(name, "journal")) as { key: [ArrayBuffer, number]; value: Uint8Array<ArrayBuffer> }[];
}

describe("cost", () => {
  /** Requests and transactions that `call` makes. */
  async function costOf(call: () => Promise<unknown>): Promise<{ requests: number; transactions: number }> {
    const methods = ["get", "getKey", "getAll", "getAllKeys", "put", "add", "delete", "openCursor"] as const;
    const spies = [
      ...methods.map((method) => vi.spyOn(IDBObjectStore.prototype, method)),
      ...(["get", "getKey"] as const).map((method) => vi.spyOn(IDBIndex.prototype, method)),
    ];
    const transactions = vi.spyOn(IDBDatabase.prototype, "transaction");
    try {
      await call();
      return {
        requests: spies.reduce((sum, { mock }) => sum + mock.calls.length, 0),
        transactions: transactions.mock.calls.length,
      };
    } finally {
      for (const spy of [...spies, transactions]) spy.mockRestore();
    }

    test("records with consecutive numbers are read by two requests, also where some are gone or others stand between", async () => {
      const numbered = (number: number): string => `item/${number.toString(16).padStart(14, "0")}`;
      const numbers = Array.from({ length: 40 }, (_, index) => 240 + index);
      await put(0, { a: "1", [numbered(245)]: "old", [`${numbered(250)}/x`]: "not asked for" });
      await put(1, Object.fromEntries(numbers.map((number) => [numbered(number), `${number}`])));
      await put(2, { b: "2" }, [numbered(245)]);
      let changes: PartitionChanges | undefined;
      // The row twice, the journal's keys and values, and one record alone.
      expect(
        await costOf(async () => {
          changes = await store.readChanges("p", 1, ALL);
        }),
      ).toEqual({ requests: 2 + 2 + 1 + 2, transactions: 2 });
      const left = numbers.filter((number) => number !== 245);
      expect(new Set(changes?.records.keys())).toEqual(new Set(["b", ...left.map(numbered)]));
      expect(readable(changes?.records.get(numbered(279)) ?? bytes(""))).toBe("279");
      expect([changes?.deleted, changes?.damaged]).toEqual([[numbered(245)], []]);
    });
  }

  test.each([10, 5_000])("readChanges costs what changed, not what is there: %d records", async (count) => {
    const records = Object.fromEntries(Array.from({ length: count }, (_, index) => [`tree/${index}`, "1"]));
    await put(0, records);
    await put(1, { "tree/3": "2", "tree/7": "2" });
    await put(2, { "tree/3": "3" });
    // The row and the journal's keys and values; the row again and two records.
    expect(await costOf(() => store.readChanges("p", 1, ALL))).toEqual({ requests: 6, transactions: 2 });
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    await store.readChanges("p", 1, ALL);
    expect(decrypt).toHaveBeenCalledTimes(1 + 2 + 2);
    decrypt.mockRestore();
    // Nothing changed: the row, and a journal of which nothing is read.
    expect(await costOf(() => store.readChanges("p", 3, ALL))).toEqual({ requests: 3, transactions: 1 });
  });

  test("a write costs one row and, once there are 256, one deletion; a read costs nothing more", async () => {
    await put(0, { a: "1" });
    // Two records, the partition's row before and after, the journal's row; beside it, whether there is a row at all.
    expect(await costOf(() => put(1, { a: "2", b: "2" }))).toEqual({ requests: 6, transactions: 2 });
    expect(await costOf(() => store.read("p", [{ prefix: "a" }]))).toEqual({ requests: 3, transactions: 1 });
    for (let version = 2; version < 300; version++) await put(version, { a: "1" });
    expect(await costOf(() => put(300, { a: "2", b: "2" }))).toEqual({ requests: 7, transactions: 2 });
  });

  test("it is bounded by writes: 256 small ones", async () => {
    for (let version = 0; version < 300; version++) await put(version, { [`r/${version % 3}`]: "1" });
    const rows = await journal();
    expect([rows.length, rows[0]?.key[1], rows.at(-1)?.key[1]]).toEqual([256, 45, 300]);
    expect((await store.readChanges("p", 44, ALL))?.records.size).toBe(3);
    expect(await store.readChanges("p", 43, ALL)).toBeUndefined();
  });

  test("it is bounded by names: a large write shortens it, one of too many names or a clear ends it", async () => {
    for (let version = 0; version < 20; version++) await put(version, { a: "1" });
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`r/${index}`, "1"]));
    await put(20, many(1_000));
    expect((await journal()).map(({ key }) => key[1])).toEqual([18, 19, 20, 21]);
    await put(21, many(4_097));
    expect((await journal()).map(({ key, value }) => [key[1], value.length])).toEqual([[22, 28]]);
    await put(22, { a: "2" });
    await store.write([{ partition: "p", expectedVersion: 23, clear: true }]);
    expect((await journal()).map(({ key, value }) => [key[1], value.length])).toEqual([[24, 28]]);
  });
});

test("rows show no names, and two writes of the same names differ", async () => {
  await put(0, { "identity/key": "1" }, ["outbox/9"]);
  await put(1, { "identity/key": "2" }, ["outbox/9"]);
  const [first, second] = (await journal()).map(({ value }) => readable(value));
  expect(`${first}${second}`).not.toMatch(/identity|outbox/);
  expect(first).not.toBe(second);
});

test("entries are what was encoded", () => {
  const lists: [string[], string[]][] = [
    [[], []],
    [["a"], []],
    [[], ["a"]],
    [
      ["a", "\u{1f600}", "b"],
      ["\uffff", "c d"],
    ],
  ];
  for (const [given, deleted] of lists) {
    expect(decodeEntry(encodeEntry({ put: given, delete: deleted }))).toEqual({ put: given, delete: deleted });
  }
  expect(decodeEntry(encodeEntry(undefined))).toBeUndefined();
});

describe("a journal that was tampered with is not used: the whole is to be read", () => {
  test.each<[string, (rows: Awaited<ReturnType<typeof journal>>) => [unknown, [ArrayBuffer, unknown]][]]>([
    [
      "a flipped bit",
      (rows) => {
        const { key, value } = rows[2] ?? fail();
        const changed = value.slice();
        changed[20] = (changed[20] ?? 0) ^ 1;
        return [[changed, key]];
      },
    ],
    ["a shortened row", (rows) => [[rows[2]?.value.slice(1), rows[2]?.key ?? fail()]]],
    ["an empty row", (rows) => [[new Uint8Array(), rows[2]?.key ?? fail()]]],
    ["a row that is no bytes", (rows) => [["text", rows[2]?.key ?? fail()]]],
    ["a row repeated in another's place", (rows) => [[rows[3]?.value, rows[2]?.key ?? fail()]]],
    [
      "two rows swapped",
      (rows) => [
        [rows[3]?.value, rows[2]?.key ?? fail()],
        [rows[2]?.value, rows[3]?.key ?? fail()],
      ],
    ],
    ["a row in between", (rows) => [[rows[2]?.value, [rows[2]?.key[0] ?? fail(), 3.5]]]],
    [
      "endless rows in between",
      (rows) =>
        Array.from({ length: 2_000 }, (_, index) => [rows[2]?.value, [rows[2]?.key[0] ?? fail(), 3 + index / 2_001]]),
    ],
  ])("%s", async (_what, change) => {
    await fourWrites();
    const rows = await journal();
    await withRaw(name, async (database) => {
      for (const [value, key] of change(rows)) await database.put("journal", value, key as IDBValidKey);
    });
    expect(await store.readChanges("p", 2, ALL)).toBeUndefined();
    expect((await store.read("p", ALL)).records.size).toBe(3);
    // What comes after it can be told.
    await put(4, { d: "5" });
    expect(told(await store.readChanges("p", 4, ALL))).toEqual([["d=5"], [], []]);
  });

  test("a row is missing, first, in the middle or last; all are", async () => {
    await fourWrites();
    for (const lost of [[2], [3], [4], [2, 3, 4]]) {
      const rows = await journal();
      const gone = rows.filter(({ key }) => lost.includes(key[1]));
      await withRaw(name, async (database) => {
        for (const { key } of gone) await database.delete("journal", key);
      });
      expect(await store.readChanges("p", 1, ALL)).toBeUndefined();
      await withRaw(name, async (database) => {
        for (const { key, value } of gone) await database.put("journal", value, key);
      });
    }
    expect(told(await store.readChanges("p", 2, ALL))).toEqual([["a=3", "b=4"], ["c"], []]);
  });

  test("rows of another partition", async () => {
    await fourWrites();
    const other: PartitionWrite[] = [0, 1, 2, 3].map((expectedVersion) => ({ partition: "q", expectedVersion }));
    for (const write of other) await store.write([write]);
    await withRaw(name, async (database) => {
      const rows = await database.getAll("journal");
      const keys = await database.getAllKeys("journal");
      for (const [index, key] of keys.entries()) await database.put("journal", rows[(index + 4) % 8], key);
    });
    expect(await store.readChanges("p", 2, ALL)).toBeUndefined();
    expect(await store.readChanges("q", 2, ALL)).toBeUndefined();
  });

  test("the seal of the partition's row, of the same place and version", async () => {
    await fourWrites();
    const { key } = (await journal()).at(-1) ?? fail();
    await withRaw(name, async (database) => {
      const [row] = (await database.getAll("partitions")) as { sealed: Uint8Array }[];
      await database.put("journal", row?.sealed, key);
    });
    expect(await store.readChanges("p", 3, ALL)).toBeUndefined();
  });

  test("a row of a fraction of a version in place of one that is gone", async () => {
    await fourWrites();
    const [, , third, fourth] = await journal();
    await withRaw(name, async (database) => {
      await database.delete("journal", fourth?.key ?? fail());
      await database.put("journal", third?.value, [third?.key[0] ?? fail(), 3.5]);
    });
    expect(await store.readChanges("p", 2, ALL)).toBeUndefined();
  });

  test("endless rows after the last are neither read nor believed", async () => {
    await fourWrites();
    const [row] = await journal();
    await withRaw(name, async (database) => {
      for (let version = 5; version < 2_000; version++) {
        await database.put("journal", row?.value, [row?.key[0] ?? fail(), version]);
      }
    });
    expect(told(await store.readChanges("p", 2, ALL))).toEqual([["a=3", "b=4"], ["c"], []]);
  });
});

describe("records are compared with the journal", () => {
  async function rawRecords(): Promise<{ key: IDBValidKey; value: unknown }[]> {
    return dump(name, "records");
  }

  test("a record put back to an older value is named, also within the versions of the partition", async () => {
    await put(0, { a: "1", b: "1" });
    await put(1, { a: "2" });
    const [old] = await rawRecords();
    await put(2, { a: "3", b: "3" });
    await withRaw(name, (database) => database.put("records", old?.value, old?.key));
    expect(told(await store.readChanges("p", 1, ALL))).toEqual([["b=3"], [], ["a"]]);
    // Read without the journal, nothing shows it.
    expect((await store.read("p", ALL)).damaged).toEqual([]);
  });

  test("a record that someone deleted is named; so is one that came back after it was deleted", async () => {
    await put(0, { a: "1", b: "1" });
    const before = await rawRecords();
    await put(1, { a: "2" }, ["b"]);
    await withRaw(name, async (database) => {
      await database.put("records", before[1]?.value, before[1]?.key);
      await database.delete("records", before[0]?.key as IDBValidKey);
    });
    expect(told(await store.readChanges("p", 1, ALL))).toEqual([[], [], ["a", "b"]]);
  });

  test("a damaged record is named, the others are told", async () => {
    await fourWrites();
    const [a] = await rawRecords();
    await withRaw(name, (database) => database.put("records", "text", a?.key));
    expect(told(await store.readChanges("p", 2, ALL))).toEqual([["b=4"], ["c"], ["a"]]);
  });
});

test("written to in between without end, readChanges gives up instead of going on", async () => {
  await put(0, { a: "0" });
  const other = await openIndexedDbStore({ name });
  let version = 1;
  const original = IDBObjectStore.prototype.getAll;
  const reads = vi.spyOn(IDBObjectStore.prototype, "getAll").mockImplementation(function (
    this: IDBObjectStore,
    ...given
  ) {
    const value = bytes(String(version));
    void other.write([{ partition: "p", expectedVersion: version++, put: new Map([["a", value]]) }]);
    return original.apply(this, given);
  });
  // Slow enough that each of these writes is done before the records are read.
  const { decrypt } = crypto.subtle;
  const slow = vi.spyOn(crypto.subtle, "decrypt").mockImplementation(async (...given) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return decrypt.apply(crypto.subtle, given);
  });
  expect(await store.readChanges("p", 0, ALL)).toBeUndefined();
  expect(reads).toHaveBeenCalledTimes(8);
  slow.mockRestore();
  reads.mockRestore();
  await vi.waitFor(async () => expect((await store.readChanges("p", 0, ALL))?.version).toBe(version));
  await other.close();
});

function fail(): never {
  throw new Error("The journal has fewer rows");
}
