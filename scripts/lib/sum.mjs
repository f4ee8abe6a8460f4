/** What several commands of one stage come to. */
import { printedCounts } from "./counts.mjs";

/** A command that has ended, as one would type it, with what it printed. @typedef {{ command: string, ok: boolean, code: number | null, output: string }} Ended */

/**
 * Adds up what commands counted; what counts nothing is one check. The output of those that failed comes last, under their names,
 * since a log that is cut off keeps its end; and a note names them.
 * @param {readonly Ended[]} ended
 * @returns {import("./counts.mjs").Counts & { note?: string, output: string, code: number }} `code` is that of the first that failed
 */
export function sum(ended) {
  const counts = { passed: 0, failed: 0, leftOut: 0 };
  for (const { ok, output } of ended) {
    const one = printedCounts(output) ?? { passed: ok ? 1 : 0, failed: ok ? 0 : 1, leftOut: 0 };
    counts.passed += one.passed;
    counts.failed += !ok && one.failed === 0 ? 1 : one.failed;
    counts.leftOut += one.leftOut;
  }
  const failed = ended.filter(({ ok }) => !ok);
  const sound = ended.filter(({ ok }) => ok).map(({ output }) => output);
  const faulty = failed.map(({ command, output }) => `──── FAILED: ${command} ────\n${output.trimEnd()}\n`);
  return {
    ...counts,
    output: [...sound, ...faulty].join(""),
    code: failed.length === 0 ? 0 : (failed[0]?.code ?? 1),
    ...(failed.length === 0 ? {} : { note: `failed: ${failed.map(({ command }) => command).join(", ")}` }),
  };
}
