/** Chromium and the page of these tests. */
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page as Tab } from "playwright";
import type { Page } from "./page/main.ts";

export function launch(): Promise<Browser> {
  const executablePath =
    process.env["COPPICE_CHROMIUM"] ?? (existsSync("/usr/bin/chromium") ? "/usr/bin/chromium" : undefined);
  return chromium.launch({ args: ["--no-sandbox"], ...(executablePath === undefined ? {} : { executablePath }) });
}

/** Calls one of the page's functions by name. */
export function call<K extends keyof Page>(tab: Tab, name: K, ...args: Parameters<Page[K]>): ReturnType<Page[K]> {
  return tab.evaluate(
    async ([method, values]) => {
      const { page } = globalThis as unknown as { page: Record<string, (...given: unknown[]) => unknown> };
      return page[method]?.(...values);
    },
    [name, args] as [string, unknown[]],
  ) as ReturnType<Page[K]>;
}

/** A tab with the page; its module has run when the page counts as loaded. */
export async function openTab(browser: Browser, url: string): Promise<Tab> {
  const tab = await browser.newPage();
  await tab.goto(url);
  return tab;
}
