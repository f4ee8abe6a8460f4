/** The table at the end of a run. */

/**
 * @typedef {import("./counts.mjs").Counts & { name: string, seconds: number, note?: string }} StageResult
 */

/**
 * One row for each stage, what was left out in plain words, and the sum as the last line.
 * @param {readonly StageResult[]} results
 * @returns {string}
 */
export function summarize(results) {
  const header = ["stage", "passed", "failed", "left out", "seconds"];
  const rows = results.map(({ name, passed, failed, leftOut, seconds }) => [
    name,
    String(passed),
    String(failed),
    leftOut === 0 ? "" : String(leftOut),
    seconds.toFixed(1),
  ]);
  const widths = header.map((title, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? title.length)),
  );
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
  const notes = results.flatMap(({ name, note }) => (note === undefined ? [] : [`!! ${name}: ${note}`]));
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  return ["", ...lines, "", ...notes, `${passed} passed, ${failed} failed`].join("\n");
}
