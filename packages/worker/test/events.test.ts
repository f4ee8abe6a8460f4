import { describe, expect, it } from "vitest";
import type { ConversationSnapshot } from "../src/index.ts";
import { BATCH_EVENTS } from "../src/limits.ts";
import { connect, settled } from "./connect.ts";
import { FakeClient, FakeConversation } from "./fake-client.ts";

const received = { sender: "bob", isSelf: false, state: "sent" } as const;

async function withGroup() {
  const engine = new FakeClient("alice");
  const inner = engine.appear(new FakeConversation("0a", "Lunch"));
  const pair = await connect({ engine });
  const group = pair.client.conversation("0a");
  if (group === undefined) throw new Error("no group");
  return { ...pair, inner, group };
}

describe("events", () => {
  it("reports messages, items and discarded items while someone listens, each in order", async () => {
    const { inner, group } = await withGroup();
    const seen: unknown[] = [];
    const release = [
      group.on("message", ({ seq, data }) => seen.push(["message", seq, data.length])),
      group.on("item", ({ seq }) => seen.push(["item", seq])),
      group.on("discarded", ({ seq }) => seen.push(["discarded", seq])),
    ];
    await settled();
    inner.receive(new Uint8Array(3));
    inner.receive(new Uint8Array(5000));
    inner.emit("discarded", { seq: 9 });
    await settled();
    expect(seen).toEqual([
      ["item", 1],
      ["message", 1, 3],
      ["item", 2],
      ["message", 2, 5000],
      ["discarded", 9],
    ]);
    for (const end of release) end();
    await settled();
    expect([inner.listeners.message.size, inner.listeners.item.size, inner.listeners.discarded.size]).toEqual([
      0, 0, 0,
    ]);
    inner.change({ lastItem: 3 });
    inner.emit("item", inner.message(new Uint8Array(3), { sender: "bob", isSelf: false, state: "sent" }));
    await settled();
    expect(seen).toHaveLength(5);
  });

  it("listens once in the worker, until the last listener is released", async () => {
    const { inner, group } = await withGroup();
    const seen: string[] = [];
    const first = group.on("message", () => seen.push("first"));
    const second = group.on("message", () => seen.push("second"));
    await settled();
    expect(inner.listeners.message.size).toBe(1);
    inner.receive(Uint8Array.of(1));
    await settled();
    first();
    first();
    await settled();
    expect(inner.listeners.message.size).toBe(1);
    inner.receive(Uint8Array.of(2));
    await settled();
    expect(seen).toEqual(["first", "second", "second"]);
    second();
    await settled();
    expect(inner.listeners.message.size).toBe(0);
  });

  it("keeps a snapshot's identity between changes", async () => {
    const { client, inner, group } = await withGroup();
    const changes: ConversationSnapshot[] = [];
    group.on("change", (snapshot) => changes.push(snapshot));
    const before = group.snapshot;
    const list = client.conversations;
    await client.sync();
    expect(group.snapshot).toBe(before);
    expect(client.conversations).toBe(list);
    inner.change({ lastItem: 1 });
    await settled();
    expect(group.snapshot).not.toBe(before);
    expect(changes).toEqual([group.snapshot]);
    expect(group.snapshot).toEqual({ ...before, lastItem: 1 });
    expect(Object.isFrozen(group.snapshot)).toBe(true);
  });

  it("skips snapshots that a newer one replaces", async () => {
    const { inner, group } = await withGroup();
    const changes: number[] = [];
    group.on("change", ({ lastItem }) => changes.push(lastItem));
    for (let item = 1; item <= 1000; item++) inner.change({ lastItem: item });
    await settled();
    expect(changes).toEqual([1000]);
  });

  it("takes states in their order, whatever calls and events they come with", async () => {
    const { inner, group } = await withGroup();
    let item = 0;
    let seed = 1;
    const random = () => (seed = Math.imul(seed, 48_271) >>> 1) % 4;
    inner.behaviour = async () => {
      for (let turn = random(); turn > 0; turn--) await Promise.resolve();
      inner.change({ lastItem: ++item });
      if (random() === 0) await new Promise((resolve) => setImmediate(resolve));
      inner.change({ lastItem: ++item });
      if (random() === 0) inner.emit("item", inner.message(new Uint8Array(1), received));
    };
    const seen: number[] = [];
    group.on("change", ({ lastItem }) => seen.push(lastItem));
    group.on("item", () => undefined);
    await Promise.all(Array.from({ length: 500 }, () => group.update()));
    await settled();
    expect(seen.at(-1)).toBe(1000);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(group.snapshot.lastItem).toBe(1000);
  });

  it("reports conversations, connection and problems", async () => {
    const { client, engine } = await withGroup();
    const seen: unknown[] = [];
    client.on("conversation", ({ id, invitedBy }) =>
      seen.push([id, invitedBy, client.conversation(id)?.snapshot.title]),
    );
    client.on("connection", ({ online, transport }) => seen.push([online, client.online, transport]));
    client.on("problem", (problem) => seen.push(problem));
    engine.appear(new FakeConversation("0b", "Tea"), "bob");
    engine.setOnline(false);
    const problem = { code: "ERR_MLS_WELCOME", message: "m", conversation: undefined, detail: { user: "bob" } };
    engine.emit("problem", problem);
    await settled();
    engine.setOnline(true);
    await settled();
    expect(seen).toEqual([["0b", "bob", "Tea"], [false, false, undefined], problem, [true, true, "websocket"]]);
    expect(client.conversations.map(({ id }) => id)).toEqual(["0a", "0b"]);
  });

  it("adversarial 42: a listener that throws disturbs neither the engine nor the others", async () => {
    const { inner, group } = await withGroup();
    const reported: unknown[] = [];
    const handlers = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => reported.push(error));
    try {
      const failure = new Error("application");
      const seen: number[] = [];
      group.on("message", () => {
        throw failure;
      });
      group.on("message", ({ seq }) => seen.push(seq));
      await settled();
      inner.receive(Uint8Array.of(1));
      inner.receive(Uint8Array.of(2));
      await settled();
      expect(seen).toEqual([1, 2]);
      expect(reported).toEqual([failure, failure]);
      await group.update();
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const handler of handlers) process.on("uncaughtException", handler);
    }
  });

  it("loses no message of a backlog, repeats none, and takes at most a batch ahead of the page", async () => {
    const { inner, group } = await withGroup();
    for (let message = 1; message <= 5000; message++) {
      if (message % 7 === 0) inner.message(Uint8Array.of(0), { sender: "alice", isSelf: true, state: "sent" });
      inner.receive(new Uint8Array(100));
    }
    const seen: number[] = [];
    let ahead = 0;
    group.on("message", ({ seq }) => {
      ahead = Math.max(ahead, inner.handedOver - seq);
      seen.push(seq);
    });
    await expect.poll(() => seen.length).toBe(5000);
    await settled();
    const expected = inner.items.flatMap((item) => (item.kind === "message" && !item.isSelf ? [item.seq] : []));
    expect(seen).toEqual(expected);
    expect(ahead).toBeLessThan(2 * BATCH_EVENTS);
  });

  it("keeps messages that were on their way when the last listener went, for the next one", async () => {
    const { inner, group } = await withGroup();
    for (let message = 1; message <= 300; message++) inner.receive(Uint8Array.of(1));
    const seen: number[] = [];
    const release = group.on("message", ({ seq }) => {
      seen.push(seq);
      release();
    });
    await settled();
    const heard = seen.length;
    expect(heard).toBe(1);
    expect(inner.handedOver).toBeGreaterThan(heard);
    let returned = false;
    group.on("message", ({ seq }) => {
      expect(returned).toBe(true);
      seen.push(seq);
    });
    returned = true;
    await expect.poll(() => seen.length).toBe(300);
    expect(seen).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
  });
});
