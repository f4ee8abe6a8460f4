/** Waiting for time to pass. */
import { expect, test } from "vitest";
import { sleep } from "../src/sleep.ts";
import { VirtualTime } from "../src/testing.ts";
import { countedSignal } from "./counted-signal.ts";

test("resolves after its time and not before, and leaves nothing behind", async () => {
  const time = new VirtualTime();
  const { signal, listeners } = countedSignal();
  let slept = false;
  void sleep(time, 1000, signal, undefined).then(() => (slept = true));
  await time.advance(999);
  expect(slept).toBe(false);
  await time.advance(1);
  expect(slept).toBe(true);
  expect(listeners()).toBe(0);
});

test("rejects with the reason of the signal that aborts, and its timer is gone", async () => {
  const time = new VirtualTime();
  const [a, b] = [countedSignal(), countedSignal()];
  const wait = sleep(time, 1000, a.signal, b.signal);
  b.controller.abort(new Error("enough"));
  await expect(wait).rejects.toThrow("enough");
  expect([a.listeners(), b.listeners()]).toEqual([0, 0]);
  await expect(time.until(() => false)).rejects.toThrow("It did not happen");
  expect(time.elapsed()).toBe(0);
});

test("rejects at once where a signal aborted before", async () => {
  const time = new VirtualTime();
  await expect(sleep(time, 0, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
});
