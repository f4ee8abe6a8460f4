/** Tables of public keys: bounded in bytes, one for each key that is used often, and none for another key's bytes. */
import { createCurveKernel } from "@coppice/wasm/curve";
import { expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { KeyTables } from "../../src/crypto/key-tables.ts";

const TABLE = 18_432;
const kernel = createCurveKernel();

async function newKeys(count: number): Promise<readonly Bytes[]> {
  const { signature } = await getCipherSuite(1);
  return Promise.all(Array.from({ length: count }, async () => (await signature.generateKeyPair()).publicKey));
}

/** Whether the key has a table after as many uses. */
function useTimes(tables: KeyTables, key: Bytes, times: number): boolean {
  let last = false;
  for (let i = 0; i < times; i++) last = tables.use(key) !== undefined;
  return last;
}

test("a key has a table from its fourth use on", async () => {
  const tables = new KeyTables(kernel, { tableBytes: 10 * TABLE });
  const [key = new Uint8Array(32)] = await newKeys(1);
  expect(useTimes(tables, key, 3)).toBe(false);
  expect(tables.byteLength).toBe(0);
  expect(useTimes(tables, key, 1)).toBe(true);
  expect(tables.use(key)).toBe(tables.use(key));
  expect(tables.byteLength).toBe(TABLE);
});

test("tables take no more bytes than they may; the key that was not used for longest loses its own", async () => {
  const tables = new KeyTables(kernel, { tableBytes: 2 * TABLE + 1 });
  const [one, two, three] = await newKeys(3);
  if (one === undefined || two === undefined || three === undefined) throw new Error("three keys");
  const first = [one, two].map((key) => {
    useTimes(tables, key, 4);
    return tables.use(key);
  });
  tables.use(one);
  expect(useTimes(tables, three, 4)).toBe(true);
  expect(tables.byteLength).toBe(2 * TABLE);
  expect(tables.use(one)).toBe(first[0]);
  // It is a new key again; then its table takes the place of the one of `three`, which is now the oldest.
  expect(useTimes(tables, two, 3)).toBe(false);
  expect(useTimes(tables, two, 1)).toBe(true);
  expect(tables.use(one)).toBe(first[0]);
  expect(tables.use(three)).toBeUndefined();
  expect(tables.byteLength).toBe(2 * TABLE);
});

test("where none fits, none is made", async () => {
  const tables = new KeyTables(kernel, { tableBytes: TABLE - 1 });
  const [key = new Uint8Array(32)] = await newKeys(1);
  expect(useTimes(tables, key, 9)).toBe(false);
});

test("another key in the same buffer does not get the table, and is a new key", async () => {
  const tables = new KeyTables(kernel, { tableBytes: 10 * TABLE });
  const [key, other] = await newKeys(2);
  if (key === undefined || other === undefined) throw new Error("two keys");
  useTimes(tables, key, 4);
  key.set(other);
  expect(tables.use(key)).toBeUndefined();
  expect(useTimes(tables, key, 3)).toBe(true);
});

test("the same bytes in another array, of another member or group, are another key", async () => {
  const tables = new KeyTables(kernel, { tableBytes: 10 * TABLE });
  const [key = new Uint8Array(32)] = await newKeys(1);
  useTimes(tables, key, 4);
  expect(tables.use(new Uint8Array(key))).toBeUndefined();
});

test("bytes that are no point never have one", () => {
  const tables = new KeyTables(kernel, { tableBytes: 10 * TABLE });
  expect(useTimes(tables, Uint8Array.of(2, ...new Uint8Array(31)), 6)).toBe(false);
  expect(tables.byteLength).toBe(0);
});
