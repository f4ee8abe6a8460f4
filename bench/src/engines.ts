/** The places where scenarios run. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { chromium, firefox, type Browser, type LaunchOptions } from "playwright";
import type { Order } from "./inside.ts";
import type { Row } from "./scenario.ts";

/** Runs an order; `version` names the engine in the report. */
export interface Engine {
  readonly version: string;
  readonly run: (order: Order, report: (row: Row) => void) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface Bundles {
  readonly inside: string;
  readonly worker: string;
}

async function openNode(bundles: Bundles): Promise<Engine> {
  const inside = (await import(pathToFileURL(bundles.inside).href)) as typeof import("./inside.ts");
  return { version: `Node ${process.versions.node}`, run: inside.measureAll, close: async () => {} };
}

/** Serves an empty page and the worker, cross-origin isolated: that gives the page the finest clock there is. */
async function serve(worker: string): Promise<{ url: string; close: () => void }> {
  const script = await readFile(worker);
  const server = createServer((request, response) => {
    const isWorker = request.url === "/worker.mjs";
    response.writeHead(200, {
      "content-type": isWorker ? "text/javascript" : "text/html",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(isWorker ? script : "<!doctype html><title>bench</title>");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${address.port}/`, close: () => server.close() };
}

/** Code of the page: hands the order to the worker and passes on what it posts. */
function relay(order: Order): Promise<void> {
  const worker = new Worker("/worker.mjs", { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<{ row?: Row; done?: true; error?: string }>) => {
      if (data.row !== undefined) (globalThis as unknown as { report: (row: Row) => void }).report(data.row);
      if (data.done === true) resolve();
      if (data.error !== undefined) reject(new Error(data.error));
    };
    worker.onerror = (event) => {
      reject(new Error(event.message));
    };
    worker.postMessage(order);
  });
}

async function openBrowser(bundles: Bundles, name: string, launch: () => Promise<Browser>): Promise<Engine> {
  const [server, browser] = await Promise.all([serve(bundles.worker), launch()]);
  return {
    version: `${name} ${browser.version()}`,
    run: async (order, report) => {
      const page = await browser.newPage();
      await page.exposeFunction("report", report);
      await page.goto(server.url);
      await page.evaluate(relay, order);
      await page.close();
    },
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}

/** Options for an installed browser: the one that the variable names, else Debian's, else Playwright's own. */
function installed(variable: string, fallback: string): LaunchOptions {
  const executablePath = process.env[variable] ?? (existsSync(fallback) ? fallback : undefined);
  return executablePath === undefined ? {} : { executablePath };
}

/** Opens an engine by the name it has on the command line. */
export const ENGINES: Readonly<Record<string, (bundles: Bundles) => Promise<Engine>>> = {
  node: openNode,
  chromium: (bundles) =>
    openBrowser(bundles, "Chromium", () =>
      chromium.launch({ ...installed("COPPICE_CHROMIUM", "/usr/bin/chromium"), args: ["--no-sandbox"] }),
    ),
  firefox: (bundles) =>
    openBrowser(bundles, "Firefox", () => {
      const options = installed("COPPICE_FIREFOX", "/usr/bin/firefox-esr");
      // The protocol that a Firefox not built for Playwright understands.
      return firefox.launch({
        ...options,
        ...(options.executablePath === undefined ? {} : { channel: "moz-firefox" }),
      });
    }),
};
