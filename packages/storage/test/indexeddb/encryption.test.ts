import "fake-indexeddb/auto";
import { describe, expect, test, vi } from "vitest";
import { openIndexedDbStore, type Store } from "../../src/index.ts";
import { bytes, dump, freshName, only, readable, withRaw } from "./raw.ts";

const ALL = [{ prefix: "" }];

async function openWith(name: string, records: Record<string, string>, partition = "p"): Promise<Store> {
  const store = await openIndexedDbStore({ name });
  const put = new Map(Object.entries(records).map(([record, text]) => [record, bytes(text)]));
  await store.write([{ partition, expectedVersion: 0, put }]);
  return store;
}

/** The records of a partition that are sound, and the names of those that are not. */
async function soundAndDamaged(store: Store, partition = "p"): Promise<[string[], readonly string[]]> {
  const { records, damaged } = await store.read(partition, ALL);
  return [[...records.keys()], damaged];
}

describe("encryption at rest", () => {
  test("the raw database shows neither values nor partition names (adversarial 14)", async () => {
    const name = freshName();
    const store = await openWith(name, { "identity/key": "very secret value" }, "group of alice and bob");
    await store.exclusive("alice", async () => undefined);
    await store.close();
    const stores = await withRaw(name, async (database) => [...database.objectStoreNames]);
    expect(stores).toEqual(["journal", "meta", "partitions", "records"]);
    const everything = (await Promise.all(stores.map((objectStore) => dump(name, objectStore)))).flat();
    expect(everything).toHaveLength(4);
    const visible = everything.map(({ key, value }) => `${readable(key)}=${readable(value)}`).join("\n");
    expect(visible).toContain("identity/key");
    for (const secret of ["secret", "value", "group", "alice", "bob"]) expect(visible).not.toContain(secret);
  });

  test("record layout: version, nonce, ciphertext, tag", async () => {
    const name = freshName();
    const store = await openWith(name, { a: "12345" });
    await store.write([{ partition: "p", expectedVersion: 1, put: new Map([["b", bytes("")]]) }]);
    await store.close();
    const records = await dump(name, "records");
    const [a, b] = records.map(({ value }) => value as Uint8Array);
    expect([a?.length, b?.length]).toEqual([8 + 12 + 5 + 16, 8 + 12 + 16]);
    expect([a?.slice(0, 8), b?.slice(0, 8)]).toEqual([
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1),
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 2),
    ]);
    expect(only(await dump(name, "partitions")).value).toMatchObject({ version: 2 });
  });

  test("equal values never look equal: every record has a nonce of its own", async () => {
    const name = freshName();
    const names = Array.from({ length: 300 }, (_, index) => [`r/${index}`, "same"] as const);
    const store = await openWith(name, Object.fromEntries(names));
    await store.close();
    const stored = (await dump(name, "records")).map(({ value }) => value as Uint8Array);
    expect(new Set(stored.map((value) => readable(value.slice(8, 20)))).size).toBe(300);
    expect(new Set(stored.map((value) => readable(value.slice(20)))).size).toBe(300);
  });

  test("two stores give a partition different tags", async () => {
    const names = [freshName(), freshName()];
    for (const name of names) await (await openWith(name, {}, "same")).close();
    const [a, b] = await Promise.all(
      names.map(async (name) => only(await dump(name, "partitions")).key as IDBValidKey[]),
    );
    expect(readable(a?.[0])).toHaveLength(16);
    expect(readable(a?.[0])).not.toBe(readable(b?.[0]));
  });

  test("a flipped bit anywhere in a record is found", async () => {
    const name = freshName();
    const store = await openWith(name, { a: "value", b: "sound" });
    const [{ key, value } = { key: "", value: undefined }] = await dump(name, "records");
    const stored = value as Uint8Array<ArrayBuffer>;
    for (let index = 0; index < stored.length; index++) {
      const changed = stored.slice();
      changed[index] = (changed[index] ?? 0) ^ 1;
      await withRaw(name, (database) => database.put("records", changed, key));
      expect(await soundAndDamaged(store)).toEqual([["b"], ["a"]]);
    }
    for (const wrong of [
      stored.slice(0, -1),
      stored.slice(0, 35),
      stored.slice(0, 7),
      new Uint8Array(),
      "text",
      null,
      7,
    ]) {
      await withRaw(name, (database) => database.put("records", wrong, key));
      expect(await soundAndDamaged(store)).toEqual([["b"], ["a"]]);
    }
    await withRaw(name, (database) => database.put("records", stored, key));
    expect((await store.read("p", ALL)).records.get("a")).toEqual(bytes("value"));
    await store.close();
  });

  test("a value moved to another name is found", async () => {
    const name = freshName();
    const store = await openWith(name, { a: "value" });
    await withRaw(name, async (database) => {
      const [tag] = only(await database.getAllKeys("records")) as [IDBValidKey];
      await database.put("records", only<unknown>(await database.getAll("records")), [tag, "b"]);
    });
    expect(await soundAndDamaged(store)).toEqual([["a"], ["b"]]);
    await store.close();
  });

  test("a value moved to another partition is found", async () => {
    const name = freshName();
    const store = await openWith(name, { a: "value" });
    await store.write([{ partition: "q", expectedVersion: 0, put: new Map([["a", bytes("other")]]) }]);
    await withRaw(name, async (database) => {
      const [first, second] = await database.getAllKeys("records");
      const [a, b] = (await database.getAll("records")) as unknown[];
      await database.put("records", a, second);
      await database.put("records", b, first);
    });
    for (const partition of ["p", "q"]) expect(await soundAndDamaged(store, partition)).toEqual([[], ["a"]]);
    await store.close();
  });

  test("a value moved to another store is found, under the same application key", async () => {
    const key = await crypto.subtle.importKey("raw", new Uint8Array(32), "HKDF", false, ["deriveKey"]);
    const [from, to] = [freshName(), freshName()];
    for (const name of [from, to]) {
      const store = await openIndexedDbStore({ name, key: { kind: "application", key } });
      await store.write([{ partition: "p", expectedVersion: 0, put: new Map([["a", bytes(name)]]) }]);
      await store.close();
    }
    const { value } = only(await dump(from, "records"));
    const store = await openIndexedDbStore({ name: to, key: { kind: "application", key } });
    await withRaw(to, async (database) => {
      await database.put("records", value, only(await database.getAllKeys("records")));
    });
    expect(await soundAndDamaged(store)).toEqual([[], ["a"]]);
    await store.close();
  });

  test("plaintexts and root keys are overwritten in memory once they were used", async () => {
    const [encrypt, importKey] = [vi.spyOn(crypto.subtle, "encrypt"), vi.spyOn(crypto.subtle, "importKey")];
    const name = freshName();
    const key = { kind: "passphrase", passphrase: "p" } as const;
    await (await openIndexedDbStore({ name, key })).close();
    await (await openWith(freshName(), { a: "secret" })).close();
    const given: unknown[] = [
      ...encrypt.mock.calls.map(([, , data]) => data).filter((data) => data.byteLength === 6),
      ...importKey.mock.calls.map(([, data]) => data),
    ];
    vi.restoreAllMocks();
    expect(given).toHaveLength(11);
    for (const data of given) expect(new Set(data as Uint8Array)).toEqual(new Set([0]));
  });

  test("errors carry neither values nor names", async () => {
    const name = freshName();
    const store = await openWith(name, { a: "topsecret" }, "alice");
    const conflict: unknown = await store
      .write([{ partition: "alice", expectedVersion: 7, put: new Map([["a", bytes("topsecret")]]) }])
      .catch((error: unknown) => error);
    expect(conflict).toMatchObject({ code: "ERR_STORE_CONFLICT", detail: { index: 0, expected: 7, actual: 1 } });
    expect(JSON.stringify(conflict) + String(conflict)).not.toMatch(/alice|topsecret/);
    await store.close();
  });
});
