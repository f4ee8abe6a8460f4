/**
 * Installs the dependencies that the lockfile names, if anything is missing. Runs before every root script, so it uses
 * nothing that an old Node.js lacks: it is what tells people that theirs is too old.
 */
import { spawnSync } from "node:child_process";
import { nodeProblem } from "./lib/node-version.mjs";
import { root } from "./lib/root.mjs";

const PNPM = "pnpm@12.21.0";

const problem = nodeProblem(process.versions.node);
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}

// One string: on Windows npx is a .cmd file, which only a shell can start.
const { status, stdout, stderr } = spawnSync(`npx -y ${PNPM} install --frozen-lockfile --prefer-offline`, {
  cwd: root,
  encoding: "utf8",
  shell: true,
});
if (status !== 0) {
  console.error(`${stdout}${stderr}\nInstalling the dependencies failed (see above).`);
  process.exit(1);
}
