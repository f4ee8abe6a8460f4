/** The engines, each behind the two calls of `inside.ts`. */
import { existsSync } from "node:fs";
import { type BrowserType, type LaunchOptions, chromium, firefox, webkit } from "playwright";
import { PLACES } from "./install.ts";
import type { Site } from "./serve.ts";
import { openWebKitGtk } from "./webdriver.ts";

/** How far a suite has got. */
export interface Progress {
  readonly passed: number;
  readonly failures: readonly string[];
  /** Cases that have not run yet. */
  readonly left: number;
}

export interface Engine {
  readonly version: string;
  /** Options that JSON can carry. */
  readonly start: (options: object) => Promise<void>;
  readonly proceed: (milliseconds: number) => Promise<Progress>;
  readonly close: () => Promise<void>;
}

export type EngineName = "node" | "chromium" | "firefox" | "webkit";

/** Until the page's module has loaded. */
const LOADED = "while (globalThis.suite === undefined) await new Promise((resolve) => setTimeout(resolve, 20));";

/** Opens an engine by its name. `suite` is the bundle. */
export const ENGINES: Readonly<Record<EngineName, (site: Site) => Promise<Engine>>> = {
  node: openNode,
  chromium: (site) =>
    openPlaywright("Chromium", site, chromium, {
      ...installed("COPPICE_CHROMIUM", PLACES.chromium),
      args: ["--no-sandbox"],
    }),
  firefox: (site) => {
    const options = installed("COPPICE_FIREFOX", PLACES.firefox);
    // The protocol that a Firefox not built for Playwright understands.
    const channel = options.executablePath === undefined ? {} : { channel: "moz-firefox" };
    return openPlaywright("Firefox", site, firefox, { ...options, ...channel });
  },
  webkit: (site) => {
    const { executablePath } = installed("COPPICE_WEBKIT", PLACES.webkit);
    return executablePath === undefined ? openPlaywright("WebKit", site, webkit, {}) : openDriver(site, executablePath);
  },
};

async function openNode({ script }: Site): Promise<Engine> {
  const url = `data:text/javascript;base64,${Buffer.from(script).toString("base64")}`;
  const inside = (await import(url)) as Pick<Engine, "start" | "proceed">;
  return { version: `Node ${process.versions.node}`, ...inside, close: async () => {} };
}

async function openPlaywright(name: string, { url }: Site, type: BrowserType, options: LaunchOptions): Promise<Engine> {
  const browser = await type.launch(options);
  const page = await browser.newPage();
  await page.goto(url);
  const call = (body: string): Promise<unknown> => page.evaluate(`(async () => { ${LOADED} ${body} })()`);
  return {
    version: `${name} ${browser.version()}`,
    start: async (given) => {
      await call(`await suite.start(${JSON.stringify(given)})`);
    },
    proceed: async (milliseconds) => (await call(`return suite.proceed(${milliseconds})`)) as Progress,
    close: () => browser.close(),
  };
}

async function openDriver({ url }: Site, browser: string): Promise<Engine> {
  const session = await openWebKitGtk(browser);
  await session.open(url);
  return {
    version: session.version,
    start: async (given) => {
      await session.evaluate(`${LOADED} await suite.start(arguments[0])`, [given]);
    },
    proceed: async (milliseconds) =>
      (await session.evaluate(`return suite.proceed(arguments[0])`, [milliseconds])) as Progress,
    close: () => session.close(),
  };
}

/** Options for an installed browser: the one that the variable names, else Debian's, else Playwright's own. */
function installed(variable: string, fallback: string): LaunchOptions {
  const executablePath = process.env[variable] ?? (existsSync(fallback) ? fallback : undefined);
  return executablePath === undefined ? {} : { executablePath };
}
