/** The chat as people see it, in light and dark, with three real accounts on a real server. */
import { fileURLToPath } from "node:url";
import { expect, test, type Person } from "../fixtures/test.ts";

const FOLDER = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const TALK: readonly (readonly [number, string])[] = [
  [0, "Cabin is booked for the weekend. Who brings the stove?"],
  [1, "I have one. Bob, can you pick up the canoe?"],
  [2, "Only if somebody else steers."],
  [1, "Deal. Train at 7:40, platform 3."],
  [0, "I'll bring coffee for everyone."],
];

async function signIn({ page }: Person, name: string): Promise<void> {
  await page.setViewportSize({ width: 1180, height: 840 });
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("button", { name: "New group" })).toBeVisible();
}

async function createGroup({ page }: Person, title: string, invited: string): Promise<void> {
  await page.getByRole("button", { name: "New group" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Group name" }).fill(title);
  await dialog.getByRole("textbox", { name: "Invite people" }).fill(invited);
  await dialog.getByRole("button", { name: "Create group" }).click();
  await expect(page.getByRole("heading", { level: 2, name: title })).toBeVisible();
}

test("pictures of a conversation", async ({ newPerson }) => {
  const people = [await newPerson(), await newPerson(), await newPerson()] as const;
  const [alice, bob, carol] = people;
  await signIn(alice, "alice");
  await signIn(bob, "bob");
  await signIn(carol, "carol");
  await createGroup(carol, "Reading circle", "alice");
  await createGroup(alice, "Weekend at the lake", "bob, carol");
  for (const { page } of [bob, carol]) {
    await page.getByRole("button", { name: /^Weekend at the lake/ }).click();
  }
  const order = [alice, carol, bob];
  for (const [i, text] of TALK) {
    const { page } = order[i] ?? alice;
    await page.getByRole("textbox", { name: "Message" }).fill(text);
    await page.getByRole("button", { name: "Send" }).click();
    for (const person of people) {
      const messages = person.page.getByRole("region", { name: "Messages" });
      await expect(messages.getByText(text, { exact: true })).toBeVisible();
    }
  }
  const { page } = alice;
  await page.getByRole("button", { name: "Group details" }).click();
  await expect(page.getByRole("group", { name: "Safety number" })).toBeVisible();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${FOLDER}chat-${colorScheme}.png`, animations: "disabled" });
  }
  await page.setViewportSize({ width: 390, height: 780 });
  await page.getByRole("button", { name: "Close details" }).click();
  await page.emulateMedia({ colorScheme: "light" });
  await page.screenshot({ path: `${FOLDER}chat-phone.png`, animations: "disabled" });
});
