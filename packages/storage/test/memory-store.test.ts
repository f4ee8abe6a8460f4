import { describe, expect, test } from "vitest";
import { createMemoryDatabase, createMemoryStore, oneRecord, type MemoryDatabase } from "../src/index.ts";
import { storeConformance } from "../src/conformance.ts";

describe("memory store", () => {
  storeConformance({
    test,
    createData: async () => {
      const database = createMemoryDatabase();
      return { open: async () => createMemoryStore(database), destroy: async () => undefined };
    },
  });

  test("stores without a shared database share nothing", async () => {
    const [a, b] = [createMemoryStore(), createMemoryStore()];
    await a.write([{ partition: "p", expectedVersion: 0 }]);
    expect((await b.partitions()).names).toEqual([]);
  });

  test("only databases of createMemoryDatabase are accepted", () => {
    const forged: unknown = { kind: "coppice-memory-database" };
    expect(() => createMemoryStore(forged as MemoryDatabase)).toThrow(TypeError);
  });

  test("two contexts take 10,000 generations, each once (adversarial 36)", async () => {
    const database = createMemoryDatabase();
    const taken = new Set<number>();
    const context = async (): Promise<void> => {
      const store = createMemoryStore(database);
      for (let count = 0; count < 5_000; count++) {
        await store.exclusive("ratchet", async () => {
          const { version, records } = await store.read("ratchet", [oneRecord("generation")]);
          const bytes = records.get("generation") ?? new Uint8Array(4);
          const generation = new DataView(bytes.buffer).getUint32(0);
          new DataView(bytes.buffer).setUint32(0, generation + 1);
          await store.write([
            { partition: "ratchet", expectedVersion: version, put: new Map([["generation", bytes]]) },
          ]);
          taken.add(generation);
        });
      }
    };
    await Promise.all([context(), context()]);
    expect(taken.size).toBe(10_000);
    expect(Math.max(...taken)).toBe(9_999);
  });
});
