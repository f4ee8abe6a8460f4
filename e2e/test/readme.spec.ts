/** The README's ten lines run as they are written, and again. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@playwright/test";
import { build } from "esbuild";
import { DeliveryServer } from "../fixtures/delivery-server.ts";

const HERE = fileURLToPath(new URL("..", import.meta.url));

/** The first block of code in TypeScript. */
async function tenLines(): Promise<string> {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const [, lines = ""] = /^```ts [^\n]*\n(.*?)^```$/ms.exec(readme) ?? [];
  expect(lines).toContain(SERVER);
  return lines;
}

/** Where `npx coppice-server` listens. Here it is another port, which is all that differs. */
const SERVER = `"http://localhost:8080"`;

test("issue 11 (39): the README's ten lines run alone, and again as they stand", async ({ page }) => {
  const folder = await mkdtemp(join(tmpdir(), "coppice-readme-"));
  const lines = await tenLines();
  await build({
    stdin: { contents: lines.replace(SERVER, "location.origin"), loader: "ts", resolveDir: HERE },
    outfile: join(folder, "page.js"),
    ...{ bundle: true, format: "esm", target: "es2022", external: ["crypto"], logLevel: "error" },
  });
  await build({
    ...{ absWorkingDir: HERE, entryPoints: { worker: "coppice/worker" }, outdir: folder },
    ...{ bundle: true, format: "esm", target: "es2022", external: ["crypto"], logLevel: "error" },
  });
  await writeFile(
    join(folder, "index.html"),
    `<!doctype html><html lang="en"><title>Ten lines</title><script type="module" src="/page.js"></script></html>`,
  );
  const server = await DeliveryServer.start({ site: folder });
  const [printed, thrown]: [string[], Error[]] = [[], []];
  page.on("console", (message) => printed.push(message.text()));
  page.on("pageerror", (error) => thrown.push(error));
  try {
    await page.goto(server.url);
    for (const run of ["first", "second"]) {
      const number = /^(?:\d{5} ){11}\d{5}$/;
      await expect.poll(() => printed.filter((text) => number.test(text)).length, { message: run }).toBe(1);
      await expect.poll(() => printed.includes("alice Who brings the stove?"), { message: run }).toBe(true);
      expect(thrown).toEqual([]);
      printed.length = 0;
      if (run === "first") await page.reload();
    }
  } finally {
    await server.dispose();
    await rm(folder, { recursive: true });
  }
});
