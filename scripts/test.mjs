/**
 * `npm test [-- --only stage,stage]`: everything, with a summary. The last line is `N passed, N failed` over all stages;
 * a stage that is not a test suite counts as one.
 */
import { parseArgs } from "node:util";
import { buildStage, runStages, staticStages, testStages } from "./lib/stages.mjs";
import { summarize } from "./lib/summary.mjs";

const stages = [buildStage, ...staticStages, ...testStages];
const { values } = parseArgs({ options: { only: { type: "string" } } });
const only = values.only?.split(",");
const unknown = only?.find((name) => !stages.some((stage) => stage.name === name));
if (unknown !== undefined) {
  console.error(`There is no stage "${unknown}". Stages: ${stages.map(({ name }) => name).join(", ")}.`);
  process.exit(1);
}

const ci = process.env["CI"] === "true" || process.env["CI"] === "1";
/** @param {import("./lib/stages.mjs").Stage} stage */
const chosen = (stage) => only?.includes(stage.name) ?? true;
const isBuildNeeded = stages.some((stage) => chosen(stage) && (stage === buildStage || stage.needsBuild === true));

const built = isBuildNeeded ? await runStages([buildStage], { ci, concurrency: 1 }) : [];
const isBuilt = built.every(({ failed }) => failed === 0);
const results = [
  ...built,
  ...(await runStages(staticStages.filter(chosen), { ci, isBuilt, concurrency: 2 })),
  // One at a time: browsers and timeouts suffer from company.
  ...(await runStages(testStages.filter(chosen), { ci, isBuilt, concurrency: 1 })),
];
console.log(summarize(results));
if (results.some(({ failed }) => failed > 0)) process.exitCode = 1;
