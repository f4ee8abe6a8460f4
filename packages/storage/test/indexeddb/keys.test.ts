import "fake-indexeddb/auto";
import { describe, expect, test, vi } from "vitest";
import { changeStoreKey, keyFromPrf, openIndexedDbStore, type StoreKey } from "../../src/index.ts";
import { argon2id } from "../../src/indexeddb/argon2.ts";
import { bytes, dump, freshName, only, withRaw } from "./raw.ts";

/** At a cost that tests can pay; the cost that stands in the store is the real one. */
vi.mock("../../src/indexeddb/argon2.ts", async (importOriginal) => {
  const { argon2id: real } = await importOriginal<typeof import("../../src/indexeddb/argon2.ts")>();
  const stretch: typeof real = (passphrase, salt, cost) => real(passphrase, salt, { ...cost, memory: 64 });
  return { argon2id: stretch };
});

const RECORDS = [{ partition: "p", expectedVersion: 0, put: new Map([["a", bytes("value")]]) }];

const SALT = new Uint8Array(32);

interface PassphraseSource {
  readonly salt: Uint8Array;
  readonly cost: unknown;
}

const sourceIn = (meta: unknown): PassphraseSource => (meta as { source: PassphraseSource }).source;

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
  test("is stretched by Argon2id with a salt of the store's own, and the cost stands in the store", async () => {
    const sources: PassphraseSource[] = [];
    for (let store = 0; store < 2; store++) {
      const name = freshName();
      await (await openIndexedDbStore({ name, key: { kind: "passphrase", passphrase: "p" } })).close();
      sources.push(sourceIn(only(await dump(name, "meta")).value));
    }
    for (const { cost } of sources) expect(cost).toEqual({ memory: 47_104, passes: 1, lanes: 1 });
    expect(sources[0]?.salt).toHaveLength(32);
    expect(sources[0]?.salt).not.toEqual(sources[1]?.salt);
  });

  test("that was stretched at another cost is stretched anew when it is opened, and the data stay as they are", async () => {
    const name = freshName();
    const key = { kind: "passphrase", passphrase: "p" } as const;
    const cheap = { memory: 64, passes: 2, lanes: 2 };
    const salt = new Uint8Array(32).fill(7);
    const root = await argon2id(bytes("p"), salt, cheap);
    const store = await openIndexedDbStore({
      name,
      key: { kind: "application", key: await crypto.subtle.importKey("raw", root, "HKDF", false, ["deriveKey"]) },
    });
    await store.write(RECORDS);
    await store.close();
    const { key: at, value } = only(await dump(name, "meta"));
    const older = { ...(value as object), source: { kind: "passphrase", salt, cost: cheap } };
    await withRaw(name, (database) => database.put("meta", older, at));
    const records = await dump(name, "records");
    expect(await readBack(name, key)).toBe("value");
    const upgraded = sourceIn(only(await dump(name, "meta")).value);
    expect(upgraded.cost).toEqual({ memory: 47_104, passes: 1, lanes: 1 });
    expect(upgraded.salt).not.toEqual(salt);
    expect(await readBack(name, key)).toBe("value");
    expect(await dump(name, "records")).toEqual(records);
  });

  test("is the same in composed and decomposed Unicode", async () => {
    const name = freshName();
    await (await openIndexedDbStore({ name, key: { kind: "passphrase", passphrase: "caf\u00e9" } })).close();
    await (await openIndexedDbStore({ name, key: { kind: "passphrase", passphrase: "cafe\u0301" } })).close();
  });
});

describe("changing the key", () => {
  test("from any kind to any other rewrites no data, and only the new key opens the store", async () => {
    const name = freshName();
    const keys = [
      await keyOf("device"),
      await keyOf("application"),
      await keyOf("application", 2),
      await keyOf("passphrase"),
      await keyOf("device"),
    ];
    const store = await openIndexedDbStore({ name });
    await store.write(RECORDS);
    const before = await Promise.all(
      ["partitions", "records", "journal"].map((objectStore) => dump(name, objectStore)),
    );
    for (const [index, to] of keys.slice(1).entries()) {
      const from = keys[index] ?? to;
      await changeStoreKey({ name, from, to });
      expect(await readBack(name, to)).toBe("value");
      await expect(openIndexedDbStore({ name, key: from })).rejects.toMatchObject({ code: "ERR_STORE_WRONG_KEY" });
      await expect(changeStoreKey({ name, from, to })).rejects.toMatchObject({ code: "ERR_STORE_WRONG_KEY" });
    }
    const after = await Promise.all(["partitions", "records", "journal"].map((objectStore) => dump(name, objectStore)));
    expect(after).toEqual(before);
    // Who had it open goes on.
    expect((await store.read("p", [{ prefix: "a" }])).records.get("a")).toEqual(bytes("value"));
    await store.write([{ partition: "p", expectedVersion: 1, put: new Map([["a", bytes("later")]]) }]);
    await store.close();
    expect(await readBack(name, await keyOf("device"))).toBe("later");
  });

  test("of two contexts at once changes it once", async () => {
    const name = freshName();
    await (await openIndexedDbStore({ name })).close();
    const [first, second] = [await keyOf("application"), await keyOf("application", 2)];
    const changes = await Promise.allSettled([
      changeStoreKey({ name, from: { kind: "device" }, to: first }),
      changeStoreKey({ name, from: { kind: "device" }, to: second }),
    ]);
    const done = changes.map(({ status }) => status === "fulfilled");
    expect(done.filter(Boolean)).toHaveLength(1);
    await (await openIndexedDbStore({ name, key: done[0] === true ? first : second })).close();
    await expect(openIndexedDbStore({ name, key: done[0] === true ? second : first })).rejects.toMatchObject({
      code: "ERR_STORE_WRONG_KEY",
    });
  });

  test("needs keys that can be used", async () => {
    const name = freshName();
    const unusable = { kind: "passphrase", passphrase: "" } as const;
    await expect(changeStoreKey({ name, from: { kind: "device" }, to: unusable })).rejects.toThrow(TypeError);
    await expect(changeStoreKey({ name, from: unusable, to: { kind: "device" } })).rejects.toThrow(TypeError);
    expect((await indexedDB.databases()).map((database) => database.name)).not.toContain(name);
  });
});

describe("the output of WebAuthn's PRF extension", () => {
  test("is a key, whether it is a buffer or a view, and is overwritten", async () => {
    const output = new Uint8Array(40).fill(9);
    const name = freshName();
    const store = await openIndexedDbStore({ name, key: await keyFromPrf(output.slice(4, 36).buffer) });
    await store.write(RECORDS);
    await store.close();
    const view = output.subarray(4, 36);
    expect(await readBack(name, await keyFromPrf(view))).toBe("value");
    expect([...output]).toEqual([
      ...new Array<number>(4).fill(9),
      ...new Array<number>(32).fill(0),
      ...new Array<number>(4).fill(9),
    ]);
    await expect(keyFromPrf(new Uint8Array(31))).rejects.toThrow(RangeError);
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
    ["a passphrase without cost", (meta: object) => ({ ...meta, source: { kind: "passphrase", salt: SALT } })],
    ["no keys of the data, of another length", (meta: object) => ({ ...meta, wrapped: new Uint8Array(91) })],
  ])("is ERR_STORE_CORRUPT: %s", async (_what, damage) => {
    const name = freshName();
    await (await openIndexedDbStore({ name })).close();
    const { key, value } = only(await dump(name, "meta"));
    await withRaw(name, (database) => database.put("meta", damage(value as object), key));
    await expect(openIndexedDbStore({ name })).rejects.toMatchObject({ code: "ERR_STORE_CORRUPT" });
    await expect(openIndexedDbStore({ name, key: { kind: "passphrase", passphrase: "p" } })).rejects.toMatchObject({
      code: "ERR_STORE_CORRUPT",
    });
  });

  test.each([
    { memory: 4 * 1024 * 1024, passes: 1, lanes: 1 },
    { memory: Number.POSITIVE_INFINITY, passes: 1, lanes: 1 },
    { memory: 47_104, passes: 1e9, lanes: 1 },
    { memory: 47_104, passes: 1, lanes: 1e6 },
    { memory: 8, passes: 1, lanes: 2 },
    { memory: 47_104.5, passes: 1, lanes: 1 },
    { memory: "47104", passes: 1, lanes: 1 },
    { memory: 0, passes: 0, lanes: 0 },
  ])("that asks for too much is ERR_STORE_CORRUPT before anything is computed: %o", async (cost) => {
    const name = freshName();
    await (await openIndexedDbStore({ name })).close();
    const { key, value } = only(await dump(name, "meta"));
    const asking = { ...(value as object), source: { kind: "passphrase", salt: SALT, cost } };
    await withRaw(name, (database) => database.put("meta", asking, key));
    const opening = openIndexedDbStore({ name, key: { kind: "passphrase", passphrase: "p" } });
    await expect(opening).rejects.toMatchObject({ code: "ERR_STORE_CORRUPT" });
  });

  test.each(["wrapped", "storeId", "keyCheck"])("with one bit of %s changed opens nothing", async (field) => {
    const name = freshName();
    const key = await keyOf("application");
    await (await openIndexedDbStore({ name, key })).close();
    const { key: at, value } = only(await dump(name, "meta"));
    const flipped = new Uint8Array((value as Record<string, Uint8Array>)[field] ?? []);
    flipped[20] = (flipped[20] ?? 0) ^ 1;
    await withRaw(name, (database) => database.put("meta", { ...(value as object), [field]: flipped }, at));
    await expect(openIndexedDbStore({ name, key })).rejects.toMatchObject({ code: "ERR_STORE_WRONG_KEY" });
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
