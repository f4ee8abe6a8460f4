/** Shell commands in Markdown: all blocks of a document that begin with three backticks and `sh run` are one script. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { root } from "./root.mjs";
import { run } from "./run.mjs";

/**
 * The script, in which each line is where it is in the document; `undefined` if there is none.
 * @param {string} markdown
 * @returns {string | undefined}
 */
export function shellScript(markdown) {
  let isInside = false;
  const lines = markdown.split(/\r?\n/).map((line) => {
    if (isInside) {
      isInside = line.trim() !== "```";
      return isInside ? line : "";
    }
    isInside = /^```(?:sh|bash)\s+run\s*$/.test(line.trim());
    return "";
  });
  return lines.some((line) => line !== "") ? lines.join("\n") : undefined;
}

/**
 * Runs a script in an empty folder, with the command `coppice-server` of this tree. It stops at the first command that fails.
 * @param {string} script
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
export async function runShell(script) {
  const folder = mkdtempSync(join(tmpdir(), "coppice-docs-"));
  try {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const tsx = join(root, "node_modules/tsx/dist/loader.mjs");
    const command = `exec "${process.execPath}" --conditions=@coppice/source --import "${tsx}" "${join(root, "packages/server/src/bin.ts")}" "$@"`;
    writeFileSync(join(bin, "coppice-server"), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
    // Whatever the script leaves running ends with it.
    const ending = "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT; ";
    writeFileSync(join(folder, "script.sh"), `set -euo pipefail; ${ending}${script}`);
    const work = join(folder, "work");
    mkdirSync(work);
    const env = { PATH: [bin, process.env["PATH"] ?? ""].join(delimiter) };
    return await run(["bash", join(folder, "script.sh")], { cwd: work, env, timeoutSeconds: 300 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
