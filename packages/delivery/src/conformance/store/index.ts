/**
 * What every store under the rules of delivery must do, as cases for any test runner. Each opens its own store.
 *
 * @example
 * ```ts
 * for (const { title, run } of domainStoreConformance) test(title, () => run(() => openMyStore()));
 * ```
 */
import { directoryCases } from "./directory.ts";
import { groupCases } from "./groups.ts";
import type { StoreCase } from "./harness.ts";
import { inboxCases } from "./inbox.ts";
import { transactionCases } from "./transactions.ts";

export type { OpenStore, StoreCase } from "./harness.ts";

/** All cases. A case rejects with an `Error` that says what was wrong. */
export const domainStoreConformance: readonly StoreCase[] = [
  ...transactionCases,
  ...directoryCases,
  ...groupCases,
  ...inboxCases,
];
