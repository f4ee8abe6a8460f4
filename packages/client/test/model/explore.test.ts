/** The explorer of `npm run model`, on models of a few states. */
import { expect, test } from "vitest";
import { explore, type Model } from "../../model/explore.ts";

const BOUNDS = { states: 1000, seconds: 10 };

/** Two counters that count to `end`, each by itself; which is which does not matter. */
function counters(end: number, changes: Partial<Model<readonly number[]>> = {}): Model<readonly number[]> {
  return {
    initial: [0, 0],
    steps: (state) =>
      state.flatMap((count, i) =>
        count === end
          ? []
          : [
              {
                label: `${String(i)} counts`,
                next: state.map((other, j) => (i === j ? other + 1 : other)),
                fair: [true],
              },
            ],
      ),
    canonical: (state) => [...state].sort().join(),
    violation: () => undefined,
    promises: [],
    ...changes,
  };
}

test("every state is seen once, equal ones as one", () => {
  expect(explore(counters(3), BOUNDS)).toEqual({
    ...{ states: 10, transitions: 15, depth: 6, isComplete: true },
    violation: undefined,
  });
});

test("a violation comes with the shortest trace, by which everyone stays who they are", () => {
  const violation = ([a = 0, b = 0]: readonly number[]): string | undefined =>
    a + b === 3 && a * b > 0 ? "seen" : undefined;
  const { violation: found } = explore(counters(3, { violation }), BOUNDS);
  expect(found?.what).toBe("seen");
  expect(found?.trace).toHaveLength(3);
  expect(new Set(found?.trace)).toEqual(new Set(["0 counts", "1 counts"]));
});

test("a violation at the beginning needs no step", () => {
  expect(explore(counters(1, { violation: () => "always" }), BOUNDS).violation).toEqual({ what: "always", trace: [] });
});

test("a promise is broken where no fair step leads on", () => {
  const isKept = (state: readonly number[]): boolean => state.every((count) => count === 2);
  const promises = [{ name: "both are done", isKept }];
  expect(explore(counters(2, { promises }), BOUNDS).violation).toBeUndefined();
  const { steps } = counters(2);
  const unfair: Model<readonly number[]>["steps"] = (state) =>
    steps(state).map((step) => ({ ...step, fair: [step.next.some((count) => count === 2)] }));
  // From [0, 0] and [1, 0] it goes on by an unfair step alone.
  expect(explore(counters(2, { promises, steps: unfair }), BOUNDS).violation).toEqual({
    what: "both are done",
    trace: [],
  });
});

test("out of bounds nothing is said of the rest", () => {
  const { isComplete, violation } = explore(counters(1000), BOUNDS);
  expect([isComplete, violation]).toEqual([false, undefined]);
});
