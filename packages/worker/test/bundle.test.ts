/** What a page loads. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const MAX_PAGE_BYTES = 15 * 1024;
const packageFolder = join(import.meta.dirname, "..");

async function bundle(entry: string) {
  const result = await build({
    entryPoints: [join(packageFolder, "src", entry)],
    absWorkingDir: packageFolder,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    conditions: ["@coppice/source"],
    external: ["crypto"],
    metafile: true,
    write: false,
  });
  const used = Object.values(result.metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  return { used, bytes: result.outputFiles[0]?.contents ?? new Uint8Array() };
}

describe("the page entry", () => {
  it("has nothing of core, client, storage, delivery or cryptography in it", async () => {
    const { used } = await bundle("index.ts");
    const foreign = used.filter((path) => !path.startsWith("src/") && !path.includes("/comlink/"));
    expect(foreign.filter((path) => !path.startsWith("../kit/src/"))).toEqual([]);
    expect(used.filter((path) => /^src\/(?:host|engine|worker|direct)/.test(path))).toEqual([]);
  });

  it("is at most 15 kB compressed", async () => {
    const { bytes } = await bundle("index.ts");
    expect(gzipSync(bytes, { level: 9 }).length).toBeLessThan(MAX_PAGE_BYTES);
  });

  it("is what this test can tell from the worker entry", async () => {
    const { used } = await bundle("worker.ts");
    for (const part of ["core/src/index.ts", "client/src", "storage/src", "delivery/src", "@noble", "@hpke"]) {
      expect(used.some((path) => path.includes(part))).toBe(true);
    }
  });
});
