/** The platform's clock and timers. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { jitter, systemTime } from "../src/time.ts";

const DAY = 86_400_000;

describe("timers", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([1, 5000, 2 ** 31 - 1, 2 ** 31, 30 * DAY, 100 * DAY])("call back once after %d ms", (milliseconds) => {
    const callback = vi.fn();
    systemTime.after(milliseconds, callback);
    vi.advanceTimersByTime(milliseconds - 1);
    expect(callback).toHaveBeenCalledTimes(0);
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([0, -5])("call back soon after %d ms, not at once", (milliseconds) => {
    const callback = vi.fn();
    systemTime.after(milliseconds, callback);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test("are cancelled, also those that last longer than a platform's", () => {
    const callback = vi.fn();
    const cancel = [systemTime.after(10, callback), systemTime.after(100 * DAY, callback)];
    vi.advanceTimersByTime(1);
    cancel[0]?.();
    vi.advanceTimersByTime(50 * DAY);
    cancel[1]?.();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(200 * DAY);
    expect(callback).not.toHaveBeenCalled();
  });

  test("that are endless never call back", () => {
    const callback = vi.fn();
    systemTime.after(Number.POSITIVE_INFINITY, callback);
    vi.advanceTimersByTime(1000 * DAY);
    expect(callback).not.toHaveBeenCalled();
  });
});

test("now is the device's clock, elapsed never goes back", () => {
  expect(Math.abs(systemTime.now() - Date.now())).toBeLessThan(1000);
  const before = systemTime.elapsed();
  expect(systemTime.elapsed()).toBeGreaterThanOrEqual(before);
});

test("random numbers are from 0 to below 1, and jitter from 0 to below its limit", () => {
  const numbers = Array.from({ length: 1000 }, () => systemTime.random());
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  expect(new Set(numbers).size).toBeGreaterThan(990);
  const time = { ...systemTime, random: () => 0.25 };
  expect(jitter(time, 200)).toBe(50);
});
