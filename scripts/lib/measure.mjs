/** Size of an entry as a bundler would ship it. */
import { relative } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

/** @typedef {{ path: string, kind: string, external?: boolean }} OutputImport */
/** @typedef {{ imports: OutputImport[], entryPoint?: string, inputs: Record<string, unknown> }} Output */

/**
 * Output files that are loaded with `entry`: along static imports, and along the dynamic imports of the modules in `loads`.
 * @param {Readonly<Record<string, Output>>} outputs of esbuild's metafile
 * @param {string} entry source path
 * @param {readonly string[]} loads parts of source paths
 * @returns {Set<string>}
 */
export function loadedOutputs(outputs, entry, loads) {
  /** @param {string} path */
  const isWanted = (path) => loads.some((part) => outputs[path]?.entryPoint?.includes(part) === true);
  const loaded = new Set(Object.keys(outputs).filter((path) => outputs[path]?.entryPoint === entry));
  // A Set hands out what is added while it is walked.
  for (const path of loaded) {
    for (const { path: imported, kind, external } of outputs[path]?.imports ?? []) {
      if (external !== true && (kind === "import-statement" || isWanted(imported))) loaded.add(imported);
    }
  }
  return loaded;
}

/**
 * Bundles and minifies `entry` and adds up what is loaded with it. Each file is compressed by itself, as a server does.
 * @param {{ root: string, entry: string, loads: readonly string[] }} options
 * @returns {Promise<{ minified: number, gzip: number, brotli: number }>} bytes
 */
export async function measure({ root, entry, loads }) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: ".",
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    metafile: true,
    write: false,
    allowOverwrite: true,
    legalComments: "none",
    logLevel: "error",
  });
  const loaded = loadedOutputs(metafile.outputs, entry, loads);
  const size = { minified: 0, gzip: 0, brotli: 0 };
  for (const { path, contents } of outputFiles) {
    if (!loaded.has(relative(root, path).replaceAll("\\", "/"))) continue;
    size.minified += contents.length;
    size.gzip += gzipSync(contents, { level: 9 }).length;
    size.brotli += brotliCompressSync(contents).length;
  }
  return size;
}
