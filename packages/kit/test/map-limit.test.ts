import { expect, test } from "vitest";
import { mapLimit } from "@coppice/kit";

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test("keeps the order, and no more than the limit in flight", async () => {
  let inFlight = 0;
  let most = 0;
  const items = Array.from({ length: 50 }, (_, index) => index);
  const doubled = await mapLimit(items, 7, async (item) => {
    most = Math.max(most, ++inFlight);
    if (item % 3 === 0) await tick();
    await tick();
    inFlight--;
    return item * 2;
  });
  expect(doubled).toEqual(items.map((item) => item * 2));
  expect(most).toBe(7);
  expect(await mapLimit([], 7, tick)).toEqual([]);
});

test("the first failure rejects and starts no further call", async () => {
  let started = 0;
  const failing = mapLimit(Array.from({ length: 50 }), 2, async () => {
    started++;
    await tick();
    throw new Error("failed");
  });
  await expect(failing).rejects.toThrow("failed");
  await tick();
  expect(started).toBe(2);
});

test.each([0, -1, Number.NaN])("there is no limit of %d: nothing would be done", async (limit) => {
  await expect(mapLimit([1, 2], limit, (item) => Promise.resolve(item))).rejects.toThrow(RangeError);
});
