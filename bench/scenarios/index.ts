/** All scenarios, in the order in which they run. */
import type { Scenario } from "../src/scenario.ts";
import { aeadScenarios } from "./aead.ts";
import { hashScenarios } from "./hash.ts";
import { kernelTreeScenarios } from "./kernel-tree.ts";
import { messageScenarios } from "./messages.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...hashScenarios,
  ...kernelTreeScenarios,
  ...aeadScenarios,
  ...messageScenarios,
];
