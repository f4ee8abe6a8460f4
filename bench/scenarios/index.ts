/** All scenarios, in the order in which they run. */
import type { Scenario } from "../src/scenario.ts";
import { aeadScenarios } from "./aead.ts";
import { hashScenarios } from "./hash.ts";
import { messageScenarios } from "./messages.ts";

export const SCENARIOS: readonly Scenario[] = [...hashScenarios, ...aeadScenarios, ...messageScenarios];
