/** What waits and ends, on a platform that lacks what Safari 17.0 lacks, for example `AbortSignal.any`. */
import "fake-indexeddb/auto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storeConformance } from "../src/conformance.ts";
import { createMemoryDatabase, createMemoryStore, deleteIndexedDbStore, openIndexedDbStore } from "../src/index.ts";

const missing: readonly (readonly [object: object, name: string])[] = [
  [AbortSignal, "any"],
  [Promise, "withResolvers"],
  [Promise, "try"],
  [Array, "fromAsync"],
  [Map, "groupBy"],
  [Set.prototype, "union"],
];
const removed = missing.map(([object, name]) => Object.getOwnPropertyDescriptor(object, name));

beforeAll(() => {
  for (const [object, name] of missing) Reflect.deleteProperty(object, name);
  expect("any" in AbortSignal).toBe(false);
});

afterAll(() => {
  missing.forEach(([object, name], index) => {
    const descriptor = removed[index];
    if (descriptor !== undefined) Object.defineProperty(object, name, descriptor);
  });
});

describe("memory store", () => {
  storeConformance({
    test: onlyWaiting,
    createData: async () => {
      const database = createMemoryDatabase();
      return { open: async () => createMemoryStore(database), destroy: async () => undefined };
    },
  });
});

describe("IndexedDB store", () => {
  storeConformance({
    test: onlyWaiting,
    createData: async () => {
      const name = freshDatabase();
      return { open: () => openIndexedDbStore({ name }), destroy: () => deleteIndexedDbStore(name) };
    },
  });
});

/** The suite's tests in which signals end something. */
function onlyWaiting(title: string, run: () => Promise<void>): void {
  if (/^(exclusive|close|abort):/.test(title)) test(title, run);
}

function freshDatabase(): string {
  return `old-platform-${crypto.randomUUID()}`;
}
