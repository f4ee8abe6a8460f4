/** Work that is tried again until it succeeds. */
import { describe, expect, test, vi } from "vitest";
import { backoff, CoppiceError, isCoppiceError, Retrying, Scope } from "../src/index.ts";
import { VirtualTime } from "../src/testing.ts";

const PACE = { first: 500, longest: 30_000 };

describe("backoff", () => {
  test("doubles up to the longest, half of it random", () => {
    const time = new VirtualTime();
    const ceilings = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    for (const [failures, ceiling] of ceilings.entries()) {
      const waits = Array.from({ length: 200 }, () => backoff(time, PACE, failures));
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(ceiling / 2);
      expect(Math.max(...waits)).toBeLessThan(ceiling);
      expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(ceiling / 4);
    }
    expect(backoff(time, PACE, 1_000_000)).toBeLessThan(30_000);
  });
});

function make(work: () => Promise<void>): {
  readonly time: VirtualTime;
  readonly scope: Scope;
  readonly reported: unknown[];
  readonly retrying: Retrying;
} {
  const time = new VirtualTime();
  const scope = new Scope();
  const reported: unknown[] = [];
  const retrying = new Retrying({
    work,
    time,
    scope,
    backoff: PACE,
    retryAfter: (error) => {
      if (!isCoppiceError(error)) return undefined;
      const after = error.detail["retryAfter"];
      return typeof after === "number" ? after * 1000 : 0;
    },
    report: (error) => reported.push(error),
  });
  return { time, scope, reported, retrying };
}

const unreachable = (): Error => new CoppiceError("ERR_DS_UNREACHABLE", "The server did not answer");

describe("retrying", () => {
  test("goes on until the work succeeds, waiting longer each time", async () => {
    const at: number[] = [];
    const { time, reported, retrying } = make(async () => {
      at.push(time.elapsed());
      if (at.length < 6) throw unreachable();
      return Promise.resolve();
    });
    retrying.kick();
    await time.advance(3_600_000);
    expect(at).toHaveLength(6);
    const waits = at.slice(1).map((moment, i) => moment - (at[i] ?? 0));
    for (const [failures, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(250 * 2 ** failures);
      expect(wait).toBeLessThan(500 * 2 ** failures);
    }
    expect(reported).toEqual([]);
  });

  test("waits as long as it was asked to", async () => {
    let runs = 0;
    const { time, retrying } = make(async () => {
      if (++runs > 1) return Promise.resolve();
      throw new CoppiceError("ERR_DS_RATE_LIMITED", "Too many requests", { detail: { retryAfter: 60 } });
    });
    retrying.kick();
    await time.advance(59_999);
    expect(runs).toBe(1);
    await time.advance(1);
    expect(runs).toBe(2);
  });

  test("gives up, with a report, where trying again does not help; a kick starts it again", async () => {
    let runs = 0;
    const { time, reported, retrying } = make(async () => {
      if (++runs === 1) throw new Error("broken");
      return Promise.resolve();
    });
    retrying.kick();
    await time.advance(3_600_000);
    expect([runs, reported]).toEqual([1, [new Error("broken")]]);
    retrying.kick();
    await time.advance(0);
    expect([runs, reported.length]).toEqual([2, 1]);
  });

  test("a report that throws does not end it for good", async () => {
    let runs = 0;
    const time = new VirtualTime();
    const uncaught = vi.fn();
    process.on("unhandledRejection", uncaught);
    const others = process.listeners("unhandledRejection").filter((listener) => listener !== uncaught);
    for (const other of others) process.off("unhandledRejection", other);
    const retrying = new Retrying({
      work: async () => {
        runs++;
        return Promise.reject(new Error("broken"));
      },
      time,
      scope: new Scope(),
      backoff: PACE,
      retryAfter: () => undefined,
      report: () => {
        throw new Error("the report");
      },
    });
    retrying.kick();
    await time.advance(0);
    retrying.kick();
    await time.advance(0);
    process.off("unhandledRejection", uncaught);
    for (const other of others) process.on("unhandledRejection", other);
    expect(runs).toBe(2);
    expect(uncaught).toHaveBeenCalledTimes(2);
  });

  test("a kick ends the wait, and asks for no more than that one run", async () => {
    let runs = 0;
    const { time, retrying } = make(async () => {
      if (++runs === 1) throw unreachable();
      return Promise.resolve();
    });
    retrying.kick();
    await time.advance(0);
    expect(runs).toBe(1);
    retrying.kick();
    await time.advance(0);
    expect([runs, time.elapsed()]).toEqual([2, 0]);
    await time.advance(3_600_000);
    expect(runs).toBe(2);
  });

  test("kicks while it works ask for one more run", async () => {
    const gates: (() => void)[] = [];
    const { time, retrying } = make(() => new Promise((resolve) => gates.push(resolve)));
    retrying.kick();
    retrying.kick();
    retrying.kick();
    await time.advance(0);
    expect(gates).toHaveLength(1);
    retrying.kick();
    gates[0]?.();
    await time.advance(0);
    expect(gates).toHaveLength(2);
    gates[1]?.();
    await time.advance(3_600_000);
    expect(gates).toHaveLength(2);
  });

  test("run does the work once, after what is running, and rejects with its failure", async () => {
    let runs = 0;
    const { retrying } = make(async () => {
      await Promise.resolve();
      if (++runs === 1) throw unreachable();
    });
    const calls = [retrying.run(), retrying.run()];
    await expect(calls[0]).rejects.toMatchObject({ code: "ERR_DS_UNREACHABLE" });
    await calls[1];
    expect(runs).toBe(2);
  });

  test("ends with its scope: no further run, no report, no timer", async () => {
    let runs = 0;
    const { time, scope, reported, retrying } = make(async () => {
      runs++;
      return Promise.reject(unreachable());
    });
    retrying.kick();
    await time.advance(0);
    scope.end(new Error("closed"));
    await time.advance(3_600_000);
    retrying.kick();
    await time.advance(3_600_000);
    expect([runs, reported]).toEqual([1, []]);
    await expect(time.until(() => false)).rejects.toThrow("It did not happen");
  });

  test("a failure of work that the scope's end cut short is not reported", async () => {
    let fail = (_error: Error): void => undefined;
    const { time, scope, reported, retrying } = make(() => new Promise((_resolve, reject) => (fail = reject)));
    retrying.kick();
    scope.end(new Error("closed"));
    fail(new Error("broken"));
    await time.advance(1000);
    expect(reported).toEqual([]);
  });

  test("others may wait in its rhythm: until the time is over, a kick, an abort or the end", async () => {
    const { time, scope, retrying } = make(() => Promise.resolve());
    const seen: string[] = [];
    void retrying.wait(3).then(() => seen.push("time"));
    await time.advance(1999);
    expect(seen).toEqual([]);
    await time.advance(2001);
    expect(seen).toEqual(["time"]);
    void retrying.wait(20).then(() => seen.push("kick"));
    void retrying.wait(0, undefined, 100_000).then(() => seen.push("kick"));
    await time.advance(5000);
    retrying.kick();
    await time.advance(0);
    expect(seen).toEqual(["time", "kick", "kick"]);
    const controller = new AbortController();
    const wait = retrying.wait(0, controller.signal);
    controller.abort(new Error("enough"));
    await expect(wait).rejects.toThrow("enough");
    const last = retrying.wait(0);
    scope.end(new Error("closed"));
    await expect(last).rejects.toThrow("closed");
  });
});
