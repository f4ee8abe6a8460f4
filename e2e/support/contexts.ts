/** What specs do with several pages of one account. */
import type { Page } from "@playwright/test";
import { expect, type Profile, tell } from "../fixtures/contexts.ts";

export const texts = (who: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${who} ${index}`);

/** Pages of one profile that have opened an account. */
export async function open(
  profile: Profile,
  name: string,
  count: number,
  options: { readonly shared: boolean; readonly obedient?: boolean },
): Promise<Page[]> {
  const pages: Page[] = [];
  for (let index = 0; index < count; index++) {
    const page = await profile.newPage();
    expect(await tell(page, "open", name, options)).toBe("open");
    pages.push(page);
  }
  return pages;
}

export function nth(pages: readonly Page[], index: number): Page {
  const page = pages[index];
  if (page === undefined) throw new Error(`There is no page ${index}`);
  return page;
}

/** What a page has read, once it is all of `expected`: each text once, and nothing else. */
export async function expectOnce(page: Page, id: string, expected: readonly string[]): Promise<void> {
  const wanted = [...new Set(expected)].sort();
  await expect
    .poll(async () => (await tell(page, "read", id)).map(([text]) => text).sort(), { timeout: 30_000 })
    .toEqual(wanted);
}

export async function expectSent(page: Page, id: string): Promise<void> {
  await expect
    .poll(async () => (await tell(page, "read", id)).filter(([, state]) => state !== "sent"), { timeout: 30_000 })
    .toEqual([]);
}
