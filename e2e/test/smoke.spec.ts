/** The chat loads, signs in, survives a restart of the server and a reload. */
import { expect, test } from "../fixtures/test.ts";

test("the built chat is served with a policy that refuses inline code", async ({ server, newPerson }) => {
  const response = await fetch(server.url);
  expect(response.headers.get("content-security-policy")).toMatch(/script-src 'self'/);
  expect(response.headers.get("content-security-policy")).not.toMatch(/unsafe-inline|'unsafe-eval'/);
  const { page } = await newPerson();
  await expect(page.getByLabel("Your name")).toBeVisible();
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
});

test("a person signs in and is still signed in after a reload and a restart of the server", async ({
  server,
  newPerson,
}) => {
  const { page } = await newPerson();
  await page.getByLabel("Your name").fill("alice");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("button", { name: "New group" })).toBeVisible();
  await server.kill();
  await server.start();
  await page.reload();
  await expect(page.getByRole("button", { name: "New group" })).toBeVisible();
});

test("a group is created by keyboard alone, and the next thing typed is a message", async ({ newPerson }) => {
  const { page } = await newPerson();
  await page.getByLabel("Your name").fill("alice");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "New group" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Group name" })).toBeFocused();
  await page.keyboard.type("Weekend");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 2, name: "Weekend" })).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Message" })).toBeFocused();
  await page.keyboard.type("hello");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Messages" }).getByText("hello", { exact: true })).toBeVisible();
});

test("signing out in one tab signs out the other", async ({ server, newPerson }) => {
  const { context, page } = await newPerson();
  await page.getByLabel("Your name").fill("alice");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("button", { name: "New group" })).toBeVisible();
  const other = await context.newPage();
  await other.goto(server.url);
  await expect(other.getByRole("button", { name: "New group" })).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign out now" }).click();
  for (const tab of [page, other]) await expect(tab.getByRole("button", { name: "Sign in" })).toBeVisible();
});
