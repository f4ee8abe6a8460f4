import { describe, test } from "vitest";
import { storeConformance } from "../../src/conformance.ts";
import { createMemoryDatabase, createMemoryStore, deleteIndexedDbStore, openIndexedDbStore } from "../../src/index.ts";

describe("IndexedDB store", () => {
  storeConformance({
    test,
    createData: async () => {
      const name = `conformance-${crypto.randomUUID()}`;
      return { open: () => openIndexedDbStore({ name }), destroy: () => deleteIndexedDbStore(name) };
    },
  });
});

describe("memory store", () => {
  storeConformance({
    test,
    createData: async () => {
      const database = createMemoryDatabase();
      return { open: async () => createMemoryStore(database), destroy: async () => undefined };
    },
  });
});
