/** What the parts of the model make steps with. */
import type { Step } from "./explore.ts";
import type { Bug } from "./bugs.ts";
import type { Budget, Context, Sealed, Commit, State, Witness } from "./state.ts";

/**
 * `own`: a context that runs does it without anybody's help. `network`: it needs the Delivery Service. `chance`: nobody can count
 * on it: faults, and what people decide.
 */
export type StepKind = "own" | "network" | "chance";

export interface Move {
  readonly state: State;
  /** Number of the context that moves. */
  readonly who: number;
  readonly context: Context;
  readonly bug: Bug | undefined;
}

const NAMES = ["A", "B", "C", "D"];

export function step(kind: StepKind, who: number | "peer" | "server", what: string, next: State): Step<State> {
  const name = typeof who === "number" ? (NAMES[who] ?? String(who)) : who;
  return { label: `${name} ${what}`, next, fair: [kind !== "chance", kind === "own"] };
}

/** The state in which this context is changed. */
export function withContext(state: State, who: number, change: Partial<Context>): State {
  return { ...state, contexts: state.contexts.map((context, i) => (i === who ? { ...context, ...change } : context)) };
}

/** The state in which all other contexts are changed. */
export function withOthers(state: State, who: number, change: (other: Context) => Context): State {
  return { ...state, contexts: state.contexts.map((context, i) => (i === who ? context : change(context))) };
}

export function withWitness(state: State, change: Partial<Witness>): State {
  return { ...state, witness: { ...state.witness, ...change } };
}

export function spend(state: State, what: keyof Budget): State {
  return { ...state, budget: { ...state.budget, [what]: state.budget[what] - 1 } };
}

/** A write of the conversation's partition. */
export function withStored(state: State, change: Partial<State["store"]> & { readonly version: number }): State {
  const isNew = change.version > state.witness.highest && state.witness.highest !== -1;
  const written = { ...state, store: { ...state.store, ...change } };
  return withWitness(written, { highest: isNew ? change.version : -1 });
}

/** What goes onto the wire is seen by everybody there, whether it arrives or not. */
export function onWire(state: State, messages: readonly Sealed[], commits: readonly Commit[]): State {
  const seen = [
    ...messages.map(
      ({ epoch, generation, id, resent }) => `message ${epoch}/${generation}: ${id}${resent ? " again" : ""}`,
    ),
    ...commits.map(({ epoch, generation, call }) => `commit ${epoch}/${generation}: ${call}`),
  ].filter((text) => !state.witness.wire.includes(text));
  return seen.length === 0 ? state : withWitness(state, { wire: [...state.witness.wire, ...seen].sort() });
}

/** Other contexts that live are told that something was written; it means nothing to one that knows it already. */
export const announced = (state: State, who: number): State =>
  withOthers(state, who, (other) =>
    other.life === "dead" || other.known?.version === state.store.version ? other : { ...other, isTold: true },
  );
