/** How many tests passed, failed and were left out, from what the runners report. */

/** @typedef {{ passed: number, failed: number, leftOut: number }} Counts */

/** @param {unknown} value @param {string} key @returns {number} */
function number(value, key) {
  const found = typeof value === "object" && value !== null ? /** @type {Record<string, unknown>} */ (value)[key] : 0;
  return typeof found === "number" ? found : 0;
}

/**
 * From vitest's JSON report. A test file that could not be loaded has no tests but is a failure.
 * @param {unknown} report @returns {Counts}
 */
export function vitestCounts(report) {
  const { testResults = [] } = /** @type {{ testResults?: { status: string, assertionResults: unknown[] }[] }} */ (
    report
  );
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  return {
    passed: number(report, "numPassedTests"),
    failed: number(report, "numFailedTests") + broken.length,
    leftOut: number(report, "numPendingTests") + number(report, "numTodoTests"),
  };
}

/**
 * From Playwright's JSON report. A flaky test is a failure; so is an error outside of tests.
 * @param {unknown} report @returns {Counts}
 */
export function playwrightCounts(report) {
  const { stats, errors = [] } = /** @type {{ stats?: unknown, errors?: unknown[] }} */ (report);
  const failed = number(stats, "unexpected") + number(stats, "flaky");
  return {
    passed: number(stats, "expected"),
    failed: failed === 0 ? errors.length : failed,
    leftOut: number(stats, "skipped"),
  };
}

/**
 * From a line such as `vectors: 12 passed, 1 left out, 0 failed`, the last one in the output.
 * @param {string} output @returns {Counts | undefined}
 */
export function printedCounts(output) {
  /** @type {Counts | undefined} */
  let last;
  for (const [, passed, left, failed] of output.matchAll(/(\d+) passed(?:, (\d+) left out)?, (\d+) failed/g)) {
    last = { passed: Number(passed), leftOut: Number(left ?? 0), failed: Number(failed) };
  }
  return last;
}
