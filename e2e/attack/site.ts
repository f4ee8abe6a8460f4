/** The page under attack: the built SDK in a folder that the server serves. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const entry = (name: string): string => fileURLToPath(new URL(`page/${name}`, import.meta.url));

/** Bundles page and worker into a new folder and returns its path. */
export async function buildSite(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "coppice-attack-site-"));
  await build({
    entryPoints: { main: entry("main.ts"), worker: entry("worker.ts") },
    outdir: folder,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    conditions: ["@coppice/source"],
    logLevel: "error",
  });
  await writeFile(
    join(folder, "index.html"),
    '<!doctype html><title>Attack</title><script type="module" src="/main.js"></script>\n',
  );
  return folder;
}
