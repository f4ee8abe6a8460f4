/** Several pages of one account, where it takes Chromium's speed. */
import { expect, tell, test } from "../fixtures/contexts.ts";
import { expectSent, nth, open } from "../support/contexts.ts";

test("more tabs than the server keeps connections for are online", async ({ gate, newProfile }) => {
  test.setTimeout(180_000);
  const alice = await newProfile();
  const pages = await open(alice, "alice", 18, { shared: false });
  const id = await tell(nth(pages, 0), "createGroup", "Notes", []);
  for (const page of pages) await expect.poll(() => tell(page, "online")).toBe(true);
  await expect.poll(() => tell(nth(pages, 17), "conversations")).toEqual([id]);
  await tell(nth(pages, 17), "send", id, ["from the last"]);
  await expectSent(nth(pages, 17), id);
  await expect.poll(() => gate.open).toBe(1);
});
