/** Builds packages and examples. The WASM kernel's bytes are in the repository, so no other compiler is needed. */
import { join } from "node:path";
import { root } from "./root.mjs";
import { run } from "./run.mjs";
import { exampleFolders, filesNamed } from "./workspace.mjs";

/** @typedef {{ ok: boolean, output: string }} Outcome */

/** Compiles all packages to their `dist/`, as far as they changed. @returns {Promise<Outcome>} */
export function buildPackages() {
  return run(["tsc", "-b"]);
}

/** Builds the examples into their `dist/`. @returns {Promise<Outcome>} */
export async function buildExamples() {
  let output = "";
  for (const folder of exampleFolders.filter((example) => filesNamed([example], "vite.config.ts").length > 0)) {
    const result = await run(["vite", "build", "--logLevel", "warn"], { cwd: join(root, folder) });
    output += result.output;
    if (!result.ok) return { ok: false, output };
  }
  return { ok: true, output };
}

/** @returns {Promise<Outcome>} */
export async function build() {
  const packages = await buildPackages();
  if (!packages.ok) return packages;
  const examples = await buildExamples();
  return { ok: examples.ok, output: packages.output + examples.output };
}
