/** Databases as released versions wrote them: what they hold must stay readable, byte formats and keys included. */
import "fake-indexeddb/auto";
import { readFileSync } from "node:fs";
import { openDB } from "idb";
import { describe, expect, test, vi } from "vitest";
import { deleteIndexedDbStore, openIndexedDbStore, type StoreKey } from "../../src/index.ts";
import { bytes, dump, freshName, withRaw } from "./raw.ts";

/** At a cost that tests can pay. */
vi.mock("../../src/indexeddb/argon2.ts", async (importOriginal) => {
  const { argon2id: real } = await importOriginal<typeof import("../../src/indexeddb/argon2.ts")>();
  const stretch: typeof real = (passphrase, salt, cost) => real(passphrase, salt, { ...cost, memory: 64 });
  return { argon2id: stretch };
});

type Json = string | number | Json[] | { [name: string]: Json };

const UNIQUE = { unique: true };

/** Object stores by name, entries as pairs of key and value; bytes are `{ hex }`. */
type Fixture = Record<string, [Json, Json][]>;

function fixturesOf(version: number): Record<string, Fixture> {
  const file = new URL(`../fixtures/schema-v${version}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Record<string, Fixture>;
}

async function keyOf(kind: string): Promise<StoreKey> {
  if (kind === "passphrase") return { kind, passphrase: "correct horse battery staple" };
  const raw = Uint8Array.from({ length: 32 }, (_, index) => index);
  return { kind: "application", key: await crypto.subtle.importKey("raw", raw, "HKDF", false, ["deriveKey"]) };
}

describe("schema version 1, which was never released", () => {
  const fixtures = fixturesOf(1);

  test.each(Object.keys(fixtures))("is refused and left as it is, until it is deleted: %s key", async (kind) => {
    const name = freshName();
    await restore(name, 1, fixtures[kind] ?? {});
    const before = await everything(name);
    const key = await keyOf(kind);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(openIndexedDbStore({ name, key })).rejects.toMatchObject({ code: "ERR_STORE_OLD_SCHEMA" });
    }
    expect(await everything(name)).toEqual(before);
    expect(await withRaw(name, async ({ version }) => version)).toBe(1);

    await deleteIndexedDbStore(name);
    const store = await openIndexedDbStore({ name, key });
    expect(await store.partitions()).toEqual({ names: [], damaged: 0 });
    await store.close();
  });
});

describe("schema version 2", () => {
  const fixtures = fixturesOf(2);

  test.each(Object.keys(fixtures))("a store with a key of the kind %s", async (kind) => {
    const name = freshName();
    await restore(name, 2, fixtures[kind] ?? {});
    const store = await openIndexedDbStore({ name, key: await keyOf(kind) });
    const { names, damaged } = await store.partitions();
    expect([[...names].sort(), damaged]).toEqual([["account", "group/\u{1f333}"], 0]);
    const account = await store.read("account", [{ prefix: "" }]);
    expect([account.version, account.damaged]).toEqual([2, []]);
    expect([...account.records]).toEqual([
      ["cursor", bytes("42")],
      ["empty", bytes("")],
      ["identity", bytes("identity key")],
    ]);
    expect([...(await store.read("group/\u{1f333}", [{ prefix: "tree/" }])).records]).toEqual([
      ["tree/0", bytes("leaf")],
    ]);
    const changes = await store.readChanges("account", 1, [{ prefix: "" }]);
    expect([[...(changes?.records.keys() ?? [])], changes?.deleted]).toEqual([["cursor", "empty"], ["old"]]);
    // Cleared, with the version of the write that cleared it.
    expect(await store.read("group/left", [{ prefix: "" }])).toMatchObject({ version: 2, damaged: [] });
    await store.write([
      { partition: "account", expectedVersion: 2 },
      { partition: "group/left", expectedVersion: 2 },
    ]);
    await store.close();
    // Only the key record is rewritten.
    expect((await dump(name, "meta"))[0]?.value).toMatchObject({ wrapped: expect.any(Uint8Array) as unknown });
    expect(await withRaw(name, async ({ version }) => version)).toBe(3);
    const again = await openIndexedDbStore({ name, key: await keyOf(kind) });
    expect((await again.read("group/\u{1f333}", [{ prefix: "tree/" }])).records.get("tree/0")).toEqual(bytes("leaf"));
    await again.close();
  });

  test.each(Object.keys(fixtures))("is left as it is by a wrong key: %s", async (kind) => {
    const name = freshName();
    await restore(name, 2, fixtures[kind] ?? {});
    const before = await everything(name);
    const other: StoreKey =
      kind === "passphrase" ? { kind, passphrase: "wrong" } : { kind: "passphrase", passphrase: "p" };
    await expect(openIndexedDbStore({ name, key: other })).rejects.toMatchObject({ code: "ERR_STORE_WRONG_KEY" });
    expect(await everything(name)).toEqual(before);
    // The database was taken to the new version, as by a context that ended before it had the key: the key record follows later.
    expect(await withRaw(name, async ({ version }) => version)).toBe(3);
    const store = await openIndexedDbStore({ name, key: await keyOf(kind) });
    expect((await store.read("account", [{ prefix: "cursor" }])).records.get("cursor")).toEqual(bytes("42"));
    await store.close();
  });
});

/** All that a database holds. */
async function everything(name: string): Promise<unknown> {
  const stores = await withRaw(name, async ({ objectStoreNames }) => [...objectStoreNames]);
  return Promise.all(stores.map(async (objectStore) => [objectStore, await dump(name, objectStore)]));
}

async function restore(name: string, version: number, fixture: Fixture): Promise<void> {
  const database = await openDB(name, version, {
    upgrade: (created) => {
      for (const objectStore of Object.keys(fixture)) {
        if (version === 1 || objectStore !== "partitions") created.createObjectStore(objectStore);
        else
          created.createObjectStore(objectStore, { keyPath: ["tag", "version"] }).createIndex("byTag", "tag", UNIQUE);
      }
    },
  });
  const transaction = database.transaction(Object.keys(fixture), "readwrite");
  for (const [objectStore, entries] of Object.entries(fixture)) {
    const store = transaction.objectStore(objectStore);
    for (const [key, value] of entries) {
      // A key within the value is not given beside it.
      await store.put(decode(value), store.keyPath === null ? (decode(key) as IDBValidKey) : undefined);
    }
  }
  await transaction.done;
  database.close();
}

function decode(value: Json): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object") return value;
  if (typeof value["hex"] === "string")
    return Uint8Array.from(value["hex"].match(/../g) ?? [], (byte) => parseInt(byte, 16));
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, decode(entry)]));
}
