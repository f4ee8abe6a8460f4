/** The page under attack: the built SDK in a folder that the server serves. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions } from "esbuild";

const entry = (name: string): string => fileURLToPath(new URL(`page/${name}`, import.meta.url));

/** Bundles page and worker into a new folder and returns its path. */
export async function buildSite(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "coppice-attack-site-"));
  const options = {
    outdir: folder,
    bundle: true,
    minify: true,
    target: "es2022",
    conditions: ["@coppice/source"],
    logLevel: "error",
  } satisfies BuildOptions;
  await build({
    ...options,
    entryPoints: { main: entry("main.ts"), worker: entry("worker.ts") },
    format: "esm",
  });
  // Not every browser has modules as service workers.
  await build({
    ...options,
    entryPoints: { "service-worker": entry("service-worker.ts") },
    format: "iife",
  });
  await writeFile(
    join(folder, "index.html"),
    '<!doctype html><title>Attack</title><script type="module" src="/main.js"></script>\n',
  );
  return folder;
}
