/** Real browsers: profiles on disk that can be copied, killed and opened again. */
import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, firefox, type BrowserContext, type Page as Tab } from "playwright";
import type { Page } from "./page/main.ts";

export type EngineName = "chromium" | "firefox";

const PATHS: Readonly<Record<EngineName, { readonly variable: string; readonly installed: string }>> = {
  chromium: { variable: "COPPICE_CHROMIUM", installed: "/usr/bin/chromium" },
  firefox: { variable: "COPPICE_FIREFOX", installed: "/usr/bin/firefox-esr" },
};

/** Where this engine's browser is; undefined if it is not installed. */
export function browserPath(engine: EngineName): string | undefined {
  const { variable, installed } = PATHS[engine];
  return process.env[variable] ?? (existsSync(installed) ? installed : undefined);
}

/** Milliseconds in which a browser opens a tab, or is seen to be gone. */
const OPENING_MS = 60_000;

function launch(engine: EngineName, folder: string): Promise<BrowserContext> {
  const executablePath = browserPath(engine);
  if (executablePath === undefined)
    throw new Error(`There is no ${engine}: name its path in ${PATHS[engine].variable}`);
  return engine === "chromium"
    ? chromium.launchPersistentContext(folder, {
        executablePath,
        args: ["--no-sandbox"],
        // Without it, reloads and navigations never meet a page from the cache.
        ignoreDefaultArgs: ["--disable-back-forward-cache"],
      })
    : firefox.launchPersistentContext(folder, { executablePath, channel: "moz-firefox" });
}

/** A browser profile with any number of tabs. */
export class Profile {
  readonly engine: EngineName;
  readonly #folder: string;
  readonly #saved: string;
  #context: BrowserContext | undefined;

  private constructor(engine: EngineName, folder: string) {
    this.engine = engine;
    this.#folder = folder;
    this.#saved = `${folder}-saved`;
  }

  static async create(engine: EngineName): Promise<Profile> {
    const profile = new Profile(engine, await mkdtemp(join(tmpdir(), "coppice-profile-")));
    await profile.start();
    return profile;
  }

  async start(): Promise<void> {
    this.#context = await launch(this.engine, this.#folder);
  }

  /** A tab that shows `url` and has run its module. Rejects once the browser is gone. */
  async openTab(url: string): Promise<Tab> {
    const context = this.#context;
    if (context === undefined) throw new Error("The browser is not running");
    const open = async (): Promise<Tab> => {
      const tab = await context.newPage();
      await tab.goto(url);
      await shown(tab);
      return tab;
    };
    // Playwright leaves what it was asked for unanswered if the browser is killed at the wrong moment.
    const gone = new Promise<never>((_, reject) =>
      context.once("close", () => {
        reject(new Error("The browser has been closed"));
      }),
    );
    return within(Promise.race([open(), gone]), OPENING_MS, `open ${url}`);
  }

  /** Closes the browser in an orderly way. */
  async stop(): Promise<void> {
    await this.#context?.close();
    this.#context = undefined;
  }

  /** Ends the browser as a power cut would (SIGKILL), with everything that it started. */
  async kill(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#context?.once("close", () => resolve()));
    // Playwright starts a browser as the leader of a process group of its own.
    for (const pid of await this.#processes()) {
      try {
        process.kill(-pid, "SIGKILL");
      } catch {
        // No leader of a group, or gone by now.
      }
    }
    await within(closed, OPENING_MS, "see that the browser is gone");
    this.#context = undefined;
  }

  /** Processes that name the profile's folder on their command line. */
  async #processes(): Promise<readonly number[]> {
    const found: number[] = [];
    for (const entry of await readdir("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      const command = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
      if (command.includes(this.#folder)) found.push(Number(entry));
    }
    return found;
  }

  /** Copies the profile's files; the browser must not be running. */
  async save(): Promise<void> {
    await rm(this.#saved, { recursive: true, force: true });
    await cp(this.#folder, this.#saved, { recursive: true });
  }

  /** Puts the copied files back, as restoring a backup of the profile does. */
  async restore(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    await cp(this.#saved, this.#folder, { recursive: true });
  }

  async dispose(): Promise<void> {
    await this.stop();
    for (const folder of [this.#folder, this.#saved]) await rm(folder, { recursive: true, force: true });
  }
}

/** Waits until a tab that is on its way to the page has run the page's module. */
export async function shown(tab: Tab): Promise<void> {
  // Not `waitForFunction`, which the page's Content-Security-Policy can keep from working.
  for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
    // On the way, there is no document to ask.
    if (await tab.evaluate(() => "page" in globalThis).catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("The page was not shown within 30 s");
}

/** Calls one of the page's functions by name; fails after `limit` milliseconds. */
export async function call<K extends keyof Page>(
  tab: Tab,
  name: K,
  args: Parameters<Page[K]>,
  limit = 60_000,
): Promise<Awaited<ReturnType<Page[K]>>> {
  const work = tab.evaluate(
    async ([method, values]) => {
      const { page } = globalThis as unknown as { page: Record<string, (...given: unknown[]) => unknown> };
      return page[method]?.(...values);
    },
    [name, args] as [string, unknown[]],
  );
  return (await within(work, limit, name)) as Awaited<ReturnType<Page[K]>>;
}

/** What `work` comes to; rejects after `limit` milliseconds. */
async function within<T>(work: Promise<T>, limit: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} did not settle within ${String(limit)} ms`));
    }, limit);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
