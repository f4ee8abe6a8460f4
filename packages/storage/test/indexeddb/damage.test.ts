/** What someone with access to the database does to one thing costs that thing, and is found as far as it can be. */
import "fake-indexeddb/auto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { openIndexedDbStore, type Store, type StoreChange } from "../../src/index.ts";
import { bytes, freshName, withRaw } from "./raw.ts";

const ALL = [{ prefix: "" }];
const CORRUPT = { code: "ERR_STORE_CORRUPT" };

let name: string;
let store: Store;

beforeEach(async () => {
  name = freshName();
  store = await openIndexedDbStore({ name });
  return () => store.close();
});

function put(partition: string, expectedVersion: number, records: Record<string, string>): Promise<void> {
  const values = new Map(Object.entries(records).map(([record, text]) => [record, bytes(text)]));
  return store.write([{ partition, expectedVersion, put: values }]);
}

/** Changes an object store as someone could who has no key. */
function tamper(change: Parameters<typeof withRaw>[1]): Promise<unknown> {
  return withRaw(name, change);
}

/** The row of a partition that is the only one now: its key and value. */
async function onlyRow(): Promise<{ key: ArrayBuffer; row: { version: number; sealed: Uint8Array<ArrayBuffer> } }> {
  return withRaw(name, async (database) => {
    const [key] = (await database.getAllKeys("partitions")) as ArrayBuffer[];
    const [row] = (await database.getAll("partitions")) as { version: number; sealed: Uint8Array<ArrayBuffer> }[];
    if (key === undefined || row === undefined) throw new Error("a row");
    return { key, row };
  });
}

describe("a damaged record", () => {
  test("can be replaced or deleted, and is whole again", async () => {
    await put("p", 0, { a: "1", b: "1", c: "1" });
    await tamper(async (database) => {
      const [first, second] = await database.getAllKeys("records");
      for (const key of [first, second]) await database.put("records", new Uint8Array(60), key);
    });
    expect((await store.read("p", ALL)).damaged).toEqual(["a", "b"]);
    await store.write([{ partition: "p", expectedVersion: 1, put: new Map([["a", bytes("2")]]), delete: ["b"] }]);
    const { records, damaged } = await store.read("p", ALL);
    expect([[...records.keys()], damaged]).toEqual([["a", "c"], []]);
  });

  test("is named once, however many ranges select it, and not where no range does", async () => {
    await put("p", 0, { a: "1", b: "1" });
    await tamper(async (database) => {
      const [first] = await database.getAllKeys("records");
      await database.put("records", 7, first);
    });
    expect((await store.read("p", [...ALL, { prefix: "a" }])).damaged).toEqual(["a"]);
    expect((await store.read("p", [{ prefix: "b" }])).damaged).toEqual([]);
  });

  test("a platform that cannot decrypt is no damage", async () => {
    await put("p", 0, { a: "1" });
    const { decrypt } = crypto.subtle;
    const failing = vi.spyOn(crypto.subtle, "decrypt").mockImplementation(function (this: SubtleCrypto, ...given) {
      const isRecord = given[2].byteLength === 16 + 1 && failing.mock.calls.length > 1;
      return isRecord
        ? Promise.reject(new DOMException("no memory", "UnknownError"))
        : decrypt.apply(crypto.subtle, given);
    });
    await expect(store.read("p", ALL)).rejects.toMatchObject({ code: "ERR_STORE_IO", cause: { name: "UnknownError" } });
    failing.mockRestore();
    expect((await store.read("p", ALL)).records.size).toBe(1);
  });
});

describe("a damaged partition row", () => {
  test.each([
    ["a later version", (row: object) => ({ ...row, version: 2 })],
    ["version 0", (row: object) => ({ ...row, version: 0 })],
    ["a version that is no number", (row: object) => ({ ...row, version: "1" })],
    ["no seal", () => ({ version: 1 })],
    ["a seal of no length", (row: object) => ({ ...row, sealed: new Uint8Array() })],
    ["another seal", (row: object) => ({ ...row, sealed: new Uint8Array(40) })],
    ["null", () => null],
    ["no row", () => undefined],
  ])("costs its partition and no other, until it is discarded: %s", async (what, damage) => {
    await put("p", 0, { a: "1" });
    const { key, row } = await onlyRow();
    await put("q", 0, { a: "1" });
    await tamper((database) =>
      what === "no row" ? database.delete("partitions", key) : database.put("partitions", damage(row), key),
    );
    await expect(store.read("p", ALL)).rejects.toMatchObject(CORRUPT);
    await expect(store.read("p", [])).rejects.toMatchObject(CORRUPT);
    await expect(store.readChanges("p", 0, ALL)).rejects.toMatchObject(CORRUPT);
    for (const version of [0, 3]) await expect(put("p", version, { a: "2" })).rejects.toThrow();
    expect(await store.partitions()).toEqual({ names: ["q"], damaged: what === "no row" ? 0 : 1 });
    expect((await store.read("q", ALL)).records.size).toBe(1);
    await put("q", 1, { a: "2" });
    const again = await openIndexedDbStore({ name });
    expect((await again.read("q", ALL)).version).toBe(2);
    await again.close();

    await store.discard("p");
    const { version, records, damaged } = await store.read("p", ALL);
    expect([records.size, damaged]).toEqual([0, []]);
    expect(version).toBe(1 + 2 ** 32);
    expect(await store.partitions()).toEqual({ names: ["q"], damaged: 0 });
    await put("p", version, { b: "3" });
    expect((await store.read("p", ALL)).records.get("b")).toEqual(bytes("3"));
    expect((await store.readChanges("p", version, ALL))?.records.size).toBe(1);
    expect(await store.readChanges("p", 1, ALL)).toBeUndefined();
  });

  test("whose seal alone is damaged is made whole by a context that knew its version", async () => {
    await put("p", 0, { a: "1" });
    const { key } = await onlyRow();
    await tamper((database) => database.put("partitions", { version: 1, sealed: new Uint8Array(40) }, key));
    await put("p", 1, { b: "2" });
    expect((await store.read("p", ALL)).records.size).toBe(2);
  });

  test("its loss is noticed also after a clear, so that no version repeats", async () => {
    await put("p", 0, { a: "1" });
    await store.write([{ partition: "p", expectedVersion: 1, clear: true }]);
    const { key } = await onlyRow();
    await tamper((database) => database.delete("partitions", key));
    await expect(store.read("p", ALL)).rejects.toMatchObject(CORRUPT);
    await expect(put("p", 0, { a: "2" })).rejects.toMatchObject(CORRUPT);
  });

  test("a cleared partition cannot be made to look as if it existed, nor the other way round", async () => {
    await put("p", 0, { a: "1" });
    const { key, row } = await onlyRow();
    await store.write([{ partition: "p", expectedVersion: 1, clear: true }]);
    await tamper((database) => database.put("partitions", row, key));
    await expect(put("p", 1, { a: "2" })).rejects.toMatchObject(CORRUPT);
    await store.discard("p");
    expect(await store.partitions()).toEqual({ names: [], damaged: 0 });
    expect((await store.read("p", [])).version).toBe(2 + 2 ** 32);
  });

  test("put back to an older one: the records show it, and no version is written twice", async () => {
    await put("p", 0, { a: "1", b: "1" });
    const { key, row } = await onlyRow();
    await put("p", 1, { a: "2" });
    await put("p", 2, { a: "3" });
    await tamper((database) => database.put("partitions", row, key));
    await expect(store.read("p", ALL)).rejects.toMatchObject(CORRUPT);
    // Where no later record is selected nothing shows it, but what is computed from it cannot be written.
    expect((await store.read("p", [{ prefix: "b" }])).version).toBe(1);
    await expect(put("p", 1, { c: "2" })).rejects.toMatchObject(CORRUPT);
    await expect(store.write([{ partition: "p", expectedVersion: 1, clear: true }])).rejects.toMatchObject(CORRUPT);
    await store.discard("p");
    expect((await store.read("p", [])).version).toBe(3 + 2 ** 32);
  });

  test("that of another partition is damage for both", async () => {
    await put("p", 0, { a: "1" });
    await put("q", 0, { a: "1" });
    await put("r", 0, { a: "1" });
    await tamper(async (database) => {
      const [first, second] = await database.getAllKeys("partitions");
      const [one, two] = (await database.getAll("partitions")) as unknown[];
      await database.put("partitions", two, first);
      await database.put("partitions", one, second);
    });
    const { names, damaged } = await store.partitions();
    expect([names.length, damaged]).toEqual([1, 2]);
    for (const partition of ["p", "q", "r"].filter((each) => !names.includes(each))) {
      await expect(store.read(partition, ALL)).rejects.toMatchObject(CORRUPT);
    }
  });
});

describe("discard", () => {
  test("leaves a sound partition alone, a cleared one, and one that never existed", async () => {
    await put("p", 0, { a: "1" });
    await put("q", 0, { a: "1" });
    await store.write([{ partition: "q", expectedVersion: 1, clear: true }]);
    for (const partition of ["p", "q", "never"]) await store.discard(partition);
    const versions = await Promise.all(["p", "q", "never"].map((partition) => store.read(partition, ALL)));
    expect(versions.map(({ version, records }) => [version, records.size])).toEqual([
      [1, 1],
      [2, 0],
      [0, 0],
    ]);
  });

  test("leaves damaged records of a sound partition alone: they can be written", async () => {
    await put("p", 0, { a: "1" });
    await tamper(async (database) => {
      const [first] = await database.getAllKeys("records");
      await database.put("records", 7, first);
    });
    await store.discard("p");
    expect(await store.read("p", ALL)).toMatchObject({ version: 1, damaged: ["a"] });
  });

  test("other contexts are told; discarded by several at once it is discarded once", async () => {
    await put("p", 0, { a: "1" });
    const { key } = await onlyRow();
    const other = await openIndexedDbStore({ name });
    const seen: StoreChange[] = [];
    other.subscribe((change) => seen.push(change));
    await tamper((database) => database.put("partitions", null, key));
    await Promise.all([store.discard("p"), store.discard("p"), store.discard("p")]);
    await vi.waitFor(() => expect(seen).toEqual([{ partition: "p", version: 1 + 2 ** 32 }]));
    expect((await other.read("p", [])).version).toBe(1 + 2 ** 32);
    await other.close();
  });

  test.each([Infinity, 2, 2.5, Number.MAX_SAFE_INTEGER])(
    "forged rows of the journal keep a partition from being written, but not from being discarded: %s",
    async (forged) => {
      await put("p", 0, { a: "1" });
      const { key } = await onlyRow();
      await tamper((database) => database.put("journal", new Uint8Array(40), [key, forged]));
      await store.discard("p");
      const { version } = await store.read("p", []);
      expect(version).toBe(1 + 2 ** 32);
      await put("p", version, { a: "2" });
    },
  );

  test("with every row forged it starts beyond any version that was written", async () => {
    await put("p", 0, { a: "1" });
    const { key } = await onlyRow();
    await tamper(async (database) => {
      await database.put("partitions", null, key);
      for (let version = 1; version < 400; version++) {
        await database.put("journal", new Uint8Array(40), [key, version]);
      }
    });
    await store.discard("p");
    expect((await store.read("p", [])).version).toBe(2 ** 32);
  });
});
