/** Several pages of one account: one engine and one connection, and nothing is lost when pages and workers are killed. */
import { expect, tell, test } from "../fixtures/contexts.ts";
import { expectOnce, expectSent, nth, open, texts } from "../support/contexts.ts";

test("a shared worker with four pages holds one engine and one connection", async ({ gate, newProfile }) => {
  const [alice, bob] = [await newProfile(), await newProfile()];
  const [other] = await open(bob, "bob", 1, { shared: false });
  if (other === undefined) throw new Error("no page");
  await expect.poll(() => gate.open).toBe(1);
  const pages = await open(alice, "alice", 4, { shared: true });
  await expect.poll(() => gate.open).toBe(2);
  expect(await tell(nth(pages, 0), "followers")).toBe(0);

  const id = await tell(nth(pages, 0), "createGroup", "Lunch", ["bob"]);
  for (const page of pages) {
    await expect.poll(() => tell(page, "conversations")).toEqual([id]);
    await tell(page, "listen", id);
  }
  await expect.poll(() => tell(other, "conversations")).toEqual([id]);
  await Promise.all(pages.map((page, index) => tell(page, "send", id, texts(`page ${index}`, 5))));
  await tell(other, "send", id, texts("bob", 5));
  const all = [...alice.acknowledged, ...bob.acknowledged];
  expect(all).toHaveLength(25);
  for (const page of [...pages, other]) await expectOnce(page, id, all);
  for (const page of pages) {
    await expect.poll(async () => (await tell(page, "told")).messages).toEqual(texts("bob", 5));
    expect((await tell(page, "told")).problems).toEqual([]);
  }
  expect([gate.open, gate.opened]).toEqual([2, 2]);

  await tell(nth(pages, 0), "close");
  await nth(pages, 1).close();
  await tell(nth(pages, 2), "send", id, ["still here"]);
  await expectOnce(other, id, [...all, "still here"]);
  expect([gate.open, gate.opened]).toEqual([2, 2]);
  await nth(pages, 2).close();
  await tell(nth(pages, 3), "close");
  await expect.poll(() => gate.open).toBe(1);
});

test("a second page that has another key is refused, and the first goes on", async ({ newProfile }) => {
  const alice = await newProfile();
  const [first, second, third] = [await alice.newPage(), await alice.newPage(), await alice.newPage()];
  expect(await tell(first, "open", "alice", { shared: true, passphrase: "right" })).toBe("open");
  expect(await tell(second, "open", "alice", { shared: true, passphrase: "wrong" })).toBe("ERR_STORE_WRONG_KEY");
  expect(await tell(second, "open", "alice", { shared: true })).toBe("ERR_STORE_WRONG_KEY");
  expect(await tell(third, "open", "Alice", { shared: true, passphrase: "right" })).toBe("open");
  const id = await tell(first, "createGroup", "Lunch", []);
  await expect.poll(() => tell(third, "conversations")).toEqual([id]);
});

/** How long a leader stands still. */
const FROZEN_MS = 60_000;

for (const shared of [true, false]) {
  test(`killing pages and ${shared ? "their shared worker" : "their workers"} loses nothing`, async ({
    newProfile,
  }) => {
    const [alice, bob] = [await newProfile(), await newProfile()];
    const [other] = await open(bob, "bob", 1, { shared: false });
    const pages = await open(alice, "alice", 4, { shared, obedient: true });
    if (other === undefined) throw new Error("no page");
    const id = await tell(nth(pages, 0), "createGroup", "Lunch", ["bob"]);
    for (const page of [...pages, other]) await expect.poll(() => tell(page, "conversations")).toEqual([id]);

    const sending = pages.map((page, index) =>
      tell(page, "send", id, texts(`page ${index}`, 25)).catch(() => undefined),
    );
    await expect.poll(() => alice.acknowledged.length).toBeGreaterThan(10);
    await nth(pages, 0).close();
    await expect.poll(() => alice.acknowledged.length).toBeGreaterThan(30);
    await nth(pages, 1).close();
    await tell(nth(pages, 2), "order", "end");
    for (const page of pages.slice(2)) await page.close();
    await Promise.all(sending);

    // What was stored but not acknowledged any more may arrive as well, but nothing twice.
    const [again] = await open(alice, "alice", 1, { shared, obedient: true });
    if (again === undefined) throw new Error("no page");
    await expectSent(again, id);
    const stored = (await tell(again, "read", id)).map(([text]) => text);
    expect(stored).toEqual([...new Set(stored)]);
    expect(stored).toEqual(expect.arrayContaining(alice.acknowledged));
    await expectOnce(other, id, stored);
    await tell(again, "send", id, ["back"]);
    await expectOnce(other, id, [...stored, "back"]);
    expect((await tell(other, "told")).problems).toEqual([]);
  });
}

test("four dedicated workers hold one connection, and replace the one that ends", async ({ gate, newProfile }) => {
  const alice = await newProfile();
  const pages = await open(alice, "alice", 4, { shared: false });
  await expect.poll(() => gate.open).toBe(1);
  await expect.poll(() => tell(nth(pages, 1), "followers")).toBe(3);
  for (const page of pages) await expect.poll(() => tell(page, "online")).toBe(true);
  const id = await tell(nth(pages, 3), "createGroup", "Notes", []);
  expect([gate.open, gate.opened]).toEqual([1, 1]);
  await nth(pages, 0).close();
  await expect.poll(() => gate.opened, { timeout: 5_000 }).toBe(2);
  await expect.poll(() => gate.open).toBe(1);
  for (const page of pages.slice(1)) {
    await expect.poll(() => tell(page, "online")).toBe(true);
    await tell(page, "send", id, ["after"]);
  }
  await expectSent(nth(pages, 2), id);
});

test("a leader that is frozen is replaced within 5 s, and does no harm when it wakes", async ({ gate, newProfile }) => {
  test.setTimeout(180_000);
  const [alice, bob] = [await newProfile(), await newProfile()];
  const [other] = await open(bob, "bob", 1, { shared: false });
  const pages = await open(alice, "alice", 4, { shared: false, obedient: true });
  if (other === undefined) throw new Error("no page");
  const id = await tell(nth(pages, 0), "createGroup", "Lunch", ["bob"]);
  for (const page of [...pages, other]) await expect.poll(() => tell(page, "conversations")).toEqual([id]);
  await tell(nth(pages, 1), "send", id, texts("before", 3));
  await expectOnce(other, id, texts("before", 3));

  const before = gate.opened;
  await tell(nth(pages, 0), "order", { standStill: FROZEN_MS });
  const frozen = Date.now();
  await expect.poll(() => gate.opened, { timeout: 8_000, intervals: [50] }).toBeGreaterThan(before);
  expect(Date.now() - frozen).toBeLessThan(5_000);
  for (const page of pages.slice(1)) await tell(page, "send", id, [`frozen ${pages.indexOf(page)}`]);
  const expected = [...texts("before", 3), "frozen 1", "frozen 2", "frozen 3"];
  await expectOnce(other, id, expected);

  // Done when it has woken up.
  await tell(nth(pages, 0), "send", id, ["awake"]);
  expect(Date.now() - frozen).toBeGreaterThan(FROZEN_MS - 1000);
  await tell(nth(pages, 2), "send", id, ["others"]);
  for (const page of [...pages, other]) await expectOnce(page, id, [...expected, "awake", "others"]);
  await expectSent(nth(pages, 0), id);
  await expect.poll(() => gate.open).toBe(2);
});

test("an account is wiped without being opened, also when it is damaged or open elsewhere", async ({ newProfile }) => {
  const profile = await newProfile();
  const [page, other] = [await profile.newPage(), await profile.newPage()];
  expect(await tell(page, "open", "alice")).toBe("open");
  await tell(page, "close");
  const [name = ""] = await tell(page, "databases");
  await tell(page, "damage", name);
  expect(await tell(page, "open", "alice")).toBe("ERR_STORE_CORRUPT");
  await tell(page, "wipe", "alice");
  expect(await tell(page, "databases")).toEqual([]);

  for (const shared of [false, true]) {
    expect(await tell(other, "open", `bob${shared}`, { shared })).toBe("open");
    await tell(page, "wipe", `bob${shared}`, { shared });
    expect(await tell(page, "databases")).toEqual([]);
    expect(await tell(other, "tryToCreate")).toBe("ERR_STORE_LOST");
    // Whoever is in the same worker is told at once.
    expect((await tell(other, "told")).problems.includes("ERR_STORE_LOST")).toBe(shared);
    await other.reload();
  }
});
