import { describe, expect, test } from "vitest";
import { isCoppiceError } from "@coppice/kit";
import { VirtualTime } from "@coppice/kit/testing";
import { TokenBuckets } from "../../src/guard/token-buckets.ts";

/** Whether a token could be taken. */
function takes(buckets: TokenBuckets, key: string, cost?: number): boolean {
  try {
    buckets.take(key, cost);
    return true;
  } catch (error) {
    if (!isCoppiceError(error, "ERR_DS_RATE_LIMITED")) throw error;
    return false;
  }
}

describe("token buckets", () => {
  test("a burst, then a steady rate, by the monotonic clock", async () => {
    const time = new VirtualTime();
    const buckets = new TokenBuckets({ burst: 2, perSecond: 0.5 }, time);
    expect([takes(buckets, "a"), takes(buckets, "a"), takes(buckets, "a")]).toEqual([true, true, false]);
    time.jump(1e9);
    expect(takes(buckets, "a")).toBe(false);
    await time.advance(1999);
    expect(takes(buckets, "a")).toBe(false);
    await time.advance(1);
    expect([takes(buckets, "a"), takes(buckets, "a"), takes(buckets, "b")]).toEqual([true, false, true]);
  });

  test("the refusal says how long to wait; what costs more than a bucket takes a whole one", () => {
    const buckets = new TokenBuckets({ burst: 10, perSecond: 0.01 }, new VirtualTime());
    expect(takes(buckets, "a", 1000)).toBe(true);
    expect(() => buckets.take("a", 1, { user: "x" })).toThrow(
      expect.objectContaining({ code: "ERR_DS_RATE_LIMITED", detail: { user: "x", retryAfter: 100 } }),
    );
    expect(() => buckets.take("a", 10_000)).toThrow(expect.objectContaining({ detail: { retryAfter: 1000 } }));
  });

  test("issue 15 (9): nobody gets a used-up bucket back by using thirty thousand other keys", () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 0.0001 }, new VirtualTime());
    const used = Array.from({ length: 50 }, (_, i) => `used ${i}`);
    for (const key of used) expect(takes(buckets, key)).toBe(true);
    for (let i = 0; i < 30_000; i++) takes(buckets, `other ${i}`);
    expect(used.some((key) => takes(buckets, key))).toBe(false);
  });

  test("20,000 keys that are used up leave nearly all others alone", () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 0.0001 }, new VirtualTime());
    for (let i = 0; i < 20_000; i++) takes(buckets, `attacker ${i}`);
    const others = Array.from({ length: 1000 }, (_, i) => takes(buckets, `other ${i}`));
    expect(others.filter(Boolean).length).toBeGreaterThan(940);
  });
});
