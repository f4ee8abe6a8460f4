/**
 * Installs the dependencies that the lockfile names, if anything is missing. Runs before every root script, so it uses
 * nothing that an old Node.js lacks: it is what tells people that theirs is too old.
 */
import { spawn } from "node:child_process";
import { nodeProblem } from "./lib/node-version.mjs";
import { root } from "./lib/root.mjs";

const PNPM = "pnpm@12.21.0";

const problem = nodeProblem(process.versions.node);
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}

/** After this many milliseconds people want to know what they wait for. */
const PATIENCE = 2_000;

let output = "";
let isShown = false;
/** @param {string} text */
const print = (text) => {
  if (isShown) process.stdout.write(text);
  else output += text;
};

// One string: on Windows npx is a .cmd file, which only a shell can start.
const command = `npx -y ${PNPM} install --frozen-lockfile --prefer-offline --reporter=append-only`;
const child = spawn(command, { cwd: root, shell: true, stdio: ["ignore", "pipe", "pipe"] });
for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", print);
const timer = setTimeout(() => {
  console.log("Installing the dependencies that the lockfile names (half a minute the first time) …");
  isShown = true;
  process.stdout.write(output);
}, PATIENCE);
child.once("close", (code) => {
  clearTimeout(timer);
  if (code === 0) return;
  console.error(`${isShown ? "" : output}\nInstalling the dependencies failed (see above).`);
  process.exitCode = 1;
});
