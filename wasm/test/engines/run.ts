/**
 * `npm run engines -- [--engine node,chromium,firefox,webkit] [--comparisons N]`: the suite over kernel, noble and
 * SubtleCrypto in every engine. Exit code 1 if a case fails or an engine cannot be had.
 */
import { parseArgs } from "node:util";
import { ENGINES, type Engine, type EngineName } from "./engines.ts";
import { install } from "./install.ts";
import { bundle } from "./serve.ts";

/** Long enough that calls cost nothing, short enough that progress shows. */
const SLICE_MS = 5_000;

const isEngine = (name: string): name is EngineName => name in ENGINES;

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: Object.keys(ENGINES).join(",") },
    comparisons: { type: "string", default: "10000" },
  },
});
const comparisons = Number(values.comparisons);
if (!Number.isInteger(comparisons) || comparisons < 1) throw new RangeError("--comparisons takes a number from 1");
const names = values.engine.split(",").map((name) => {
  if (isEngine(name)) return name;
  throw new RangeError(`no engine "${name}"; there are ${Object.keys(ENGINES).join(", ")}`);
});

/** Runs all cases; returns how many passed and what failed. */
async function runAll(engine: Engine): Promise<{ readonly passed: number; readonly failures: readonly string[] }> {
  await engine.start(comparisons);
  for (;;) {
    const progress = await engine.proceed(SLICE_MS);
    if (progress.left === 0) return progress;
  }
}

const suite = await bundle();
let passed = 0;
let failed = 0;
for (const name of names) {
  const start = performance.now();
  let engine: Engine | undefined;
  try {
    if (name !== "node") install(name);
    engine = await ENGINES[name](suite);
    const result = await runAll(engine);
    const seconds = ((performance.now() - start) / 1_000).toFixed(0);
    console.log(`${engine.version}: ${result.passed} passed, ${result.failures.length} failed, ${seconds} s`);
    for (const failure of result.failures) console.log(`  FAILED ${failure}`);
    passed += result.passed;
    failed += result.failures.length;
  } catch (error) {
    console.log(`${name}: FAILED ${error instanceof Error ? error.message : String(error)}`);
    failed++;
  } finally {
    await engine?.close();
  }
}
console.log(`${comparisons} comparisons of each function: ${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
