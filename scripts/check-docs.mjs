/**
 * Type-checks and runs the examples in README.md, docs/ and the packages' READMEs: code blocks marked `ts run` or
 * `ts check`. They see the packages under their names, as an application does.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "./lib/root.mjs";
import { run } from "./lib/run.mjs";
import { extractSnippets } from "./lib/snippets.mjs";
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

function makeWorkplace() {
  rmSync(workplace, { recursive: true, force: true });
  for (const folder of packageFolders) {
    const link = join(workplace, "node_modules", manifest(folder).name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, folder), link, "junction");
  }
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
for (const document of documents()) {
  for (const { line, mode, code } of extractSnippets(readFileSync(join(root, document), "utf8"))) {
    const file = `${document.replace(/^\.\//, "").replaceAll("/", "_")}-line-${line}.ts`;
    writeFileSync(join(workplace, file), `${code}export {};\n`);
    snippets.push({ place: `${document}:${line}`, file, mode });
  }
}

const types = snippets.length === 0 ? { ok: true, output: "" } : await run(["tsc", "-p", workplace]);
/** @type {Map<string, string>} */
const problems = new Map();
for (const { file, mode } of snippets) {
  const wrong = types.output.split("\n").filter((line) => line.includes(file));
  if (wrong.length > 0) problems.set(file, wrong.join("\n"));
  else if (mode === "run") {
    const result = await run(["tsx", "--conditions=@coppice/source", file], { cwd: workplace, timeoutSeconds: 60 });
    if (!result.ok) problems.set(file, result.output);
  }
}
for (const { place, file, mode } of snippets) {
  const problem = problems.get(file);
  console.log(
    `${problem === undefined ? "ok    " : "FAILED"} ${place} (${mode})${problem === undefined ? "" : `\n${problem}`}`,
  );
}
// Errors outside of the snippets themselves, in a package's sources.
const isTypesFailure = !types.ok && problems.size === 0;
if (isTypesFailure) console.log(types.output);
const failed = problems.size + (isTypesFailure ? 1 : 0);
console.log(`docs: ${snippets.length - problems.size} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
