/**
 * Type-checks and runs the examples in README.md, docs/, the packages' READMEs and the doc comments of their sources: code
 * blocks marked `ts run` or `ts check`. They see the packages under their names, as an application does, and the files of
 * docs/examples beside them. Runs the commands in blocks marked `sh run`, too.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { undocumented } from "./lib/api-docs.mjs";
import { root } from "./lib/root.mjs";
import { run } from "./lib/run.mjs";
import { runShell, shellScript } from "./lib/shell-docs.mjs";
import { docComments, extractSnippets } from "./lib/snippets.mjs";
import { exampleFolders, filesNamed, manifest, packageFolders } from "./lib/workspace.mjs";

const workplace = join(root, ".cache/docs");

/** @returns {string[]} Markdown files, relative to the root */
function documents() {
  const docs = existsSync(join(root, "docs"))
    ? readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    : [];
  return [
    ...filesNamed(["."], "README.md"),
    ...docs.filter((file) => file.endsWith(".md")).map((file) => `docs/${file.replaceAll("\\", "/")}`),
    ...filesNamed([...packageFolders, ...exampleFolders], "README.md"),
  ];
}

/** @returns {string[]} source files of the packages, relative to the root */
function sources() {
  return packageFolders.flatMap((folder) =>
    readdirSync(join(root, folder, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => `${folder}/src/${file.replaceAll("\\", "/")}`),
  );
}

/** @param {string} file @returns {string} its Markdown, each line in its place */
function markdownOf(file) {
  const text = readFileSync(join(root, file), "utf8");
  return file.endsWith(".md") ? text : docComments(text);
}

function makeWorkplace() {
  rmSync(workplace, { recursive: true, force: true });
  for (const folder of packageFolders) {
    const link = join(workplace, "node_modules", manifest(folder).name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, folder), link, "junction");
  }
  cpSync(join(root, "docs/examples"), workplace, { recursive: true });
  // An example that asserts something must be able to fail; in Node.js, console.assert only prints.
  const throwOnAssert = `import { ok } from "node:assert/strict";\nconsole.assert = ok;\n`;
  writeFileSync(join(workplace, "throw-on-assert.mjs"), throwOnAssert);
  writeFileSync(join(workplace, "package.json"), JSON.stringify({ type: "module" }));
  const compilerOptions = {
    ...{ composite: false, declaration: false, declarationMap: false, isolatedDeclarations: false, noEmit: true },
    ...{ types: ["node"], noUnusedLocals: false, noUnusedParameters: false },
  };
  const config = { extends: relative(workplace, join(root, "tsconfig.base.json")), compilerOptions, include: ["*.ts"] };
  writeFileSync(join(workplace, "tsconfig.json"), JSON.stringify(config));
}

makeWorkplace();
/** @type {{ place: string, file: string, mode: "run" | "check" }[]} */
const snippets = [];
for (const document of [...documents(), ...sources()]) {
  for (const { line, mode, code } of extractSnippets(markdownOf(document))) {
    const file = `${document.replace(/^\.\//, "").replaceAll("/", "_")}-line-${line}.ts`;
    writeFileSync(join(workplace, file), `${code}export {};\n`);
    snippets.push({ place: `${document}:${line}`, file, mode });
  }
}

const types = snippets.length === 0 ? { ok: true, output: "" } : await run(["tsc", "-p", workplace]);
/** @type {Map<string, string>} */
const problems = new Map();
/** @param {Iterator<{ file: string, mode: "run" | "check" }>} queue examples that nobody has taken yet */
async function takeTurns(queue) {
  for (let next = queue.next(); next.done !== true; next = queue.next()) {
    const { file, mode } = next.value;
    const wrong = types.output.split("\n").filter((line) => line.includes(file));
    if (wrong.length > 0) problems.set(file, wrong.join("\n"));
    else if (mode === "run") {
      const command = ["tsx", "--conditions=@coppice/source", "--import", "./throw-on-assert.mjs", file];
      const result = await run(command, { cwd: workplace, timeoutSeconds: 60 });
      if (!result.ok) problems.set(file, result.output);
    }
  }
}

const queue = snippets.values();
await Promise.all(Array.from({ length: availableParallelism() }, () => takeTurns(queue)));
for (const { place, file, mode } of snippets) {
  const problem = problems.get(file);
  console.log(
    `${problem === undefined ? "ok    " : "FAILED"} ${place} (${mode})${problem === undefined ? "" : `\n${problem}`}`,
  );
}
let commands = 0;
let failedCommands = 0;
for (const document of documents()) {
  const script = shellScript(readFileSync(join(root, document), "utf8"));
  if (script === undefined) continue;
  const { ok, output } = await runShell(script);
  commands += 1;
  if (!ok) failedCommands += 1;
  console.log(`${ok ? "ok    " : "FAILED"} ${document} (commands)${ok ? "" : `\n${output}`}`);
}
const base = ts.readConfigFile(join(root, "tsconfig.base.json"), (path) => readFileSync(path, "utf8"));
const { options } = ts.parseJsonConfigFileContent(base.config, ts.sys, root);
const lacking = undocumented(join(root, "packages/core/src/index.ts"), { ...options, noEmit: true });
for (const line of lacking) console.log(`FAILED packages/core/src/index.ts: ${line}`);

// Errors outside of the snippets themselves, in a package's sources.
const isTypesFailure = !types.ok && problems.size === 0;
if (isTypesFailure) console.log(types.output);
const failed = problems.size + lacking.length + failedCommands + (isTypesFailure ? 1 : 0);
console.log(`docs: ${snippets.length - problems.size + commands - failedCommands} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
