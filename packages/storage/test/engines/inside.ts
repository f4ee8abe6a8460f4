/** What runs inside an engine: the conformance suite of the stores that the engine can have. */
import { type ConformanceData, storeConformance } from "../../src/conformance.ts";
import { createMemoryDatabase, createMemoryStore, deleteIndexedDbStore, openIndexedDbStore } from "../../src/index.ts";

interface StoreTest {
  readonly title: string;
  readonly run: () => Promise<void>;
}

const tests: StoreTest[] = [];
let next = 0;
let passed = 0;
const failures: string[] = [];

function createMemoryData(): Promise<ConformanceData> {
  const database = createMemoryDatabase();
  return Promise.resolve({
    open: () => Promise.resolve(createMemoryStore(database)),
    destroy: () => Promise.resolve(),
  });
}

function createIndexedDbData(): Promise<ConformanceData> {
  const name = `conformance-${crypto.randomUUID()}`;
  return Promise.resolve({ open: () => openIndexedDbStore({ name }), destroy: () => deleteIndexedDbStore(name) });
}

export function start(): Promise<void> {
  const register = (store: string, createData: () => Promise<ConformanceData>): void => {
    const test = (title: string, run: () => Promise<void>): void => {
      tests.push({ title: `${store}: ${title}`, run });
    };
    storeConformance({ test, createData });
  };
  register("memory", createMemoryData);
  // Node has none.
  if (typeof indexedDB !== "undefined") register("IndexedDB", createIndexedDbData);
  return Promise.resolve();
}

/** Runs tests for about so many milliseconds, but at least one. */
export async function proceed(
  milliseconds: number,
): Promise<{ readonly passed: number; readonly failures: readonly string[]; readonly left: number }> {
  for (const deadline = performance.now() + milliseconds; next < tests.length;) {
    const current = tests[next++];
    try {
      await current?.run();
      passed++;
    } catch (error) {
      failures.push(`${current?.title ?? ""}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (performance.now() >= deadline) break;
  }
  return { passed, failures, left: tests.length - next };
}
