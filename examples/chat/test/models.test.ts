import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeClient, FakeError } from "../dev/fake-client.ts";
import { ChatModel } from "../src/model/chat-model.ts";
import { arrange } from "../src/model/timeline.ts";
import { memoryInMemory, type MemoryStore } from "../src/preferences.ts";

vi.mock("coppice", async () => await import("../dev/coppice.ts"));

let client: FakeClient;
let memory: MemoryStore;
let now = 0;

/** Lets everything happen that the fake and the models have under way. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(1000);
}

beforeEach(() => {
  vi.useFakeTimers();
  now = Date.UTC(2026, 10, 20, 12);
  client = new FakeClient("alice", { online: true, delay: 10, clock: () => (now += 1000) });
  memory = memoryInMemory();
  return () => {
    vi.useRealTimers();
  };
});

describe("chat model", () => {
  it("puts the conversation with the newest item first", async () => {
    const walk = client.appear("walk");
    const tea = client.appear("tea");
    walk.receive("bob", "1");
    tea.receive("bob", "2");
    const chat = new ChatModel(client, memory);
    await settle();
    expect(chat.conversations.map(({ snapshot }) => snapshot.title)).toEqual(["tea", "walk"]);
    walk.receive("bob", "3");
    expect(chat.conversations.map(({ snapshot }) => snapshot.title)).toEqual(["walk", "tea"]);
  });

  it("counts what others wrote since the conversation was seen, also after a reload", async () => {
    const walk = client.appear("walk");
    const chat = new ChatModel(client, memory);
    await settle();
    walk.receive("bob", "1");
    walk.wrote("2");
    walk.receive("bob", "3");
    expect(chat.unread).toBe(2);
    chat.conversations[0]?.markSeen();
    expect(chat.unread).toBe(0);
    chat.dispose();
    walk.receive("bob", "4");
    const reloaded = new ChatModel(client, memory);
    await settle();
    expect(reloaded.unread).toBe(1);
  });

  it("shows an invitation until its conversation is opened, and none for own groups", async () => {
    const chat = new ChatModel(client, memory);
    client.appear("mine");
    client.appear("theirs", ["bob"], "bob");
    await settle();
    expect(chat.invitations.map(({ snapshot }) => snapshot.title)).toEqual(["theirs"]);
    expect(chat.announcement).toContain("invited you to theirs");
    chat.select(chat.invitations[0]?.id);
    expect(chat.invitations).toHaveLength(0);
  });

  it("creates a group, selects it and invites", async () => {
    const chat = new ChatModel(client, memory);
    const created = chat.createGroup("walk", ["bob"]);
    await vi.advanceTimersByTimeAsync(15);
    expect(chat.conversations[0]?.pending).toMatchObject({ operation: "add", names: ["bob"] });
    await settle();
    await created;
    expect(client.conversations[0]?.names).toEqual(["alice", "bob"]);
    expect(chat.selected?.snapshot.memberCount).toBe(2);
    expect(chat.selected?.pending).toBeUndefined();
    expect(chat.notices).toEqual([]);
  });

  it("leaves no empty group behind when nobody could be invited, and says why", async () => {
    const chat = new ChatModel(client, memory);
    const created = chat.createGroup("walk", ["nobody"]);
    created.catch(() => undefined);
    await settle();
    await expect(created).rejects.toMatchObject({ code: "ERR_DS_UNKNOWN_USER", detail: { user: "nobody" } });
    expect(chat.conversations).toEqual([]);
    expect(client.conversations).toEqual([]);
  });

  it("creates a group without a connection and invites later", async () => {
    client.setOnline(false);
    const chat = new ChatModel(client, memory);
    const created = chat.createGroup("walk", ["bob"]);
    await settle();
    await created;
    expect(chat.selected?.pending).toMatchObject({ operation: "add", names: ["bob"] });
    client.setOnline(true);
    await settle();
    expect(client.conversations[0]?.names).toEqual(["alice", "bob"]);
  });

  it("reads people page by page, and again when something changes, only while somebody looks", async () => {
    const others = Array.from({ length: 250 }, (_, index) => `person-${index}`);
    const walk = client.appear("walk", others);
    const chat = new ChatModel(client, memory);
    const members = chat.conversations[0]?.members;
    await settle();
    expect(members?.list).toEqual([]);
    members?.start();
    await settle();
    expect(members?.list).toHaveLength(100);
    expect(members?.hasMore).toBe(true);
    expect(members?.safetyNumber).toMatch(/^(\d{5} ){11}\d{5}$/u);
    members?.showMore();
    members?.showMore();
    await settle();
    expect(members?.list).toHaveLength(251);
    expect(members?.hasMore).toBe(false);
    walk.changed("person-1", { added: ["carol"] });
    await settle();
    expect(members?.list.at(-1)?.user).toBe("carol");
    members?.stop();
    walk.changed("person-1", { removed: ["carol"] });
    await settle();
    expect(members?.list.at(-1)?.user).toBe("carol");
  });

  it("goes from broken over recovering to active, with a gap in the history", async () => {
    const walk = client.appear("walk", ["bob"]);
    walk.patch({ status: "broken", problem: "ERR_MLS_CONFIRMATION" });
    const chat = new ChatModel(client, memory);
    await settle();
    const back = chat.conversations[0]?.rejoin();
    expect(walk.snapshot.status).toBe("recovering");
    await settle();
    await back;
    expect(walk.snapshot.status).toBe("active");
    expect(chat.conversations[0]?.latest?.kind).toBe("gap");
  });

  it("keeps few notices and none twice", () => {
    const chat = new ChatModel(client, memory);
    for (const text of ["a", "a", "b", "c", "d"]) chat.report(text);
    expect(chat.notices.map(({ text }) => text)).toEqual(["b", "c", "d"]);
    chat.dismiss(chat.notices[0]?.id ?? 0);
    expect(chat.notices.map(({ text }) => text)).toEqual(["c", "d"]);
  });

  it("reports a history that cannot be read", async () => {
    const walk = client.appear("walk");
    walk.history = () => Promise.reject(new FakeError("ERR_STORE_CORRUPT"));
    const chat = new ChatModel(client, memory);
    await settle();
    expect(chat.notices).toMatchObject([{ text: expect.stringContaining("damaged") as string }]);
  });

  it("speaks a backlog as a number", async () => {
    const walk = client.appear("walk");
    const chat = new ChatModel(client, memory);
    walk.receive("bob", "1");
    await settle();
    expect(chat.announcement).toBe("New message from bob in walk");
    for (let index = 0; index < 50; index++) walk.receive("bob", "again");
    await settle();
    expect(chat.announcement).toBe("50 new messages");
  });

  it("drops a conversation that was deleted from this device", async () => {
    client.appear("walk");
    const chat = new ChatModel(client, memory);
    chat.select(chat.conversations[0]?.id);
    const { selected } = chat;
    if (selected !== undefined) await chat.forget(selected);
    expect(chat.conversations).toEqual([]);
    expect(chat.selected).toBeUndefined();
  });
});

describe("conversation model", () => {
  it("reads the newest page first and older ones on demand", async () => {
    const walk = client.appear("walk");
    for (let index = 0; index < 150; index++) walk.wrote(`${index}`);
    memory.set(walk.id, { seenUpTo: 150, noticed: true, left: false });
    const chat = new ChatModel(client, memory);
    await settle();
    const [model] = chat.conversations;
    expect(model?.items).toHaveLength(1);
    chat.select(walk.id);
    await settle();
    expect(model?.items.map(({ seq }) => seq).at(0)).toBe(90);
    void model?.loadOlder();
    await Promise.all([model?.loadOlder(), settle()]);
    expect(model?.items).toHaveLength(121);
    expect(model?.hasOlder).toBe(true);
    await Promise.all([model?.loadOlder(), settle()]);
    expect(model?.items).toHaveLength(150);
    expect(model?.hasOlder).toBe(false);
  });

  it("stays bounded while it follows the newest, and does not move while it does not", async () => {
    const walk = client.appear("walk");
    const chat = new ChatModel(client, memory);
    await settle();
    const [model] = chat.conversations;
    for (let index = 0; index < 1000; index++) walk.receive("bob", "x");
    expect(model?.items.length).toBeLessThanOrEqual(375);
    expect(model?.items.at(-1)?.seq).toBe(1000);
    if (model !== undefined) model.followsNewest = false;
    for (let index = 0; index < 500; index++) walk.receive("bob", "x");
    expect(model?.items.length).toBeGreaterThan(500);
  });

  it("follows a message from sending to sent, and a failed one through retry and discard", async () => {
    const walk = client.appear("walk");
    const chat = new ChatModel(client, memory);
    await settle();
    const [model] = chat.conversations;
    await model?.send("hello");
    expect(model?.latest).toMatchObject({ state: "sending" });
    await settle();
    expect(model?.latest).toMatchObject({ state: "sent" });
    await model?.send("fail");
    await settle();
    expect(model?.latest).toMatchObject({ state: "failed", problem: "ERR_DS_RATE_LIMITED" });
    void walk.resend(model?.latest?.seq ?? 0);
    await settle();
    expect(model?.latest).toMatchObject({ state: "sent" });
    await model?.send("fail");
    await settle();
    await walk.discard(model?.latest?.seq ?? 0);
    expect(model?.items).toHaveLength(2);
  });

  it("says why an operation failed until it is tried again", async () => {
    client.appear("walk", ["bob"]);
    const chat = new ChatModel(client, memory);
    const [model] = chat.conversations;
    expect(await model?.add(["bob"])).toBe(false);
    expect(model?.failureOf("add")).toContain("in the group already");
    const again = model?.add(["carol"]);
    expect(model?.failureOf("add")).toBeUndefined();
    await settle();
    expect(await again).toBe(true);
  });

  it("tells having left from having been removed", async () => {
    const walk = client.appear("walk", ["bob"]);
    const chat = new ChatModel(client, memory);
    await settle();
    const [model] = chat.conversations;
    expect(model?.hasLeft).toBe(false);
    void model?.leave();
    await settle();
    expect(walk.snapshot.status).toBe("removed");
    expect(model?.hasLeft).toBe(true);
  });
});

describe("timeline", () => {
  it("separates days, groups a person's messages and marks where the new ones begin", async () => {
    const walk = client.appear("walk", ["bob"]);
    const noon = new Date(2026, 10, 19, 12).getTime();
    walk.receive("bob", "1", noon);
    walk.receive("bob", "2", noon + 60_000);
    walk.receive("bob", "3", noon + 7 * 60_000);
    walk.receive("carol", "4", noon + 8 * 60_000);
    walk.changed("carol", { added: ["dave"], at: noon + 9 * 60_000 });
    walk.receive("carol", "5", noon + 24 * 60 * 60_000);
    walk.receive("carol", "6", noon + 24 * 60 * 60_000 + 1);
    const page = walk.history();
    await settle();
    const rows = arrange(await page, 7).map((row) =>
      row.kind === "message" ? `${row.startsGroup ? "(" : ""}${row.item.seq}${row.endsGroup ? ")" : ""}` : row.kind,
    );
    expect(rows).toEqual(["day", "(1", "2)", "(3)", "(4)", "notice", "day", "(6)", "unread", "(7)"]);
    expect(new Set(arrange(await page, 7).map(({ key }) => key)).size).toBe(rows.length);
  });

  it("does not group across midnight", async () => {
    const walk = client.appear("walk", ["bob"]);
    const midnight = new Date(2026, 10, 20).getTime();
    walk.receive("bob", "1", midnight - 1000);
    walk.receive("bob", "2", midnight + 1000);
    const page = walk.history();
    await settle();
    expect(arrange(await page, undefined)).toMatchObject([
      { kind: "day" },
      { kind: "message", startsGroup: true, endsGroup: true },
      { kind: "day" },
      { kind: "message", startsGroup: true, endsGroup: true },
    ]);
  });
});
