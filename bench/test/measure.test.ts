import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { measure, median } from "../src/measure.ts";
import { formatRow, formatTime, isOverLimit } from "../src/report.ts";
import type { Operation, Scenario } from "../src/scenario.ts";

const EFFORT = { rounds: 3, sampleMs: 2 };

let now = 0;

beforeEach(() => {
  vi.spyOn(performance, "now").mockImplementation(() => now);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Takes so many microseconds, by the clock of these tests: that of the machine depends on who else uses it. */
const busy = (microseconds: number): Operation => {
  return () => {
    now += microseconds / 1_000;
  };
};

const scenario: Scenario = {
  name: "test: busy",
  sizes: [1],
  sizeUnit: "bytes",
  limit: 1.5,
  setup: () => ({ coppice: busy(200), peers: { slow: busy(400), fast: busy(100) } }),
};

describe("measure", () => {
  test("the ratio refers to the fastest peer, or to the named one", async () => {
    const fastest = await measure(scenario, 1, "node", EFFORT);
    expect(fastest.reference).toBe("fast");
    expect(fastest.ratio).toBeCloseTo(2);
    expect(fastest.coppice).toBeCloseTo(200);
    expect(isOverLimit(fastest)).toBe(true);
    const named = await measure({ ...scenario, reference: "slow" }, 1, "node", EFFORT);
    expect(named.ratio).toBeCloseTo(0.5);
    expect(isOverLimit(named)).toBe(false);
    await expect(measure({ ...scenario, reference: "nobody" }, 1, "node", EFFORT)).rejects.toThrow(RangeError);
  });

  test("a prepared operation gets fresh input for every run, and preparing is not timed", async () => {
    const used = new Set<object>();
    const prepare = (times: number): Operation => {
      busy(20_000)(0);
      const inputs = Array.from({ length: times }, () => ({}));
      return (index) => {
        const input = inputs[index];
        if (input === undefined || used.has(input)) throw new Error("used twice");
        used.add(input);
        busy(100)(index);
      };
    };
    const setup: Scenario["setup"] = () => ({ coppice: { prepare }, peers: {} });
    const row = await measure({ ...scenario, setup }, 1, "node", { rounds: 1, sampleMs: 1 });
    expect(row.coppice).toBeCloseTo(100);
    expect(row).toMatchObject({ ratio: null, reference: null, peers: {} });
  });

  test("promises are awaited", async () => {
    const wait: Operation = async () => {
      await Promise.resolve();
      busy(5_000)(0);
    };
    const setup: Scenario["setup"] = () => ({ coppice: wait, peers: {} });
    const row = await measure({ ...scenario, setup }, 1, "node", { rounds: 1, sampleMs: 1 });
    expect(row.coppice).toBeCloseTo(5_000);
  });

  test("the median of odd and even numbers of samples", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([7])).toBe(7);
  });
});

test("a row names its limit and whether it is over it", () => {
  expect([0.5, 1_500, 2_340_000].map(formatTime)).toEqual(["0.500 µs", "1.50 ms", "2.34 s"]);
  const row = { name: "a", engine: "node", n: 1, unit: "bytes", coppice: 2, peers: { b: 1 } } as const;
  expect(formatRow({ ...row, limit: 1, ratio: 2, reference: "b" })).toContain("2.00 × b (limit 1) OVER");
  expect(formatRow({ ...row, limit: null, ratio: 2, reference: "b" })).not.toContain("limit");
});
