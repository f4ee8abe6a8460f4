/** The conformance suite: what every implementation of `Store` must do, for any test runner. */
import type { Store } from "./contract.ts";
import { changeCases } from "./conformance/changes.ts";
import { contextCases } from "./conformance/contexts.ts";
import { lifecycleCases } from "./conformance/lifecycle.ts";
import { lockCases } from "./conformance/locks.ts";
import { nameCases } from "./conformance/names.ts";
import { rangeCases } from "./conformance/ranges.ts";
import type { StoreCase } from "./conformance/case.ts";
import { writeCases } from "./conformance/writes.ts";

/** A data set that starts empty and that nothing else uses. */
export interface ConformanceData {
  /** Opens another store object on the same data, as another context would. */
  open(): Promise<Store>;
  /** Called once at the end of a test, after its stores were closed. */
  destroy(): Promise<void>;
}

export interface StoreConformanceOptions {
  /** Registers a test: `test` of Vitest, Jest, Mocha or `node:test`. */
  readonly test: (title: string, run: () => Promise<void>) => void;
  readonly createData: () => Promise<ConformanceData>;
}

/**
 * Registers the suite's tests. Each works on data of its own; they may run in any order. A failed expectation throws.
 *
 * @example
 * storeConformance({
 *   test,
 *   createData: async () => {
 *     const database = createMemoryDatabase();
 *     return { open: async () => createMemoryStore(database), destroy: async () => {} };
 *   },
 * });
 */
export function storeConformance({ test, createData }: StoreConformanceOptions): void {
  for (const { title, run } of cases) {
    test(title, async () => {
      const data = await createData();
      const opened: Store[] = [];
      try {
        await run({
          open: async () => {
            const store = await data.open();
            opened.push(store);
            return store;
          },
        });
      } finally {
        await Promise.all(opened.map((store) => store.close()));
        await data.destroy();
      }
    });
  }
}

const cases: readonly StoreCase[] = [
  ...writeCases,
  ...rangeCases,
  ...changeCases,
  ...nameCases,
  ...contextCases,
  ...lockCases,
  ...lifecycleCases,
];
