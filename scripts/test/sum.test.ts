import { expect, test } from "vitest";
import { sum } from "../lib/sum.mjs";

const ended = (command: string, code: number, output: string) => ({ command, ok: code === 0, code, output });

test("what commands counted is added up; what counts nothing is one check", () => {
  const { passed, failed, leftOut, code, note } = sum([
    ended("vectors", 0, "vectors: 12 passed, 1 left out, 0 failed\n"),
    ended("weather", 0, "sent 3\n"),
  ]);
  expect({ passed, failed, leftOut, code, note }).toEqual({
    passed: 13,
    failed: 0,
    leftOut: 1,
    code: 0,
    note: undefined,
  });
});

test("a command that failed is named, and its last lines are the last of all", () => {
  const { passed, failed, code, note, output } = sum([
    ended("weather --seed 1", 1, "sent 3\nweather: BAD: 1 lost\n"),
    ended("hammer --seed 1", 0, "sent 4\n"),
  ]);
  expect({ passed, failed, code }).toEqual({ passed: 1, failed: 1, code: 1 });
  expect(note).toBe("failed: weather --seed 1");
  expect(output).toMatch(/^sent 4\n──── FAILED: weather --seed 1 ────\n[^]*weather: BAD: 1 lost\n$/);
});

test("a command that fails after counting no failure is a failure", () => {
  expect(sum([ended("model", 2, "model: 5 passed, 0 failed\n")])).toMatchObject({ passed: 5, failed: 1, code: 2 });
});
