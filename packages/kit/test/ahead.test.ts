import { expect, test } from "vitest";
import { Ahead, MAX_AHEAD } from "@coppice/kit";

test("the smallest wish counts, as long as it is there; without any, nothing may begin", () => {
  const ahead = new Ahead();
  expect(ahead.smallest).toBe(0);
  const releases = [ahead.add(MAX_AHEAD), ahead.add(2), ahead.add()];
  expect(ahead.smallest).toBe(1);
  releases[2]?.();
  releases[2]?.();
  expect(ahead.smallest).toBe(2);
  ahead.clear();
  expect(ahead.smallest).toBe(0);
});

test("what is no number of things is refused", () => {
  for (const wish of [0, -1, 1.5, MAX_AHEAD + 1, Number.NaN]) expect(() => new Ahead().add(wish)).toThrow(RangeError);
});
