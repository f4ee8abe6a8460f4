/** What goes wrong is said in words, and the group goes on. */
import { expect, test } from "../fixtures/test.ts";
import {
  add,
  createGroup,
  expectAgreement,
  expectToRead,
  members,
  openConversation,
  say,
  signIn,
} from "../support/chat.ts";

test("a name that is taken, and a server that is away, are told apart at sign-in", async ({ server, newPerson }) => {
  const [alice, impostor, early] = [await newPerson(), await newPerson(), await newPerson()];
  await signIn(alice, "alice");
  await impostor.page.getByLabel("Your name").fill("alice");
  await impostor.page.getByRole("button", { name: "Sign in" }).click();
  await expect(impostor.page.getByRole("alert")).toContainText("Someone else has this name");

  await server.kill();
  await early.page.getByLabel("Your name").fill("early");
  await early.page.getByRole("button", { name: "Sign in" }).click();
  await expect(early.page.getByRole("alert")).toContainText(/server/i, { timeout: 30_000 });
  await server.start();
  await early.page.getByRole("button", { name: "Sign in" }).click();
  await expect(early.page.getByRole("button", { name: "New group" })).toBeVisible();
});

test("unknown names and oversized texts are refused in words; the group goes on", async ({ newPerson }) => {
  const [alice, bob] = [await newPerson(), await newPerson()];
  await signIn(alice, "alice");
  await signIn(bob, "bob");
  await createGroup(alice, "bob");
  await openConversation(alice);
  await openConversation(bob);

  await alice.page.getByRole("textbox", { name: "Add person" }).fill("nobody-at-all");
  await alice.page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(alice.page.getByRole("alert").first()).toContainText("nobody-at-all");

  await alice.page.getByRole("textbox", { name: "Add person" }).fill("bob");
  await alice.page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(alice.page.getByText(/bob.* already/i).first()).toBeVisible();

  await alice.page.getByRole("textbox", { name: "Message" }).fill("x".repeat(70_000));
  await expect(alice.page.getByText(/64 KiB/).first()).toBeVisible();

  await say(bob, "and on we go");
  await expectToRead([alice, bob], "and on we go");
  await expectAgreement([alice, bob]);
});

test("two members change the group at the same moment: both changes take effect", async ({ newPerson }) => {
  const people = [await newPerson(), await newPerson(), await newPerson(), await newPerson()] as const;
  const [alice, bob, carol, dave] = people;
  for (const [i, name] of ["alice", "bob", "carol", "dave"].entries()) await signIn(people[i] ?? alice, name);
  await createGroup(alice, "bob");
  await openConversation(alice);
  await openConversation(bob);
  await Promise.all([add(alice, "carol"), add(bob, "dave")]);
  await openConversation(carol);
  await openConversation(dave);
  for (const person of people) {
    for (const name of ["alice", "bob", "carol", "dave"]) await expect(members(person).getByText(name)).toBeVisible();
  }
  await expectAgreement(people);
  await say(dave, "everyone is here");
  await expectToRead(people, "everyone is here");
});
