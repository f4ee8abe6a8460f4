/** The protocol between contexts as a model that can be explored. */
import type { Bug } from "./bugs.ts";
import { calls, faults, hears, leads } from "./contexts.ts";
import type { Model, Step } from "./explore.ts";
import { promises, violation } from "./invariants.ts";
import { initialState, type Scenario } from "./scenarios.ts";
import { serverSteps } from "./server.ts";
import { canonicalNames, type State } from "./state.ts";
import { turnSteps } from "./turn.ts";
import { requestLoss, workSteps } from "./work.ts";

/** With a bug that was planted, or as it is. */
export function protocol(scenario: Pick<Scenario, "budget" | "isInvited">, bug?: Bug): Model<State> {
  return {
    initial: initialState(scenario),
    steps: (state) => [...serverSteps(state), ...state.contexts.flatMap((_, who) => contextSteps(state, who, bug))],
    canonical: canonicalNames({ mayRepeat: bug === "version reset by forget" }),
    violation,
    promises,
  };
}

function contextSteps(state: State, who: number, bug: Bug | undefined): readonly Step<State>[] {
  const context = state.contexts[who];
  if (context === undefined) return [];
  const move = { state, who, context, bug };
  const happened = [...faults(move), ...requestLoss(move)];
  if (context.life !== "running") return happened;
  return [...happened, ...hears(move), ...leads(move), ...calls(move), ...turnSteps(move), ...workSteps(move)];
}
