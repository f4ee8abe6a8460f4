import "fake-indexeddb/auto";
import { describe, expect, test, vi } from "vitest";
import { openIndexedDbStore, type StoreKey } from "../../src/index.ts";
import { bytes, dump, freshName, only, withRaw } from "./raw.ts";

const RECORDS = [{ partition: "p", expectedVersion: 0, put: new Map([["a", bytes("value")]]) }];

function applicationKey(byte: number): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", new Uint8Array(32).fill(byte), "HKDF", false, ["deriveKey"]);
}

async function keyOf(kind: StoreKey["kind"], variant = 1): Promise<StoreKey> {
  if (kind === "passphrase") return { kind, passphrase: `correct horse ${variant}` };
  if (kind === "application") return { kind, key: await applicationKey(variant) };
  return { kind };
}

async function readBack(name: string, key: StoreKey): Promise<string> {
  const store = await openIndexedDbStore({ name, key });
  const { records } = await store.read("p", [{ prefix: "" }]);
  await store.close();
  return new TextDecoder().decode(records.get("a"));
}

describe.each(["device", "passphrase", "application"] as const)("%s key", (kind) => {
  test("opens what it created, and no other kind of key does", async () => {
    const name = freshName();
    const key = await keyOf(kind);
    const store = await openIndexedDbStore({ name, key });
    await store.write(RECORDS);
    await store.close();
    const before = await Promise.all(["meta", "partitions", "records"].map((objectStore) => dump(name, objectStore)));
    for (const other of (["device", "passphrase", "application"] as const).filter((candidate) => candidate !== kind)) {
      await expect(openIndexedDbStore({ name, key: await keyOf(other) })).rejects.toMatchObject({
        code: "ERR_STORE_WRONG_KEY",
        detail: { expected: kind, actual: other },
      });
    }
    if (kind !== "device") {
      await expect(openIndexedDbStore({ name, key: await keyOf(kind, 2) })).rejects.toMatchObject({
        code: "ERR_STORE_WRONG_KEY",
      });
    }
    const after = await Promise.all(["meta", "partitions", "records"].map((objectStore) => dump(name, objectStore)));
    expect(after).toEqual(before);
    expect(await readBack(name, key)).toBe("value");
  });

  test("several contexts that create the store at once agree on one key", async () => {
    const name = freshName();
    const key = await keyOf(kind);
    const stores = await Promise.all(Array.from({ length: 3 }, () => openIndexedDbStore({ name, key })));
    await stores[0]?.write(RECORDS);
    for (const store of stores) {
      expect((await store.read("p", [{ prefix: "a" }])).records.get("a")).toEqual(bytes("value"));
    }
    await Promise.all(stores.map((store) => store.close()));
    expect(await readBack(name, key)).toBe("value");
  });
});

describe("device key", () => {
  test("is the default, and cannot be extracted", async () => {
    const name = freshName();
    await (await openIndexedDbStore({ name })).close();
    const { value } = only(await dump(name, "meta"));
    const { key } = (value as { source: { key: CryptoKey } }).source;
    expect(key.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("raw", key)).rejects.toThrow();
  });

  test("that the browser no longer gives out is a wrong key, not a new store", async () => {
    const name = freshName();
    const store = await openIndexedDbStore({ name });
    await store.write(RECORDS);
    await store.close();
    const { key, value } = only(await dump(name, "meta"));
    await withRaw(name, (database) =>
      database.put("meta", { ...(value as object), source: { kind: "device", key: null } }, key),
    );
    await expect(openIndexedDbStore({ name })).rejects.toMatchObject({ code: "ERR_STORE_WRONG_KEY" });
    await withRaw(name, (database) => database.put("meta", value, key));
    expect(await readBack(name, { kind: "device" })).toBe("value");
  });
});

describe("passphrase", () => {
  test("is stretched by 600,000 iterations with a salt of the store's own", async () => {
    const derive = vi.spyOn(crypto.subtle, "deriveBits");
    const names = [freshName(), freshName()];
    for (const name of names) {
      await (await openIndexedDbStore({ name, key: { kind: "passphrase", passphrase: "p" } })).close();
    }
    const parameters = derive.mock.calls.map(([algorithm]) => algorithm as Pbkdf2Params);
    derive.mockRestore();
    expect(parameters.map(({ name, hash, iterations }) => [name, hash, iterations])).toEqual([
      ["PBKDF2", "SHA-256", 600_000],
      ["PBKDF2", "SHA-256", 600_000],
    ]);
    expect(parameters[0]?.salt).not.toEqual(parameters[1]?.salt);
  });

  test("is the same in composed and decomposed Unicode", async () => {
    const name = freshName();
    await (await openIndexedDbStore({ name, key: { kind: "passphrase", passphrase: "caf\u00e9" } })).close();
    await (await openIndexedDbStore({ name, key: { kind: "passphrase", passphrase: "cafe\u0301" } })).close();
  });
});

describe("a damaged key record", () => {
  test.each([
    ["no object", () => "text"],
    ["no store id", (meta: object) => ({ ...meta, storeId: undefined })],
    ["a short store id", (meta: object) => ({ ...meta, storeId: new Uint8Array(31) })],
    ["no key check", (meta: object) => ({ ...meta, keyCheck: null })],
    ["no source", (meta: object) => ({ ...meta, source: undefined })],
    ["an unknown source", (meta: object) => ({ ...meta, source: { kind: "other" } })],
    ["a passphrase without salt", (meta: object) => ({ ...meta, source: { kind: "passphrase" } })],
  ])("is ERR_STORE_CORRUPT: %s", async (_what, damage) => {
    const name = freshName();
    await (await openIndexedDbStore({ name })).close();
    const { key, value } = only(await dump(name, "meta"));
    await withRaw(name, (database) => database.put("meta", damage(value as object), key));
    await expect(openIndexedDbStore({ name })).rejects.toMatchObject({ code: "ERR_STORE_CORRUPT" });
  });

  test("is never replaced while there are data", async () => {
    const name = freshName();
    const store = await openIndexedDbStore({ name });
    await store.write(RECORDS);
    await store.close();
    const { key, value } = only(await dump(name, "meta"));
    await withRaw(name, (database) => database.delete("meta", key));
    await expect(openIndexedDbStore({ name })).rejects.toMatchObject({ code: "ERR_STORE_CORRUPT" });
    expect(await dump(name, "meta")).toEqual([]);
    await withRaw(name, (database) => database.put("meta", value, key));
    expect(await readBack(name, { kind: "device" })).toBe("value");
  });

  test("with another key check is a wrong key", async () => {
    const name = freshName();
    await (await openIndexedDbStore({ name })).close();
    const { key, value } = only(await dump(name, "meta"));
    await withRaw(name, (database) =>
      database.put("meta", { ...(value as object), keyCheck: new Uint8Array(32) }, key),
    );
    await expect(openIndexedDbStore({ name })).rejects.toMatchObject({ code: "ERR_STORE_WRONG_KEY" });
  });
});

describe("options that make no sense", () => {
  test("are TypeErrors, before anything is created", async () => {
    const name = freshName();
    const aes = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    const bits = await crypto.subtle.importKey("raw", new Uint8Array(32), "HKDF", false, ["deriveBits"]);
    const keys: unknown[] = [
      { kind: "passphrase", passphrase: "" },
      { kind: "passphrase" },
      { kind: "application", key: aes },
      { kind: "application", key: bits },
      { kind: "application", key: new Uint8Array(32) },
      { kind: "other" },
    ];
    for (const key of keys) await expect(openIndexedDbStore({ name, key: key as StoreKey })).rejects.toThrow(TypeError);
    await expect(openIndexedDbStore({ name: "" })).rejects.toThrow(TypeError);
    expect((await indexedDB.databases()).map((database) => database.name)).not.toContain(name);
  });
});
