import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { measure } from "../src/measure.ts";
import { median } from "../src/median.ts";
import { formatRow, formatTime, isBroken } from "../src/report.ts";
import type { Operation, Scenario } from "../src/scenario.ts";

const EFFORT = { rounds: 3, sampleMs: 2, warmMs: 0, budgetMs: 100 };

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
  promise: 1.5,
  setup: () => ({ coppice: busy(200), peers: { slow: busy(400), fast: busy(100) } }),
};

describe("measure", () => {
  test("the ratio refers to the fastest peer, or to the named one", async () => {
    const fastest = await measure(scenario, 1, "node", EFFORT);
    expect(fastest.reference).toBe("fast");
    expect(fastest.ratio).toBeCloseTo(2);
    expect(fastest.coppice).toBeCloseTo(200);
    expect(isBroken(fastest)).toBe(true);
    const named = await measure({ ...scenario, reference: "slow" }, 1, "node", EFFORT);
    expect(named.ratio).toBeCloseTo(0.5);
    expect(isBroken(named)).toBe(false);
    await expect(measure({ ...scenario, reference: "nobody" }, 1, "node", EFFORT)).rejects.toThrow(RangeError);
  });

  test("bare public-key operations are the limit, which the ratio refers to first", async () => {
    const setup: Scenario["setup"] = () => ({ coppice: busy(200), peers: { fast: busy(100) }, work: { sign: 1 } });
    vi.mocked(performance.now).mockImplementation(() => (now += 0.4));
    const row = await measure({ ...scenario, setup }, 1, "node", EFFORT);
    // 60 of them in a sample.
    expect(row.limit).toBeCloseTo(400 / 60);
    expect(row.reference).toBe("limit");
    expect(row.ratio).toBeCloseTo(row.coppice / (400 / 60));
  });

  test("a machine that slows down for some rounds does not change the ratio", async () => {
    let slowdown = 1;
    const slower =
      (microseconds: number): Operation =>
      () => {
        busy(slowdown * microseconds)(0);
      };
    const changing: Operation = () => {
      slower(300)(0);
      slowdown = slowdown === 1 ? 3 : 1;
    };
    const peers = { a: slower(100), b: slower(200), changing };
    const setup: Scenario["setup"] = () => ({ coppice: slower(200), peers });
    const row = await measure({ ...scenario, setup, reference: "b" }, 1, "node", { ...EFFORT, rounds: 9 });
    expect(row.ratio).toBeCloseTo(1);
  });

  test("a peer that fails is left out, with its reason", async () => {
    const fails = (): Promise<never> => Promise.reject(Object.assign(new Error(), { inner: { msg: "no" } }));
    const setup: Scenario["setup"] = () => ({ coppice: busy(200), peers: { fails, fast: busy(100) } });
    const row = await measure({ ...scenario, setup }, 1, "node", EFFORT);
    expect(row).toMatchObject({ failed: { fails: "no" }, reference: "fast" });
    expect(Object.keys(row.peers)).toEqual(["fast"]);
  });

  test("sizes are compared as they are", async () => {
    const setup: Scenario["setup"] = () => ({ bytes: { coppice: 300, other: 400 }, limit: 200 });
    const row = await measure({ ...scenario, setup }, 1, "node", EFFORT);
    expect(row).toMatchObject({ measured: "bytes", coppice: 300, peers: { other: 400 }, limit: 200, ratio: 1.5 });
  });

  test("a contestant who is too slow for the budget gets fewer rounds", async () => {
    let runs = 0;
    const slow: Operation = () => {
      runs++;
      busy(40_000)(0);
    };
    await measure({ ...scenario, setup: () => ({ coppice: slow, peers: {} }) }, 1, "node", { ...EFFORT, budgetMs: 30 });
    expect(runs).toBe(2);
  });

  test("a contestant runs for a while before its first sample", async () => {
    const took: number[] = [];
    const warming: Operation = () => {
      const before = now;
      busy(took.length < 100 ? 900 : 300)(0);
      took.push(now - before);
    };
    const effort = { ...EFFORT, warmMs: 100 };
    expect(
      (await measure({ ...scenario, setup: () => ({ coppice: warming, peers: {} }) }, 1, "node", effort)).coppice,
    ).toBeCloseTo(300);
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
    const row = await measure({ ...scenario, setup }, 1, "node", { ...EFFORT, rounds: 1 });
    expect(row.coppice).toBeCloseTo(100);
    expect(row).toMatchObject({ ratio: null, reference: null, peers: {} });
  });

  test("promises are awaited", async () => {
    const wait: Operation = async () => {
      await Promise.resolve();
      busy(5_000)(0);
    };
    const setup: Scenario["setup"] = () => ({ coppice: wait, peers: {} });
    const row = await measure({ ...scenario, setup }, 1, "node", { ...EFFORT, rounds: 1 });
    expect(row.coppice).toBeCloseTo(5_000);
  });

  test("the median of odd and even numbers of samples", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([7])).toBe(7);
  });
});

test("a row names what is promised and whether it is kept", () => {
  expect([0.5, 1_500, 2_340_000].map(formatTime)).toEqual(["0.500 µs", "1.50 ms", "2.34 s"]);
  const about = { name: "a", engine: "node", n: 1, unit: "bytes", measured: "microseconds" } as const;
  const row = { ...about, coppice: 2, peers: { b: 1 }, failed: {}, limit: null, ratio: 2, reference: "b" } as const;
  expect(formatRow({ ...row, promise: 1 })).toContain("2.00 × b (promised 1) BROKEN");
  expect(formatRow({ ...row, promise: 2 })).not.toContain("BROKEN");
  expect(formatRow({ ...row, promise: null })).not.toContain("promised");
});
