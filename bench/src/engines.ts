/** The places where scenarios run. */
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { chromium, firefox, type Browser, type LaunchOptions } from "playwright";
import type { Order } from "./inside.ts";
import type { Row } from "./scenario.ts";

/** Runs an order; `version` names the engine in the report. */
export interface Engine {
  readonly version: string;
  readonly run: (order: Order, report: (row: Row) => void) => Promise<void>;
  /** The browser, for what needs several contexts at once. */
  readonly browser: Browser | undefined;
  readonly close: () => Promise<void>;
}

export interface Bundles {
  readonly inside: string;
  readonly worker: string;
}

/** What an engine is opened with: the bundles, and where the server is that they come from. */
export interface Setting {
  readonly bundles: Bundles;
  readonly url: string;
}

async function openNode({ bundles }: Setting): Promise<Engine> {
  setFlagsFromString("--expose-gc");
  Object.assign(globalThis, { gc: runInNewContext("gc") as unknown });
  const inside = (await import(pathToFileURL(bundles.inside).href)) as typeof import("./inside.ts");
  return {
    version: `Node ${process.versions.node}`,
    run: inside.measureAll,
    browser: undefined,
    close: async () => {},
  };
}

/** Code of the page: hands the order to the worker and passes on what it posts. */
function relay(order: Order): Promise<void> {
  const worker = new Worker("/worker.mjs", { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<{ ready?: true; row?: Row; done?: true; error?: string }>) => {
      if (data.ready === true) worker.postMessage(order);
      if (data.row !== undefined) (globalThis as unknown as { report: (row: Row) => void }).report(data.row);
      if (data.done === true) resolve();
      if (data.error !== undefined) reject(new Error(data.error));
    };
    worker.onerror = (event) => {
      reject(new Error(event.message));
    };
  });
}

async function openBrowser({ url }: Setting, name: string, launch: () => Promise<Browser>): Promise<Engine> {
  const browser = await launch();
  return {
    version: `${name} ${browser.version()}`,
    run: async (order, report) => {
      const page = await browser.newPage();
      await page.exposeFunction("report", report);
      await page.goto(url);
      await page.evaluate(relay, order);
      await page.close();
    },
    browser,
    close: () => browser.close(),
  };
}

/** Options for an installed browser: the one that the variable names, else Debian's, else Playwright's own. */
function installed(variable: string, fallback: string): LaunchOptions {
  const executablePath = process.env[variable] ?? (existsSync(fallback) ? fallback : undefined);
  return executablePath === undefined ? {} : { executablePath };
}

/** Opens an engine by the name it has on the command line. */
export const ENGINES: Readonly<Record<string, (setting: Setting) => Promise<Engine>>> = {
  node: openNode,
  chromium: (setting) =>
    openBrowser(setting, "Chromium", () =>
      chromium.launch({
        ...installed("COPPICE_CHROMIUM", "/usr/bin/chromium"),
        args: ["--no-sandbox", "--js-flags=--expose-gc"],
      }),
    ),
  firefox: (setting) =>
    openBrowser(setting, "Firefox", () => {
      const options = installed("COPPICE_FIREFOX", "/usr/bin/firefox-esr");
      // The protocol that a Firefox not built for Playwright understands.
      return firefox.launch({
        ...options,
        ...(options.executablePath === undefined ? {} : { channel: "moz-firefox" }),
      });
    }),
};
