/**
 * Fuzzes decoders, processing, and what stands around them: `npm run fuzz -- --seconds N [--seed S] [--only TEXT]`. Prints executions and seed; on a
 * failure a reproducer, with exit code 1.
 */
import { parseArgs } from "node:util";
import { decoderTargets } from "./decoders.ts";
import { partialSamples } from "../test/support/partial-samples.ts";
import { partialTargets } from "./partial.ts";
import { processingTargets } from "./processing.ts";
import { pick, seeded } from "./random.ts";
import { surroundingTargets } from "./surroundings.ts";
import type { Target } from "./target.ts";
import { Finding } from "./target.ts";

/** An execution that takes longer is a finding. Generous: machines that fuzz do other things too. */
const SLOWEST_MS = 5000;

const { values } = parseArgs({
  options: { seconds: { type: "string" }, seed: { type: "string" }, only: { type: "string" } },
});
const seconds = Number(values.seconds ?? 10);
const seed = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
if (!(seconds > 0) || !Number.isInteger(seed)) throw new TypeError("--seconds N --seed S: numbers");

const partial = await partialSamples();
const decoders = await decoderTargets(partial.samples);
const processing = [...(await processingTargets()), ...(await partialTargets(partial))];
const surroundings = await surroundingTargets();
const families = [decoders, processing, surroundings].map((family) =>
  family.filter(({ name }) => name.includes(values.only ?? "")),
);
const chosen = families.filter((family) => family.length > 0);
const random = seeded(seed);
const executions = new Map<string, number>();
const end = performance.now() + seconds * 1000;
let slowest = 0;

async function execute(target: Target): Promise<void> {
  const started = performance.now();
  await target.run(random);
  const duration = performance.now() - started;
  slowest = Math.max(slowest, duration);
  executions.set(target.name, (executions.get(target.name) ?? 0) + 1);
  if (duration > SLOWEST_MS) throw new Finding(`took ${duration.toFixed(0)} ms`, {});
}

function report(target: Target, error: unknown): void {
  const done = [...executions.values()].reduce((sum, count) => sum + count, 0);
  console.error(`FAILED: ${target.name}, seed ${String(seed)}, after ${String(done)} executions`);
  console.error(error);
  if (error instanceof Finding) console.error(JSON.stringify({ target: target.name, seed, ...error.reproducer }));
  process.exitCode = 1;
}

while (performance.now() < end && process.exitCode === undefined) {
  const target = pick(random, pick(random, chosen));
  try {
    await execute(target);
  } catch (error) {
    report(target, error);
  }
}
const total = [...executions.values()].reduce((sum, count) => sum + count, 0);
for (const { name } of [...processing, ...surroundings])
  console.log(`${String(executions.get(name) ?? 0).padStart(8)}  ${name}`);
const decoded = decoders.reduce((sum, { name }) => sum + (executions.get(name) ?? 0), 0);
console.log(`${String(decoded).padStart(8)}  decode (${String(decoders.length)} types)`);
console.log(`${String(total)} executions, seed ${String(seed)}, slowest ${slowest.toFixed(0)} ms`);
