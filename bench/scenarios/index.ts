/** All scenarios, in the order in which they run. */
import type { Scenario } from "../src/scenario.ts";
import { aeadScenarios } from "./aead.ts";
import { commitScenarios } from "./commits.ts";
import { hashScenarios } from "./hash.ts";
import { joinScenarios } from "./joins.ts";
import { kernelTreeScenarios } from "./kernel-tree.ts";
import { messageScenarios } from "./messages.ts";
import { ownWorkScenarios } from "./own-work.ts";
import { partialScenarios } from "./partial.ts";
import { publicKeyScenarios } from "./public-keys.ts";
import { stateScenarios } from "./states.ts";
import { storedScenarios } from "./stored.ts";
import { suiteScenarios } from "./suites.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...hashScenarios,
  ...kernelTreeScenarios,
  ...aeadScenarios,
  ...publicKeyScenarios,
  ...messageScenarios,
  ...ownWorkScenarios,
  ...joinScenarios,
  ...commitScenarios,
  ...stateScenarios,
  ...storedScenarios,
  ...suiteScenarios,
  ...partialScenarios,
];
