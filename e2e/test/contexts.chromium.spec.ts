/** Several pages of one account, where it takes Chromium's debugger or its speed. */
import type { Page } from "@playwright/test";
import { expect, tell, test } from "../fixtures/contexts.ts";
import { expectOnce, expectSent, nth, open, texts } from "../support/contexts.ts";

test("more tabs than the server keeps connections for are online", async ({ gate, newProfile }) => {
  test.setTimeout(180_000);
  const alice = await newProfile();
  const pages = await open(alice, "alice", 18, false);
  const id = await tell(nth(pages, 0), "createGroup", "Notes", []);
  for (const page of pages) await expect.poll(() => tell(page, "online")).toBe(true);
  await expect.poll(() => tell(nth(pages, 17), "conversations")).toEqual([id]);
  await tell(nth(pages, 17), "send", id, ["from the last"]);
  await expectSent(nth(pages, 17), id);
  await expect.poll(() => gate.open).toBe(1);
});

test("a leader that is frozen is replaced within 5 s, and does no harm when it wakes", async ({ gate, newProfile }) => {
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
  const post = async (method: string): Promise<void> => {
    const message = JSON.stringify({ id: ++last, method });
    await session.send("Target.sendMessageToTarget", { sessionId, message });
  };
  await post("Debugger.enable");
  await post("Debugger.pause");
  return async () => {
    await post("Debugger.resume");
    await post("Debugger.disable");
  };
}
