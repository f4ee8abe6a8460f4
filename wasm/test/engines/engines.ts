/** The engines, each behind the two calls of `inside.ts`. */
import { existsSync } from "node:fs";
import { type BrowserType, type LaunchOptions, chromium, firefox, webkit } from "playwright";
import type { Progress } from "./inside.ts";
import { PLACES } from "./install.ts";
import { serve } from "./serve.ts";
import { openWebKitGtk } from "./webdriver.ts";

export interface Engine {
  readonly version: string;
  readonly start: (comparisons: number) => Promise<void>;
  readonly proceed: (milliseconds: number) => Promise<Progress>;
  readonly close: () => Promise<void>;
}

export type EngineName = "node" | "chromium" | "firefox" | "webkit";

/** Until the page's module has loaded. */
const LOADED = "while (globalThis.suite === undefined) await new Promise((resolve) => setTimeout(resolve, 20));";

/** Opens an engine by its name. `suite` is the bundle. */
export const ENGINES: Readonly<Record<EngineName, (suite: string) => Promise<Engine>>> = {
  node: openNode,
  chromium: (suite) =>
    openPlaywright("Chromium", suite, chromium, {
      ...installed("COPPICE_CHROMIUM", PLACES.chromium),
      args: ["--no-sandbox"],
    }),
  firefox: (suite) => {
    const options = installed("COPPICE_FIREFOX", PLACES.firefox);
    // The protocol that a Firefox not built for Playwright understands.
    const channel = options.executablePath === undefined ? {} : { channel: "moz-firefox" };
    return openPlaywright("Firefox", suite, firefox, { ...options, ...channel });
  },
  webkit: (suite) => {
    const { executablePath } = installed("COPPICE_WEBKIT", PLACES.webkit);
    return executablePath === undefined
      ? openPlaywright("WebKit", suite, webkit, {})
      : openDriver(suite, executablePath);
  },
};

async function openNode(suite: string): Promise<Engine> {
  const url = `data:text/javascript;base64,${Buffer.from(suite).toString("base64")}`;
  const inside = (await import(url)) as typeof import("./inside.ts");
  return { version: `Node ${process.versions.node}`, ...inside, close: async () => {} };
}

async function openPlaywright(name: string, suite: string, type: BrowserType, options: LaunchOptions): Promise<Engine> {
  const server = await serve(suite);
  const browser = await type.launch(options);
  const page = await browser.newPage();
  await page.goto(server.url);
  const call = (body: string): Promise<unknown> => page.evaluate(`(async () => { ${LOADED} ${body} })()`);
  return {
    version: `${name} ${browser.version()}`,
    start: async (comparisons) => {
      await call(`await suite.start(${comparisons})`);
    },
    proceed: async (milliseconds) => (await call(`return suite.proceed(${milliseconds})`)) as Progress,
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}

async function openDriver(suite: string, browser: string): Promise<Engine> {
  const server = await serve(suite);
  const session = await openWebKitGtk(browser);
  await session.open(server.url);
  return {
    version: session.version,
    start: async (comparisons) => {
      await session.evaluate(`${LOADED} await suite.start(arguments[0])`, [comparisons]);
    },
    proceed: async (milliseconds) =>
      (await session.evaluate(`return suite.proceed(arguments[0])`, [milliseconds])) as Progress,
    close: async () => {
      await session.close();
      server.close();
    },
  };
}

/** Options for an installed browser: the one that the variable names, else Debian's, else Playwright's own. */
function installed(variable: string, fallback: string): LaunchOptions {
  const executablePath = process.env[variable] ?? (existsSync(fallback) ? fallback : undefined);
  return executablePath === undefined ? {} : { executablePath };
}
