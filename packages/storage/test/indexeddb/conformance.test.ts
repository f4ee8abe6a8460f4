import "fake-indexeddb/auto";
import { describe, test } from "vitest";
import { storeConformance } from "../../src/conformance.ts";
import { deleteIndexedDbStore, openIndexedDbStore } from "../../src/index.ts";

describe("IndexedDB store", () => {
  storeConformance({
    test,
    createData: async () => {
      const name = `conformance-${crypto.randomUUID()}`;
      return { open: () => openIndexedDbStore({ name }), destroy: () => deleteIndexedDbStore(name) };
    },
  });
});
