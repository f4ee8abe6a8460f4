/** Checks the packages as they would be published: packed, then looked at by publint and "are the types wrong?". */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { root } from "./lib/root.mjs";
import { run } from "./lib/run.mjs";
import { manifest, packageFolders } from "./lib/workspace.mjs";

/** ESM only: resolution of `require`, and of Node 10, is not offered. */
const IGNORED_RESOLUTIONS = new Set(["node10", "node16-cjs"]);

/** @param {string} folder @returns {Promise<string[]>} what is wrong */
async function problemsOf(folder) {
  const target = mkdtempSync(join(tmpdir(), "coppice-pack-"));
  try {
    const packed = await run(["npx", "-y", "pnpm@12.21.0", "pack", "--pack-destination", target], {
      cwd: join(root, folder),
    });
    const [file] = readdirSync(target);
    if (!packed.ok || file === undefined) return [packed.output];
    const data = new Uint8Array(readFileSync(join(target, file)));
    const { messages, pkg } = await publint({ pack: { tarball: data.buffer }, strict: true });
    const lint = messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`);
    const types = await checkPackage(createPackageFromTarballData(data));
    const wrong = types.types === false ? ["no types"] : types.problems;
    return [
      ...lint,
      ...wrong.flatMap((problem) => {
        if (typeof problem === "string") return [problem];
        if ("resolutionKind" in problem && IGNORED_RESOLUTIONS.has(problem.resolutionKind)) return [];
        return [`types: ${JSON.stringify(problem)}`];
      }),
    ];
  } finally {
    rmSync(target, { recursive: true });
  }
}

let isClean = true;
for (const folder of packageFolders) {
  if (manifest(folder).private === true) continue;
  const problems = await problemsOf(folder);
  console.log(`${folder}: ${problems.length === 0 ? "ok" : `\n  ${problems.join("\n  ")}`}`);
  isClean &&= problems.length === 0;
}
if (!isClean) process.exitCode = 1;
