/** The tests' page, built and served together with a Delivery Service; a browser to open it in. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createDeliveryServer } from "@coppice/server";
import type { Browser } from "playwright";
import { build, type InlineConfig } from "vite";
import { afterAll, beforeAll } from "vitest";
import { launch } from "./chromium.ts";

const root = join(import.meta.dirname, "page");
export const bundle: InlineConfig = { configFile: false, root, logLevel: "error", worker: { format: "es" } };
export const source: { readonly conditions: string[] } = {
  conditions: ["@coppice/source", "module", "browser", "import", "default"],
};

export interface SetUp {
  readonly browser: () => Browser;
  readonly folder: () => string;
  /** What was started by the tests of a file, ended after them. */
  readonly ends: (() => Promise<unknown>)[];
  /** Builds the page and serves it; its URL. */
  readonly serveBuilt: (name: string, config: InlineConfig) => Promise<string>;
}

export function setUp(): SetUp {
  const ends: (() => Promise<unknown>)[] = [];
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    browser = await launch();
    folder = await mkdtemp(join(tmpdir(), "coppice-worker-"));
  });

  afterAll(async () => {
    await browser.close();
    for (const end of ends) await end();
    await rm(folder, { recursive: true });
  });

  return {
    browser: () => browser,
    folder: () => folder,
    ends,
    serveBuilt: async (name, config) => {
      const outDir = join(folder, name);
      await build({ ...bundle, ...config, build: { outDir, emptyOutDir: true, minify: false } });
      const server = await createDeliveryServer({ port: 0, database: ":memory:", staticDirectory: outDir });
      ends.push(() => server.close());
      return server.url;
    },
  };
}
