/** The stages of `npm test` and `npm run check`. */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { getChromium } from "./chromium.mjs";
import { playwrightCounts, printedCounts, vitestCounts } from "./counts.mjs";
import { root } from "./root.mjs";
import { run } from "./run.mjs";
import { sum } from "./sum.mjs";
import { exampleFolders, filesNamed, packageFolders } from "./workspace.mjs";

/**
 * What a stage did: counts, a note on what was left out and why or on what failed, and the output to show if it failed.
 * @typedef {import("./counts.mjs").Counts & { note?: string, output: string }} Outcome
 */

/**
 * `needsBuild`: works on what `build` made. `ci`: run where nobody can fetch what is missing, so that leaving out is failing.
 * @typedef {{ name: string, needsBuild?: boolean, run: (context: { ci: boolean }) => Promise<Outcome> }} Stage
 */

/** Exit code of the vectors runner when there are no vectors and none can be had. */
export const NO_VECTORS = 3;

const reports = join(root, ".cache/reports");

/** @param {{ ok: boolean, output: string }} result @returns {Outcome} a stage that is one check */
const oneCheck = ({ ok, output }) => ({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, leftOut: 0, output });

/** @param {...(readonly string[])} commands all are run, also after one that failed @returns {() => Promise<Outcome>} */
export function checks(...commands) {
  return async () => {
    let ok = true;
    let output = "";
    for (const command of commands) {
      const result = await run(command);
      ok &&= result.ok;
      output += result.output;
    }
    return oneCheck({ ok, output });
  };
}

/** @param {boolean} ci @param {string} note @param {string} [output] @returns {Outcome} */
function leftOut(ci, note, output = "") {
  return {
    passed: 0,
    failed: ci ? 1 : 0,
    leftOut: 1,
    note: `LEFT OUT, NOTHING WAS TESTED: ${note}`,
    output: `${output}${note}\n`,
  };
}

/**
 * Runs a test runner that writes a JSON report.
 * @param {string} name of the report
 * @param {readonly string[]} command
 * @param {(report: unknown) => import("./counts.mjs").Counts} count
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 * @returns {Promise<Outcome>}
 */
async function reported(name, command, count, { cwd = root, env = {} } = {}) {
  mkdirSync(reports, { recursive: true });
  const report = join(reports, `${name}.json`);
  rmSync(report, { force: true });
  const vitest = [`--outputFile.json=${report}`];
  const isVitest = command[0] === "vitest";
  const { ok, output } = await run([...command, ...(isVitest ? vitest : [])], {
    cwd,
    env: { ...env, PLAYWRIGHT_JSON_OUTPUT_FILE: report, FORCE_COLOR: "0" },
  });
  if (!existsSync(report)) return oneCheck({ ok: false, output });
  const counts = count(JSON.parse(readFileSync(report, "utf8")));
  // A runner that fails without a failed test (an error outside of tests, no tests at all) is a failure too.
  return { ...counts, failed: !ok && counts.failed === 0 ? 1 : counts.failed, output };
}

/**
 * Runs commands of the root package that print what they counted, one after the other.
 * @param {readonly (readonly string[])[]} commands
 * @param {Record<string, string>} env
 * @returns {Promise<Outcome & { code: number }>} `code` is that of the first command that failed
 */
async function sumOf(commands, env) {
  /** @type {import("./sum.mjs").Ended[]} */
  const ended = [];
  for (const [script = "", ...options] of commands) {
    const result = await run(["npm", "run", "-s", "--ignore-scripts", script, "--", ...options], { env });
    ended.push({ ...result, command: [script, ...options].join(" ") });
  }
  return sum(ended);
}

const vitestReporters = ["--reporter=default", "--reporter=json"];

/** @type {Promise<string | undefined> | undefined} */
let chromium;

/** @param {boolean} ci @param {(env: { COPPICE_CHROMIUM: string }) => Promise<Outcome>} task @returns {Promise<Outcome>} */
async function withChromium(ci, task) {
  chromium ??= getChromium((line) => {
    console.log(`   ${line}`);
  });
  const path = await chromium;
  if (path === undefined) {
    return leftOut(
      ci,
      "no Chromium found and none could be installed. Install one, or set COPPICE_CHROMIUM to its path.",
    );
  }
  return task({ COPPICE_CHROMIUM: path });
}

/** @type {Stage[]} */
export const staticStages = [
  { name: "format", run: checks(["prettier", "--check", "--log-level=warn", "."]) },
  { name: "lint", run: checks(["eslint", "."]) },
  { name: "boundaries", run: checks(["node", "scripts/boundaries.mjs"]) },
  { name: "unused", run: checks(["knip", "--no-progress", "--no-config-hints"]) },
  {
    name: "types",
    run: checks(
      ["tsc", "-p", "tsconfig.tests.json"],
      ...filesNamed(exampleFolders, "tsconfig.json").map((path) => ["tsc", "--noEmit", "-p", path]),
    ),
  },
  { name: "packages", needsBuild: true, run: checks(["node", "scripts/packages.mjs"]) },
  {
    name: "docs",
    run: async () => {
      const { ok, output } = await run(["node", "scripts/check-docs.mjs"]);
      const counts = printedCounts(output);
      return counts === undefined ? oneCheck({ ok, output }) : { ...counts, output };
    },
  },
];

/** @type {Stage} */
export const unit = {
  name: "unit",
  run: () => reported("unit", ["vitest", "run", ...vitestReporters], vitestCounts),
};

/** Without `*.slow.test.ts`: what takes seconds and seldom breaks. @type {Stage} */
export const fastUnit = {
  name: "unit",
  run: () =>
    reported(
      "unit",
      ["vitest", "run", "--exclude", "**/*.slow.test.ts", "--exclude", "**/node_modules/**", ...vitestReporters],
      vitestCounts,
    ),
};

/** @type {Stage[]} */
export const testStages = [
  unit,
  { name: "model", run: () => sumOf([["model"]], {}) },
  { name: "interop", run: () => sumOf([["interop"]], {}) },
  {
    name: "vectors",
    run: async ({ ci }) => {
      const everywhere = await sumOf([["vectors"], ["vectors", "--kernel", "noble"]], {});
      if (everywhere.code === NO_VECTORS)
        return leftOut(ci, "the official test vectors are not here and could not be fetched.", everywhere.output);
      return everywhere;
    },
  },
  {
    name: "engines",
    run: ({ ci }) =>
      withChromium(ci, async (env) => {
        const groups = ["engines", "--part", "groups", "--engine", "node,chromium"];
        const curve = ["engines", "--part", "curve", "--engine", "node,chromium", "--comparisons", "1000"];
        const vectors = ["vectors", "--engine", "chromium"];
        const outcome = await sumOf([groups, curve, vectors, [...vectors, "--kernel", "noble"]], env);
        if (outcome.code === NO_VECTORS)
          return leftOut(ci, "the official test vectors are not here and could not be fetched.", outcome.output);
        return outcome;
      }),
  },
  {
    name: "browser",
    run: ({ ci }) =>
      withChromium(ci, async (env) => {
        /** @type {Outcome} */
        const sum = { passed: 0, failed: 0, leftOut: 0, output: "" };
        for (const config of filesNamed([...packageFolders, ...exampleFolders], "vitest.browser.config.ts")) {
          const name = `browser-${config.replaceAll("/", "-")}`;
          const command = ["vitest", "run", "--config", config, ...vitestReporters];
          const one = await reported(name, command, vitestCounts, { env });
          sum.passed += one.passed;
          sum.failed += one.failed;
          sum.leftOut += one.leftOut;
          if (one.failed > 0) sum.output += one.output;
        }
        return sum;
      }),
  },
  {
    name: "e2e",
    needsBuild: true,
    run: ({ ci }) =>
      withChromium(ci, (env) =>
        reported("e2e", ["playwright", "test", "--reporter=line,json"], playwrightCounts, {
          cwd: join(root, "e2e"),
          env,
        }),
      ),
  },
  {
    // The short forms: minutes of each are for a night (CONTRIBUTING.md).
    name: "attacks",
    needsBuild: true,
    run: ({ ci }) =>
      withChromium(ci, (env) => {
        /** @param {string} name */
        const attack = (name) => [name, "--seconds", "40", "--seed", "1"];
        const names = ["weather", "hammer", "crash", "freeze", "damage"];
        return sumOf(names.map(attack), env);
      }),
  },
  { name: "size", needsBuild: true, run: checks(["node", "scripts/size.mjs"]) },
];

/** @type {Outcome} */
const notBuilt = { passed: 0, failed: 1, leftOut: 0, output: "Not run, since the build failed." };

/** @type {Stage} */
export const buildStage = { name: "build", run: async () => oneCheck(await build()) };

/**
 * Runs stages, at most `concurrency` at a time, starting them in order; a failed one does not stop the others.
 * Each is reported when it is done, in full if it failed.
 * @param {readonly Stage[]} stages
 * @param {{ ci: boolean, concurrency: number, isBuilt?: boolean }} options `isBuilt` is false if the build failed
 * @returns {Promise<import("./summary.mjs").StageResult[]>} in the order of `stages`
 */
export async function runStages(stages, { ci, concurrency, isBuilt = true }) {
  /** @type {import("./summary.mjs").StageResult[]} */
  const results = new Array(stages.length);
  const queue = stages.entries();
  const worker = async () => {
    for (const [index, stage] of queue) {
      const start = performance.now();
      const { output, ...counts } = await (isBuilt || stage.needsBuild !== true ? stage.run({ ci }) : notBuilt);
      const seconds = (performance.now() - start) / 1_000;
      const tests = counts.passed + counts.failed > 1 ? ` ${counts.passed} passed, ${counts.failed} failed,` : "";
      if (counts.failed > 0) console.log(`\n──── ${stage.name} ────\n${output.trimEnd()}\n──── ${stage.name} ────\n`);
      const mark = counts.failed > 0 ? "FAILED" : counts.note === undefined ? "ok" : "LEFT OUT";
      console.log(`${mark.padEnd(6)} ${stage.name}${tests} ${seconds.toFixed(1)} s`);
      results[index] = { name: stage.name, seconds, ...counts };
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return results;
}
