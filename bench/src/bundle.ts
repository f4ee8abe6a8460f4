/** Bundles the scenarios, so that every engine runs the same file, minified as in production. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** @returns paths of the bundles in `outdir` */
export async function bundle(outdir: string): Promise<{ readonly inside: string; readonly worker: string }> {
  await build({
    entryPoints: [
      fileURLToPath(new URL("inside.ts", import.meta.url)),
      fileURLToPath(new URL("inside-worker.ts", import.meta.url)),
    ],
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["@coppice/source"],
    logLevel: "error",
  });
  return { inside: `${outdir}/inside.mjs`, worker: `${outdir}/inside-worker.mjs` };
}
