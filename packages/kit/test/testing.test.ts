/** Virtual time. */
import { describe, expect, test } from "vitest";
import { sleep } from "../src/sleep.ts";
import { VirtualTime } from "../src/testing.ts";

describe("virtual time", () => {
  test("stands still until it is told to go on", async () => {
    const time = new VirtualTime({ start: 5000 });
    let called = 0;
    time.after(10, () => called++);
    await time.advance(0);
    expect([time.now(), time.elapsed(), called]).toEqual([5000, 0, 0]);
    await time.advance(9);
    expect([time.now(), time.elapsed(), called]).toEqual([5009, 9, 0]);
    await time.advance(1);
    expect([time.now(), time.elapsed(), called]).toEqual([5010, 10, 1]);
    await time.advance(100);
    expect([time.elapsed(), called]).toEqual([110, 1]);
  });

  test("runs timers in the order of their times, and those of one time in the order in which they were set", async () => {
    const time = new VirtualTime();
    const seen: [string, number][] = [];
    const note = (name: string) => () => seen.push([name, time.elapsed()]);
    time.after(20, note("b"));
    time.after(10, note("a1"));
    time.after(10, note("a2"));
    time.after(-3, note("at once"));
    time.after(30, note("too late"));
    await time.advance(20);
    expect(seen).toEqual([
      ["at once", 0],
      ["a1", 10],
      ["a2", 10],
      ["b", 20],
    ]);
  });

  test("lets everything follow that a timer causes, also new timers that are due", async () => {
    const time = new VirtualTime();
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        await sleep(time, 10);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(time.elapsed());
      }
    };
    void loop();
    await time.advance(45);
    expect(seen).toEqual([10, 20, 30, 40]);
  });

  test("does not go on while SubtleCrypto works", async () => {
    const time = new VirtualTime();
    const { subtle } = globalThis.crypto;
    let timedOut = false;
    time.after(1000, () => (timedOut = true));
    const password = await subtle.importKey("raw", new Uint8Array(8), "PBKDF2", false, ["deriveBits"]);
    const salt = new Uint8Array(16);
    let derived = 0;
    const work = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: 20_000 }, password, 256);
        derived++;
      }
    };
    void work();
    await time.until(() => derived === 3);
    expect([timedOut, time.elapsed()]).toEqual([false, 0]);
  });

  test("goes on until a condition holds, and no further", async () => {
    const time = new VirtualTime();
    const seen: number[] = [];
    for (const at of [10, 20, 30]) time.after(at, () => seen.push(at));
    await time.until(() => seen.length === 2);
    expect(time.elapsed()).toBe(20);
    await time.until(async () => Promise.resolve(seen.at(2)));
    expect(time.elapsed()).toBe(30);
  });

  test.each([false, undefined, null, 0, ""])("a condition that is %j does not hold", async (value) => {
    const time = new VirtualTime();
    await expect(time.until(() => value)).rejects.toThrow("It did not happen within 3600000 ms: () => value");
  });

  test("fails where it takes longer than the limit", async () => {
    const time = new VirtualTime();
    let called = 0;
    const tick = (): void => {
      called++;
      time.after(1000, tick);
    };
    tick();
    await expect(time.until(() => called === 100, 10_000)).rejects.toThrow("within 10000 ms");
    expect(called).toBe(11);
  });

  test("the clock may jump, which timers do not notice", async () => {
    const time = new VirtualTime({ start: 0 });
    let called = false;
    time.after(10, () => (called = true));
    time.jump(86_400_000);
    expect([time.now(), time.elapsed()]).toEqual([86_400_000, 0]);
    await time.advance(9);
    expect(called).toBe(false);
    time.jump(-100_000_000);
    await time.advance(1);
    expect([called, time.now(), time.elapsed()]).toEqual([true, 10 - 13_600_000, 10]);
  });

  test("the same seed gives the same numbers, another one others", () => {
    const numbers = (seed: number): readonly number[] => {
      const time = new VirtualTime({ seed });
      return Array.from({ length: 100 }, () => time.random());
    };
    expect(numbers(7)).toEqual(numbers(7));
    expect(numbers(7)).not.toEqual(numbers(8));
    expect(new Set(numbers(1)).size).toBe(100);
    expect(numbers(1).every((number) => number >= 0 && number < 1)).toBe(true);
  });

  test("a cancelled timer does not call back", async () => {
    const time = new VirtualTime();
    let called = false;
    time.after(10, () => (called = true))();
    await time.advance(100);
    expect(called).toBe(false);
  });
});
