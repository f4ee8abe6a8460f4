/** Databases as released versions wrote them: what they hold must stay readable, byte formats and keys included. */
import "fake-indexeddb/auto";
import { readFileSync } from "node:fs";
import { openDB } from "idb";
import { describe, expect, test } from "vitest";
import { openIndexedDbStore, type StoreKey } from "../../src/index.ts";
import { bytes, freshName } from "./raw.ts";

type Json = string | number | Json[] | { [name: string]: Json };

/** Object stores by name, entries as pairs of key and value; bytes are `{ hex }`. */
type Fixture = Record<string, [Json, Json][]>;

const fixtures = JSON.parse(readFileSync(new URL("../fixtures/schema-v1.json", import.meta.url), "utf8")) as Record<
  string,
  Fixture
>;

async function keyOf(kind: string): Promise<StoreKey> {
  if (kind === "passphrase") return { kind, passphrase: "correct horse battery staple" };
  const raw = Uint8Array.from({ length: 32 }, (_, index) => index);
  return { kind: "application", key: await crypto.subtle.importKey("raw", raw, "HKDF", false, ["deriveKey"]) };
}

describe("schema version 1", () => {
  test.each(Object.keys(fixtures))("a store with a key of the kind %s", async (kind) => {
    const name = freshName();
    await restore(name, 1, fixtures[kind] ?? {});
    const store = await openIndexedDbStore({ name, key: await keyOf(kind) });
    expect([...(await store.partitions())].sort()).toEqual(["account", "group/\u{1f333}"]);
    const account = await store.read("account", [{ prefix: "" }]);
    expect(account.version).toBe(2);
    expect([...account.records]).toEqual([
      ["cursor", bytes("42")],
      ["empty", bytes("")],
      ["identity", bytes("identity key")],
    ]);
    expect([...(await store.read("group/\u{1f333}", [{ prefix: "tree/" }])).records]).toEqual([
      ["tree/0", bytes("leaf")],
    ]);
    await store.close();
  });
});

async function restore(name: string, version: number, fixture: Fixture): Promise<void> {
  const database = await openDB(name, version, {
    upgrade: (created) => {
      for (const objectStore of Object.keys(fixture)) created.createObjectStore(objectStore);
    },
  });
  for (const [objectStore, entries] of Object.entries(fixture)) {
    for (const [key, value] of entries) await database.put(objectStore, decode(value), decode(key) as IDBValidKey);
  }
  database.close();
}

function decode(value: Json): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object") return value;
  if (typeof value["hex"] === "string")
    return Uint8Array.from(value["hex"].match(/../g) ?? [], (byte) => parseInt(byte, 16));
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, decode(entry)]));
}
