/**
 * What every Delivery Service, and every store under the rules of delivery, must do: cases for any test runner. Those for
 * deliveries make their own users and groups, so one server can serve all of them.
 *
 * @example
 * ```ts
 * for (const { title, run } of deliveryConformance) test(title, () => run((identity) => connect(identity)));
 * for (const { title, run } of domainStoreConformance) test(title, () => run(() => openEmptyStore()));
 * ```
 */
import { callCases } from "./delivery/calls.ts";
import { commitCases } from "./delivery/commits.ts";
import { deviceLogCases } from "./delivery/device-log.ts";
import { eventCases } from "./delivery/events.ts";
import { externalCases } from "./delivery/external.ts";
import type { ConformanceCase } from "./delivery/harness.ts";
import { keyPackageCases } from "./delivery/key-packages.ts";
import { logCases } from "./delivery/log.ts";
import { messageCases } from "./delivery/messages.ts";
import { readerCases } from "./delivery/readers.ts";
import { signInCases } from "./delivery/sign-in.ts";
import { directoryCases } from "./store/directory.ts";
import { groupCases } from "./store/groups.ts";
import type { StoreCase } from "./store/harness.ts";
import { inboxCases } from "./store/inbox.ts";
import { transactionCases } from "./store/transactions.ts";

export type { Connect, ConformanceCase } from "./delivery/harness.ts";
export { createIdentity, newDevice, type TestIdentity, uniqueName } from "./identity.ts";
export type { OpenStore, StoreCase } from "./store/harness.ts";

/** All cases for deliveries. A case rejects with an `Error` that says what was wrong. */
export const deliveryConformance: readonly ConformanceCase[] = [
  ...signInCases,
  ...deviceLogCases,
  ...keyPackageCases,
  ...commitCases,
  ...readerCases,
  ...externalCases,
  ...messageCases,
  ...logCases,
  ...eventCases,
  ...callCases,
];

/** All cases for stores of the domain. */
export const domainStoreConformance: readonly StoreCase[] = [
  ...transactionCases,
  ...directoryCases,
  ...groupCases,
  ...inboxCases,
];
