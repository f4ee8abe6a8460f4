import { describe, expect, test } from "vitest";
import { inFlight } from "../src/in-flight.ts";

const items = Array.from({ length: 200 }, (_, i) => i);
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

describe("many operations in flight", () => {
  test("all are run, some at a time", async () => {
    let running = 0;
    let most = 0;
    const seen = new Set<number>();
    await inFlight(items, async (item) => {
      most = Math.max(most, ++running);
      seen.add(item);
      await soon();
      running--;
    });
    expect(seen.size).toBe(items.length);
    expect(most).toBeGreaterThan(8);
    expect(most).toBeLessThan(64);
  });

  test("the first item that failed is the reason, whoever was faster, and no more are begun", async () => {
    let begun = 0;
    const attempt = inFlight(items, async (item) => {
      begun++;
      if (item === 3) await soon();
      if (item === 3 || item === 7) throw new Error(`item ${String(item)}`);
      await soon();
    });
    await expect(attempt).rejects.toThrow("item 3");
    expect(begun).toBeLessThan(items.length);
  });

  test("progress runs from 0 to the number of items, and is awaited", async () => {
    const reports: (readonly number[])[] = [];
    let pausing = false;
    await inFlight(
      items,
      async () => {
        await soon();
      },
      {
        onProgress: async (done, total) => {
          expect(pausing).toBe(false);
          pausing = true;
          reports.push([done, total]);
          await Promise.resolve();
          pausing = false;
        },
      },
    );
    expect(reports.map(([done]) => done)).toEqual([0, 64, 128, 192, 200]);
    expect(reports.every(([, total]) => total === 200)).toBe(true);
  });

  test("an aborted signal stops it with its reason", async () => {
    const controller = new AbortController();
    let begun = 0;
    const attempt = inFlight(
      items,
      async () => {
        if (++begun === 40) controller.abort(new Error("enough"));
        await soon();
      },
      { signal: controller.signal },
    );
    await expect(attempt).rejects.toThrow("enough");
    expect(begun).toBeLessThan(items.length);
    await expect(inFlight([], soon, { signal: controller.signal })).rejects.toThrow("enough");
  });

  test("no items, nothing to wait for", async () => {
    await inFlight([], () => Promise.reject(new Error("never")));
  });
});
