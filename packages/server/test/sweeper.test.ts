import { VirtualTime } from "@coppice/kit/testing";
import { expect, test } from "vitest";
import { Sweeper } from "../src/sweeper.ts";

test("slices follow each other with a pause for the others, until nothing is due; then it waits", async () => {
  const time = new VirtualTime();
  const slices: number[] = [];
  const errors: unknown[] = [];
  const sweep = async () => {
    slices.push(time.elapsed());
    if (slices.length === 5) throw new Error("on purpose");
    // A slice that takes three milliseconds.
    void time.advance(3);
    await Promise.resolve();
    return slices.length % 3 !== 0;
  };
  const sweeper = new Sweeper({ time, pause: 1000, sweep, onError: (error) => errors.push(error) });
  await time.advance(999);
  expect(slices).toEqual([]);
  await time.until(() => slices.length === 3);
  await time.until(() => slices.length === 4);
  expect((slices[3] ?? 0) - (slices[2] ?? 0)).toBeGreaterThanOrEqual(1000);
  await time.until(() => slices.length === 6);
  expect(errors).toEqual([new Error("on purpose")]);
  await sweeper.end();
  const { length } = slices;
  await time.advance(10_000);
  expect(slices.length).toBe(length);
});
