/** The walking skeleton's story: three people, a real server that restarts, reloads, a removal; and what is left on the disks. */
import { readStoredSecrets, dumpIndexedDb } from "../fixtures/stored.ts";
import { expect, test } from "../fixtures/test.ts";
import {
  add,
  createGroup,
  expectAgreement,
  expectToRead,
  message,
  openConversation,
  say,
  signIn,
  TITLE,
} from "../support/chat.ts";

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
    await createGroup(alice, "bob");
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
