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
