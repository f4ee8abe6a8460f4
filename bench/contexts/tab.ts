/** A tab of a real browser, and its functions. */
import type { BrowserContext, Page as BrowserTab } from "playwright";
import type { Page } from "./page.ts";

export interface Tab {
  call<K extends keyof Page>(name: K, ...args: Parameters<Page[K]>): Promise<Awaited<ReturnType<Page[K]>>>;
  close(): Promise<void>;
}

export async function openTab(context: BrowserContext, url: string): Promise<Tab> {
  const tab: BrowserTab = await context.newPage();
  await tab.goto(url);
  await tab.waitForFunction("globalThis.page !== undefined");
  return {
    call: <K extends keyof Page>(name: K, ...args: Parameters<Page[K]>) =>
      tab.evaluate(
        ([method, values]) => {
          const { page } = globalThis as unknown as { page: Record<string, (...given: unknown[]) => unknown> };
          return page[method]?.(...values);
        },
        [name, args] as [string, unknown[]],
      ) as Promise<Awaited<ReturnType<Page[K]>>>,
    close: () => tab.close(),
  };
}

/** Waits until a page says so. */
export async function until(condition: () => Promise<boolean>, limit = 120_000): Promise<void> {
  for (const end = Date.now() + limit; !(await condition());) {
    if (Date.now() > end) throw new Error("It did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
