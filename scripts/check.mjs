/** `npm run check`: types, lint and the fast unit tests, for the fast loop. */
import { checks, fastUnit, runStages } from "./lib/stages.mjs";
import { summarize } from "./lib/summary.mjs";

const stages = [
  { name: "types", run: checks(["tsc", "-b"], ["tsc", "-p", "tsconfig.tests.json"]) },
  fastUnit,
  // A cached result may be stale where a rule depends on another file's types; `npm test` lints without a cache.
  { name: "lint", run: checks(["eslint", "--cache", "--cache-location", ".cache/eslint", "."]) },
];
const results = await runStages(stages, { ci: false, concurrency: 2 });
console.log(summarize(results));
if (results.some(({ failed }) => failed > 0)) process.exitCode = 1;
