import { expect, it } from "vitest";
import { HUES, Hues } from "../src/hues.ts";

const people = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "mallory", "zoe"];

it("gives different people different colours, while there are any", () => {
  const hues = new Hues();
  expect(new Set(people.map((name) => hues.of(name))).size).toBe(people.length);
  const more = Array.from({ length: HUES - people.length }, (_, index) => hues.of(`person-${index}`));
  expect(new Set([...more, ...people.map((name) => hues.of(name))]).size).toBe(HUES);
});

it("gives a name the same colour again, also once all are taken", () => {
  const hues = new Hues();
  const names = Array.from({ length: 100 }, (_, index) => `person-${index}`);
  const first = names.map((name) => hues.of(name));
  expect(names.map((name) => hues.of(name))).toEqual(first);
  for (const hue of first) expect(hue >= 0 && hue < HUES).toBe(true);
});
