/** The walking skeleton's story: three people, a real server that restarts, reloads, a removal; and what is left on the disks. */
import type { Page } from "@playwright/test";
import { readStoredSecrets, dumpIndexedDb } from "../fixtures/stored.ts";
import { expect, test, type Person } from "../fixtures/test.ts";

const TITLE = "Weekend";

async function signIn({ page }: Person, name: string): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("button", { name: "New group" })).toBeVisible();
}

async function say({ page }: Person, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

/** The text of a message, not its preview in the list of conversations or its announcement. */
const message = (page: Page, text: string): ReturnType<Page["getByText"]> =>
  page.getByRole("region", { name: "Messages" }).getByText(text, { exact: true });

async function expectToRead(people: readonly Person[], text: string): Promise<void> {
  for (const { page } of people) await expect(message(page, text)).toBeVisible();
}

/** Opens the conversation and its details. */
async function openConversation({ page }: Person): Promise<void> {
  await page
    .getByRole("navigation", { name: "Conversations" })
    .getByRole("button", { name: new RegExp(`^${TITLE}`) })
    .click();
  await expect(page.getByRole("heading", { level: 2, name: TITLE })).toBeVisible();
  const details = page.getByRole("button", { name: "Group details" });
  if ((await details.getAttribute("aria-expanded")) !== "true") await details.click();
  await expect(page.getByRole("complementary", { name: "Group details" })).toBeVisible();
}

async function add({ page }: Person, name: string): Promise<void> {
  await page.getByRole("textbox", { name: "Add person" }).fill(name);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("list", { name: "Members" }).getByText(name)).toBeVisible();
}

const safetyNumber = async ({ page }: Person): Promise<string> =>
  ((await page.getByRole("group", { name: "Safety number" }).textContent()) ?? "").replace(/\D/g, "");

/** All see the same epoch and the same safety number: they share one group state. */
async function expectAgreement(people: readonly Person[]): Promise<void> {
  await expect(async () => {
    const views = await Promise.all(
      people.map(async (person) => {
        const epoch = await person.page
          .getByRole("complementary", { name: "Group details" })
          .getByText(/^Epoch \d+$/)
          .textContent();
        return `${String(epoch)} ${await safetyNumber(person)}`;
      }),
    );
    expect(new Set(views).size).toBe(1);
    expect(views[0]).toMatch(/^Epoch \d+ \d{60}/);
  }).toPass();
}

test("three people talk, one is removed, the server restarts, pages reload, and nothing readable is left behind", async ({
  server,
  newPerson,
}) => {
  test.setTimeout(180_000);
  const [alice, bob, carol] = [await newPerson(), await newPerson(), await newPerson()];
  await signIn(alice, "alice");
  await signIn(bob, "bob");
  await signIn(carol, "carol");

  await test.step("a group is created and bob is invited by name", async () => {
    await alice.page.getByRole("button", { name: "New group" }).click();
    const dialog = alice.page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Group name" }).fill(TITLE);
    await dialog.getByRole("textbox", { name: "Invite people" }).fill("bob");
    await dialog.getByRole("button", { name: "Create group" }).click();
    await openConversation(alice);
    await openConversation(bob);
    await expectAgreement([alice, bob]);
  });

  await test.step("they chat both ways", async () => {
    await say(alice, "the walnut cake is in the tin");
    await expectToRead([alice, bob], "the walnut cake is in the tin");
    await say(bob, "and the tin is on the shelf");
    await expectToRead([alice, bob], "and the tin is on the shelf");
  });

  await test.step("a third person joins and reads from then on", async () => {
    await add(bob, "carol");
    await openConversation(carol);
    await expectAgreement([alice, bob, carol]);
    await say(carol, "hello from carol");
    await expectToRead([alice, bob, carol], "hello from carol");
    await expect(message(carol.page, "the walnut cake is in the tin")).toHaveCount(0);
  });

  await test.step("the server is killed and comes back; what was written meanwhile arrives", async () => {
    await server.kill();
    await say(alice, "written while the server was away");
    await expect(alice.page.getByRole("region", { name: "Messages" }).getByText("Sending…")).toBeVisible();
    await server.start();
    await expectToRead([bob, carol], "written while the server was away");
    await expect(alice.page.getByRole("region", { name: "Messages" }).getByText("Sending…")).toHaveCount(0);
  });

  await test.step("every page reloads and goes on where it was", async () => {
    for (const person of [alice, bob, carol]) {
      await person.page.reload();
      await openConversation(person);
    }
    await expectToRead([alice, bob], "the walnut cake is in the tin");
    await say(bob, "after the reload");
    await expectToRead([alice, bob, carol], "after the reload");
    await expectAgreement([alice, bob, carol]);
  });

  await test.step("carol is removed and can no longer read", async () => {
    await alice.page.getByRole("button", { name: "Remove carol" }).click();
    await alice.page.getByRole("button", { name: "Remove from group" }).click();
    await expect(carol.page.getByText("You were removed; you cannot read new messages.")).toBeVisible();
    await say(bob, "carol is not to know this");
    await expectToRead([alice, bob], "carol is not to know this");
    await carol.page.reload();
    await expect(carol.page.getByRole("button", { name: "New group" })).toBeVisible();
    await expect(carol.page.getByText("carol is not to know this")).toHaveCount(0);
    await expectAgreement([alice, bob]);
  });

  const texts = [
    "the walnut cake is in the tin",
    "and the tin is on the shelf",
    "hello from carol",
    "written while the server was away",
    "after the reload",
    "carol is not to know this",
    TITLE,
  ];

  await test.step("the server's database holds no plaintext of any message", async () => {
    const files = await server.readDatabase();
    expect(files.length).toBeGreaterThan(0);
    for (const text of texts) expect(files.some((file) => file.includes(text))).toBe(false);
  });

  await test.step("the raw IndexedDB holds neither plaintext nor private keys", async () => {
    for (const { page } of [alice, bob, carol]) {
      const secrets = await readStoredSecrets(page);
      expect(secrets.length).toBeGreaterThan(2);
      const raw = await dumpIndexedDb(page);
      // The names of records are structural and stand in clear: the dump did see the records.
      expect(raw.includes("group/state")).toBe(true);
      for (const text of texts) expect(raw.includes(text)).toBe(false);
      for (const secret of secrets) expect(raw.includes(secret)).toBe(false);
    }
  });
});
