/**
 * Breadth-first exploration of all states of a model, by its canonical states: the first violation found has the shortest trace.
 * Knows nothing of what is modelled.
 */

/** One step that may be taken in a state. */
export interface Step<S> {
  /** Who does what, for a person. */
  readonly label: string;
  readonly next: S;
  /** The promises (by index) that count on this step: one that somebody who runs takes sooner or later. */
  readonly fair: readonly boolean[];
}

/** From every state, fair steps lead to one in which it is kept. */
export interface Promised<S> {
  readonly name: string;
  readonly isKept: (state: S) => boolean;
}

export interface Model<S> {
  readonly initial: S;
  readonly steps: (state: S) => readonly Step<S>[];
  /** Equal for states that differ in nothing that matters, such as which of several equal parts is which. */
  readonly canonical: (state: S) => string;
  /** What is wrong with a state; undefined if nothing is. */
  readonly violation: (state: S) => string | undefined;
  readonly promises: readonly Promised<S>[];
}

export interface Bounds {
  readonly states: number;
  readonly seconds: number;
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** Steps to the farthest state. */
  readonly depth: number;
  /** Whether there is nothing beyond what was explored; with a violation, the rest is not looked at. */
  readonly isComplete: boolean;
  readonly violation: Violation | undefined;
}

export interface Violation {
  readonly what: string;
  /** Labels of the steps that lead there, the shortest way. */
  readonly trace: readonly string[];
}

/** States between two looks at the clock. */
const LOOK = 1024;

export function explore<S>(model: Model<S>, bounds: Bounds): Exploration {
  const end = performance.now() + bounds.seconds * 1000;
  const ids = new Map<string, number>([[model.canonical(model.initial), 0]]);
  const parents = [-1];
  const fairSteps = model.promises.map((): Edges => ({ from: [], to: [] }));
  const kept = model.promises.map(({ isKept }) => [isKept(model.initial)]);
  let transitions = 0;
  let depth = 0;
  const result = (isComplete: boolean, what?: string, at?: number): Exploration => ({
    ...{ states: ids.size, transitions, depth, isComplete },
    violation:
      what === undefined || at === undefined
        ? undefined
        : { what, trace: traceTo(model, [...ids.keys()], parents, at) },
  });

  const first = model.violation(model.initial);
  if (first !== undefined) return result(false, first, 0);
  let level: S[] = [model.initial];
  let id = 0;
  while (level.length > 0) {
    const following: S[] = [];
    for (const state of level) {
      for (const { next, fair } of model.steps(state)) {
        transitions++;
        const key = model.canonical(next);
        let reached = ids.get(key);
        if (reached === undefined) {
          reached = ids.size;
          ids.set(key, reached);
          parents.push(id);
          const what = model.violation(next);
          if (what !== undefined) return result(false, what, reached);
          model.promises.forEach(({ isKept }, i) => kept[i]?.push(isKept(next)));
          following.push(next);
        }
        for (const [i, edges] of fairSteps.entries()) {
          if (fair[i] !== true) continue;
          edges.from.push(id);
          edges.to.push(reached);
        }
      }
      id++;
      if (ids.size > bounds.states || (id % LOOK === 0 && performance.now() > end)) return result(false);
    }
    if (following.length > 0) depth++;
    level = following;
  }
  for (const [i, { name }] of model.promises.entries()) {
    const stuck = firstStuck(kept[i] ?? [], fairSteps[i] ?? { from: [], to: [] });
    if (stuck !== undefined) return result(true, name, stuck);
  }
  return result(true);
}

/** Steps by the numbers of the states that they lead from and to. */
interface Edges {
  readonly from: number[];
  readonly to: number[];
}

/** The first state from which no way leads to one that is kept: looked for backwards, from those that are. */
function firstStuck(kept: readonly boolean[], { from, to }: Edges): number | undefined {
  // The steps that lead to a state stand together: `start[state]` to `start[state + 1]`.
  const start = new Uint32Array(kept.length + 1);
  for (const state of to) start[state + 1] = (start[state + 1] ?? 0) + 1;
  for (let state = 0; state < kept.length; state++) start[state + 1] = (start[state + 1] ?? 0) + (start[state] ?? 0);
  const filled = start.slice();
  const sources = new Uint32Array(from.length);
  for (const [i, state] of to.entries()) {
    const at = filled[state] ?? 0;
    sources[at] = from[i] ?? 0;
    filled[state] = at + 1;
  }
  const canReach = Uint8Array.from(kept, Number);
  const queue = [...canReach.keys()].filter((state) => canReach[state] === 1);
  for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
    for (const source of sources.subarray(start[state], start[state + 1])) {
      if (canReach[source] === 1) continue;
      canReach[source] = 1;
      queue.push(source);
    }
  }
  const stuck = canReach.indexOf(0);
  return stuck === -1 ? undefined : stuck;
}

/** The way there, taken once more: canonical states do not tell who is who. */
function traceTo<S>(
  model: Model<S>,
  keys: readonly string[],
  parents: readonly number[],
  at: number,
): readonly string[] {
  const path: number[] = [];
  for (let id = at; id > 0; id = parents[id] ?? 0) path.unshift(id);
  let state = model.initial;
  return path.map((id) => {
    const step = model.steps(state).find(({ next }) => model.canonical(next) === keys[id]);
    if (step === undefined) throw new RangeError("Canonical states with the same key have the same steps");
    state = step.next;
    return step.label;
  });
}
