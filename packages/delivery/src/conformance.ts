/**
 * What every Delivery Service must do, as cases for any test runner. Each makes its own users and groups, so one server
 * can serve all of them.
 *
 * @example
 * ```ts
 * for (const { title, run } of deliveryConformance) test(title, () => run((identity) => connect(identity)));
 * ```
 */
import { commitCases } from "./conformance/commits.ts";
import { eventCases } from "./conformance/events.ts";
import type { ConformanceCase } from "./conformance/harness.ts";
import { keyPackageCases } from "./conformance/key-packages.ts";
import { messageCases } from "./conformance/messages.ts";
import { signInCases } from "./conformance/sign-in.ts";

export { createIdentity, type Connect, type ConformanceCase } from "./conformance/harness.ts";

/** All cases. A case rejects with an `Error` that says what was wrong. */
export const deliveryConformance: readonly ConformanceCase[] = [
  ...signInCases,
  ...keyPackageCases,
  ...commitCases,
  ...messageCases,
  ...eventCases,
];
