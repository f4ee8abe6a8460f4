/** `npm run model`: explores the protocol between contexts, as it is and with each planted bug. */
import { explore, type Exploration } from "./explore.ts";
import { BUGS } from "./bugs.ts";
import { protocol } from "./protocol.ts";
import { SCENARIOS } from "./scenarios.ts";

const BOUNDS = { states: 2_000_000, seconds: 300 };

const total = { states: 0, transitions: 0, depth: 0, passed: 0, failed: 0 };
const began = performance.now();

function note({ states, transitions, depth }: Exploration, isRight: boolean): void {
  total.states += states;
  total.transitions += transitions;
  total.depth = Math.max(total.depth, depth);
  if (isRight) total.passed++;
  else total.failed++;
}

const printed = (trace: readonly string[]): string => trace.map((label, i) => `  ${i + 1}. ${label}`).join("\n");

for (const scenario of SCENARIOS) {
  const found = explore(protocol(scenario), BOUNDS);
  const { violation, isComplete } = found;
  note(found, violation === undefined && isComplete);
  if (violation !== undefined)
    console.log(`VIOLATED  ${scenario.name}: ${violation.what}\n${printed(violation.trace)}`);
  else if (isComplete) console.log(`holds     ${scenario.name}: ${found.states} states`);
  else console.log(`TOO LARGE ${scenario.name}: ${found.states} states were not all`);
}

for (const scenario of SCENARIOS) {
  for (const bug of scenario.bugs) {
    const found = explore(protocol(scenario, bug), BOUNDS);
    const { violation } = found;
    note(found, violation !== undefined);
    if (violation === undefined) console.log(`NOT FOUND ${bug}: ${BUGS[bug]}`);
    else console.log(`found     ${bug} (${BUGS[bug]}): ${violation.what}\n${printed(violation.trace)}`);
  }
}

const { states, transitions, depth, passed, failed } = total;
const seconds = ((performance.now() - began) / 1000).toFixed(1);
console.log(
  `${states} states, ${transitions} transitions, depth ${depth}, ${seconds} s: ${passed} passed, ${failed} failed`,
);
if (failed > 0) process.exitCode = 1;
