import { expect, test } from "vitest";
import { Prefix } from "@coppice/kit";

test("it is done up to the first work that goes on", () => {
  const prefix = new Prefix(4);
  expect(prefix.done).toBe(4);
  for (const number of [5, 7, 8]) prefix.begin(number);
  expect([prefix.done, prefix.running]).toEqual([4, 3]);
  expect(prefix.end(7)).toBe(4);
  expect(prefix.end(5)).toBe(7);
  expect(prefix.end(8)).toBe(8);
});

test("what is passed over counts as done once all before it is", () => {
  const prefix = new Prefix(0);
  prefix.begin(1);
  prefix.pass(3);
  expect([prefix.done, prefix.last]).toEqual([0, 3]);
  expect(prefix.end(1)).toBe(3);
});

test("works end together, also those that have not begun", () => {
  const prefix = new Prefix(0);
  for (const number of [1, 2, 3]) prefix.begin(number);
  expect(prefix.endUpTo(2)).toBe(2);
  expect(prefix.end(1)).toBe(2);
  expect(prefix.endUpTo(9)).toBe(9);
  expect([prefix.last, prefix.running]).toEqual([9, 0]);
  expect(prefix.endUpTo(5)).toBe(9);
});
