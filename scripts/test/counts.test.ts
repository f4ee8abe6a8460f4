import { describe, expect, test } from "vitest";
import { playwrightCounts, printedCounts, vitestCounts } from "../lib/counts.mjs";
import { summarize } from "../lib/summary.mjs";

describe("counts", () => {
  test("vitest: a file that could not be loaded is a failure", () => {
    const testResults = [
      { status: "passed", assertionResults: [{}, {}] },
      { status: "failed", assertionResults: [] },
    ];
    const report = { numPassedTests: 2, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1, testResults };
    expect(vitestCounts(report)).toEqual({ passed: 2, failed: 1, leftOut: 2 });
  });

  test("Playwright: flaky is failed, and so is an error outside of tests", () => {
    const stats = { expected: 5, unexpected: 1, flaky: 1, skipped: 2 };
    expect(playwrightCounts({ stats, errors: [{}] })).toEqual({ passed: 5, failed: 2, leftOut: 2 });
    const none = { expected: 0, unexpected: 0, flaky: 0, skipped: 0 };
    expect(playwrightCounts({ stats: none, errors: [{}] })).toEqual({ passed: 0, failed: 1, leftOut: 0 });
  });

  test("printed: the last line counts", () => {
    const output = "a.json: 3 passed, 0 left out, 0 failed\nvectors: 12 passed, 1 left out, 2 failed\n";
    expect(printedCounts(output)).toEqual({ passed: 12, leftOut: 1, failed: 2 });
    expect(printedCounts("nothing")).toBeUndefined();
  });
});

test("the summary ends with the sum of all stages and says what was left out", () => {
  const text = summarize([
    { name: "lint", passed: 1, failed: 0, leftOut: 0, seconds: 1 },
    { name: "unit", passed: 40, failed: 2, leftOut: 0, seconds: 9.96 },
    { name: "e2e", passed: 0, failed: 0, leftOut: 1, seconds: 0, note: "no browser" },
  ]);
  expect(text.split("\n").at(-1)).toBe("41 passed, 2 failed");
  expect(text).toContain("!! e2e: no browser");
});
