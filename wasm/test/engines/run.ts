/**
 * Suites in every engine: `npm run engines -- [--engine node,chromium,firefox,webkit] [--part kernel,curve,groups,store,vectors]
 * [--kernel wasm,noble] [--comparisons N] [--vectors DIR]`. Exit code 1 if a case fails or an engine cannot be had.
 *
 * `kernel`: the kernel against noble and SubtleCrypto, N random comparisons of each function. `curve`: the same for Ed25519, N
 * signatures. `groups`: a group with each
 * cipher suite. `store`: the conformance suite of the stores in memory and in IndexedDB. `vectors`: the official test vectors in
 * DIR; `npm run vectors -- --engine ...` finds them.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ENGINES, type Engine, type EngineName, type Progress } from "./engines.ts";
import { install } from "./install.ts";
import { bundle, serve } from "./serve.ts";

/** Long enough that calls cost nothing, short enough that progress shows. */
const SLICE_MS = 5_000;

const path = (fromHere: string): string => fileURLToPath(new URL(fromHere, import.meta.url));

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: Object.keys(ENGINES).join(",") },
    part: { type: "string", default: "kernel,curve,groups,store" },
    kernel: { type: "string", default: "wasm,noble" },
    comparisons: { type: "string", default: "10000" },
    vectors: { type: "string", default: "" },
  },
});
const comparisons = Number(values.comparisons);
if (!Number.isInteger(comparisons) || comparisons < 1) throw new RangeError("--comparisons takes a number from 1");

/** What was asked for, each of it one of `known`. */
function chosen<T extends string>(option: string, known: readonly T[]): T[] {
  return option.split(",").map((name) => {
    const found = known.find((one) => one === name);
    if (found === undefined) throw new RangeError(`no "${name}"; there are ${known.join(", ")}`);
    return found;
  });
}

const engines = chosen(values.engine, Object.keys(ENGINES) as EngineName[]);
const kernels = chosen(values.kernel, ["wasm", "noble"]);

/** The module with a suite, the folder that it reads, and what to start it with. */
interface Part {
  readonly entry: string;
  readonly folder?: string;
  readonly options: (url: string) => object;
}

const CORE = path("../../../packages/core/test/engines/inside.ts");
const PARTS: Readonly<Record<"kernel" | "curve" | "groups" | "store" | "vectors", Part>> = {
  kernel: { entry: path("inside.ts"), options: () => ({ comparisons }) },
  curve: { entry: path("../../../packages/core/test/engines/curve.ts"), options: () => ({ comparisons }) },
  groups: { entry: CORE, options: () => ({ kernels, groups: true, vectors: [] }) },
  store: { entry: path("../../../packages/storage/test/engines/inside.ts"), options: () => ({}) },
  vectors: {
    entry: CORE,
    folder: values.vectors,
    options: (url) => {
      const all = readdirSync(values.vectors, { recursive: true, encoding: "utf8" });
      const names = all.filter((name) => name.endsWith(".json"));
      return { kernels, groups: false, vectors: names.map((name) => `${url}files/${name}`) };
    },
  },
};

/** Runs all cases; returns how many passed and what failed. */
async function runAll(engine: Engine, options: object): Promise<Progress> {
  await engine.start(options);
  for (;;) {
    const progress = await engine.proceed(SLICE_MS);
    if (progress.left === 0) return progress;
  }
}

let passed = 0;
let failed = 0;
for (const part of chosen(values.part, ["kernel", "curve", "groups", "store", "vectors"])) {
  const { entry, folder, options } = PARTS[part];
  const site = await serve(await bundle(entry), folder);
  for (const name of engines) {
    const start = performance.now();
    let engine: Engine | undefined;
    try {
      if (name !== "node") install(name);
      engine = await ENGINES[name](site);
      const result = await runAll(engine, options(site.url));
      const seconds = ((performance.now() - start) / 1_000).toFixed(0);
      console.log(
        `${part} in ${engine.version}: ${result.passed} passed, ${result.failures.length} failed, ${seconds} s`,
      );
      for (const failure of result.failures) console.log(`  FAILED ${failure}`);
      passed += result.passed;
      failed += result.failures.length;
    } catch (error) {
      console.log(`${part} in ${name}: FAILED ${error instanceof Error ? error.message : String(error)}`);
      failed++;
    } finally {
      await engine?.close();
    }
  }
  site.close();
}
console.log(`engines: ${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
