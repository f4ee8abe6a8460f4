/** Several pages of one account: one engine and one connection, and nothing is lost when pages and workers are killed. */
import type { CDPSession, Page } from "@playwright/test";
import { expect, type Profile, tell, test } from "../fixtures/contexts.ts";

const texts = (who: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${who} ${index}`);

/** Pages of one profile that have opened an account. */
async function open(profile: Profile, name: string, count: number, shared: boolean): Promise<Page[]> {
  const pages: Page[] = [];
  for (let index = 0; index < count; index++) {
    const page = await profile.newPage();
    expect(await tell(page, "open", name, { shared })).toBe("open");
    pages.push(page);
  }
  return pages;
}

function nth(pages: readonly Page[], index: number): Page {
  const page = pages[index];
  if (page === undefined) throw new Error(`There is no page ${index}`);
  return page;
}

/** What a page has read, once it is all of `expected`: each text once, and nothing else. */
async function expectOnce(page: Page, id: string, expected: readonly string[]): Promise<void> {
  const wanted = [...new Set(expected)].sort();
  await expect
    .poll(async () => (await tell(page, "read", id)).map(([text]) => text).sort(), { timeout: 30_000 })
    .toEqual(wanted);
}

async function expectSent(page: Page, id: string): Promise<void> {
  await expect
    .poll(async () => (await tell(page, "read", id)).filter(([, state]) => state !== "sent"), { timeout: 30_000 })
    .toEqual([]);
}

test("a shared worker with four pages holds one engine and one connection", async ({ gate, newProfile }) => {
  const [alice, bob] = [await newProfile(), await newProfile()];
  const [other] = await open(bob, "bob", 1, false);
  if (other === undefined) throw new Error("no page");
  await expect.poll(() => gate.open).toBe(1);
  const pages = await open(alice, "alice", 4, true);
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

for (const shared of [true, false]) {
  test(`killing pages and ${shared ? "their shared worker" : "their workers"} loses nothing`, async ({
    browser,
    browserName,
    newProfile,
  }) => {
    const [alice, bob] = [await newProfile(), await newProfile()];
    const [other] = await open(bob, "bob", 1, false);
    const pages = await open(alice, "alice", 4, shared);
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
    if (shared && browserName === "chromium") await endSharedWorkers(await browser.newBrowserCDPSession());
    for (const page of pages.slice(2)) await page.close();
    await Promise.all(sending);

    // What was stored but not acknowledged any more may arrive as well, but nothing twice.
    const [again] = await open(alice, "alice", 1, shared);
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
  const pages = await open(alice, "alice", 4, false);
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

test("a leader that is frozen is replaced within 5 s, and does no harm when it wakes", async ({
  browserName,
  gate,
  newProfile,
}) => {
  test.skip(browserName !== "chromium", "only Chromium's debugger can freeze a worker from here");
  test.setTimeout(180_000);
  const [alice, bob] = [await newProfile(), await newProfile()];
  const [other] = await open(bob, "bob", 1, false);
  const pages = await open(alice, "alice", 4, false);
  if (other === undefined) throw new Error("no page");
  const id = await tell(nth(pages, 0), "createGroup", "Lunch", ["bob"]);
  for (const page of [...pages, other]) await expect.poll(() => tell(page, "conversations")).toEqual([id]);
  await tell(nth(pages, 1), "send", id, texts("before", 3));
  await expectOnce(other, id, texts("before", 3));

  const before = gate.opened;
  const thaw = await freezeWorker(nth(pages, 0));
  const frozen = Date.now();
  await expect.poll(() => gate.opened, { timeout: 8_000, intervals: [50] }).toBeGreaterThan(before);
  expect(Date.now() - frozen).toBeLessThan(5_000);
  for (const page of pages.slice(1)) await tell(page, "send", id, [`frozen ${pages.indexOf(page)}`]);
  const expected = [...texts("before", 3), "frozen 1", "frozen 2", "frozen 3"];
  await expectOnce(other, id, expected);

  await new Promise((resolve) => setTimeout(resolve, Math.max(0, 60_000 - (Date.now() - frozen))));
  await thaw();
  await tell(nth(pages, 0), "send", id, ["awake"]);
  await tell(nth(pages, 2), "send", id, ["others"]);
  for (const page of [...pages, other]) await expectOnce(page, id, [...expected, "awake", "others"]);
  await expectSent(nth(pages, 0), id);
  await expect.poll(() => gate.open).toBe(2);
});

/** Ends shared workers as a crash would. */
async function endSharedWorkers(session: CDPSession): Promise<void> {
  const { targetInfos } = await session.send("Target.getTargets");
  const workers = targetInfos.filter(({ type }) => type === "shared_worker");
  expect(workers).toHaveLength(1);
  for (const { targetId } of workers) await session.send("Target.closeTarget", { targetId });
  await session.detach();
}

/** Stops a page's dedicated worker in the debugger; returns what lets it go on. */
async function freezeWorker(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  const attached = new Promise<string>((resolve) => {
    session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
      if (targetInfo.type === "worker") resolve(sessionId);
    });
  });
  await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  const sessionId = await attached;
  let last = 0;
  const post = (method: string): Promise<void> =>
    session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id: ++last, method }) });
  await post("Debugger.enable");
  await post("Debugger.pause");
  return async () => {
    await post("Debugger.resume");
    await post("Debugger.disable");
  };
}
