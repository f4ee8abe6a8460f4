/** What people do in the chat, by the names of its controls (examples/chat/README.md). */
import { expect, type Locator, type Page } from "@playwright/test";
import type { Person } from "../fixtures/test.ts";

export const TITLE = "Weekend";

export async function signIn({ page }: Person, name: string): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("button", { name: "New group" })).toBeVisible();
}

export async function say({ page }: Person, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

/** The text of a message, not its preview in the list of conversations or its announcement. */
export const message = (page: Page, text: string): Locator =>
  page.getByRole("region", { name: "Messages" }).getByText(text, { exact: true });

export async function expectToRead(people: readonly Person[], text: string): Promise<void> {
  for (const { page } of people) await expect(message(page, text)).toBeVisible();
}

/** Opens the conversation and its details. */
export async function openConversation({ page }: Person): Promise<void> {
  await page
    .getByRole("navigation", { name: "Conversations" })
    .getByRole("button", { name: new RegExp(`^${TITLE}`) })
    .click();
  await expect(page.getByRole("heading", { level: 2, name: TITLE })).toBeVisible();
  const details = page.getByRole("button", { name: "Group details" });
  if ((await details.getAttribute("aria-expanded")) !== "true") await details.click();
  await expect(page.getByRole("complementary", { name: "Group details" })).toBeVisible();
}

/** Creates the group and invites people by name. */
export async function createGroup({ page }: Person, invited: string): Promise<void> {
  await page.getByRole("button", { name: "New group" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Group name" }).fill(TITLE);
  await dialog.getByRole("textbox", { name: "Invite people" }).fill(invited);
  await dialog.getByRole("button", { name: "Create group" }).click();
  await expect(page.getByRole("heading", { level: 2, name: TITLE })).toBeVisible();
}

export const members = ({ page }: Person): Locator => page.getByRole("list", { name: "Members" });

export async function add({ page }: Person, name: string): Promise<void> {
  await page.getByRole("textbox", { name: "Add person" }).fill(name);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("list", { name: "Members" }).getByText(name)).toBeVisible();
}

const safetyNumber = async ({ page }: Person): Promise<string> =>
  ((await page.getByRole("group", { name: "Safety number" }).textContent()) ?? "").replace(/\D/g, "");

/** All are in the same epoch and see the same safety number. */
export async function expectAgreement(people: readonly Person[]): Promise<void> {
  await expect(async () => {
    const views = await Promise.all(
      people.map(async (person) => {
        const details = person.page.getByRole("complementary", { name: "Group details" });
        return `${String(await details.getAttribute("data-epoch"))} ${await safetyNumber(person)}`;
      }),
    );
    expect(new Set(views).size).toBe(1);
    expect(views[0]).toMatch(/^\d+ \d{60}$/);
  }).toPass();
}
