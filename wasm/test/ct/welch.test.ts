import { describe, expect, it } from "vitest";
import { Random } from "../conformance/random.ts";
import { type Classes, differ, judge } from "./welch.ts";

const random = new Random(0xd0dec7);

/** Timings around 5 µs; one in a hundred is interrupted. The second class takes `longer` microseconds more. */
function timings(longer: number): Classes {
  const one = (extra: number): number => {
    const spread = (random.below(1000) + random.below(1000) + random.below(1000)) / 3000;
    const interrupted = random.below(100) === 0 ? random.below(500) : 0;
    return 5 + extra + spread + interrupted;
  };
  return [Array.from({ length: 4000 }, () => one(0)), Array.from({ length: 4000 }, () => one(longer))];
}

const rounds = (longer: readonly number[]): Classes[] => longer.map(timings);

describe("Welch's t-test", () => {
  it("is the published formula", () => {
    // Means 2 and 4, variances 1 and 4, three samples each: t = 2 / sqrt(1 / 3 + 4 / 3).
    const { t, effect } = differ([[1, 2, 3], [2, 4, 6]], 1); // prettier-ignore
    expect(t).toBeCloseTo(2 / Math.sqrt(5 / 3), 12);
    expect(effect).toBeCloseTo(2 / 3, 12);
  });

  it("looks at the fastest of both classes together", () => {
    const cropped = differ([[1, 2, 3, 100], [1, 2, 3, 900]], 0.75); // prettier-ignore
    expect(cropped).toEqual({ t: 0, effect: 0 });
  });
});

describe("the verdict", () => {
  it("is not that equal classes differ", () => {
    expect(judge(rounds(Array<number>(9).fill(0))).flagged).toBe(false);
  });

  it.each([0.05, -0.05])("is that classes %d µs apart in every round differ", (longer) => {
    const verdict = judge(rounds(Array<number>(9).fill(longer)));
    expect(verdict.flagged).toBe(true);
    expect(Math.sign(verdict.effect)).toBe(Math.sign(longer));
  });

  it("does not come from a few disturbed rounds", () => {
    expect(judge(rounds([1, 1, -1, 0, 0, 0, 0, 0, 0])).flagged).toBe(false);
  });

  it("does not come from a difference that is certain and means nothing", () => {
    const tiny = Array.from({ length: 9 }, (): Classes => {
      const samples = (base: number): number[] => Array.from({ length: 4000 }, (_, i) => base + (i % 2) * 0.001);
      return [samples(5), samples(5.002)];
    });
    expect(judge(tiny).flagged).toBe(false);
  });
});
