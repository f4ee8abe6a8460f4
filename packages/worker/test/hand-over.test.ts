/** Messages cross to the page and count as acknowledged only once the page has done with them. */
import { describe, expect, it, vi } from "vitest";
import { localClient } from "../src/direct/local-client.ts";
import { connect, settled } from "./connect.ts";
import { FakeClient, FakeConversation } from "./fake-client.ts";

async function withGroup() {
  const engine = new FakeClient("alice");
  const inner = engine.appear(new FakeConversation("0a", "Lunch"));
  const { client } = await connect({ engine });
  return { engine, inner, client, group: client.conversation("0a") ?? expect.fail() };
}

/** A listener whose promises are settled from outside. */
function slow() {
  const heard: number[] = [];
  const settle: (() => void)[] = [];
  const listener = ({ seq }: { readonly seq: number }): Promise<void> => {
    heard.push(seq);
    return new Promise((resolve) => settle.push(resolve));
  };
  return { heard, listener, next: () => settle.shift()?.() };
}

describe("hand-over to a page", () => {
  it("acknowledges what was told once the listener's promise has resolved, and tells the next then", async () => {
    const { inner, group } = await withGroup();
    const { heard, listener, next } = slow();
    group.on("message", listener);
    await settled();
    for (let message = 1; message <= 3; message++) inner.receive(Uint8Array.of(message));
    await settled();
    expect([heard, inner.acknowledged]).toEqual([[1], []]);
    next();
    await settled();
    expect([heard, inner.acknowledged]).toEqual([[1, 2], [1]]);
    next();
    await settled();
    next();
    await settled();
    expect([heard, inner.acknowledged]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it("tells as many ahead as the listener takes, and acknowledges without a gap", async () => {
    const { inner, group } = await withGroup();
    const { heard, listener, next } = slow();
    const settle: (() => void)[] = [];
    group.on("message", listener, { ahead: 2 });
    group.on("message", () => new Promise<void>((resolve) => settle.push(resolve)), { ahead: 64 });
    await settled();
    for (let message = 1; message <= 3; message++) inner.receive(Uint8Array.of(message));
    await settled();
    expect(heard).toEqual([1, 2]);
    settle[0]?.();
    settle[1]?.();
    next();
    await settled();
    expect([heard, inner.acknowledged]).toEqual([[1, 2, 3], [1]]);
    expect(() => group.on("message", () => undefined, { ahead: 0 })).toThrow(RangeError);
    expect(() => group.on("message", undefined as never)).toThrow(TypeError);
  });

  it("goes on after what the application acknowledges, and after a listener that is removed, though neither settles", async () => {
    const { inner, group } = await withGroup();
    const heard: number[] = [];
    const release = group.on("message", ({ seq }) => {
      heard.push(seq);
      return new Promise<void>(() => undefined);
    });
    await settled();
    for (let message = 1; message <= 4; message++) inner.receive(Uint8Array.of(message));
    await settled();
    expect(heard).toEqual([1]);
    await group.acknowledge(2);
    await settled();
    expect(heard).toEqual([1, 3]);
    group.on("message", ({ seq }) => heard.push(seq));
    release();
    await settled();
    expect(heard).toEqual([1, 3, 4]);
  });

  it("acknowledges nothing of what is on its way to a page that ends", async () => {
    const { inner, group, client } = await withGroup();
    const { heard, listener } = slow();
    group.on("message", listener);
    await settled();
    inner.receive(Uint8Array.of(1));
    inner.receive(Uint8Array.of(2));
    await settled();
    await client.close();
    expect([heard, inner.acknowledged]).toEqual([[1], []]);
  });

  it("passes an acknowledgement of the application's on", async () => {
    const { inner, group } = await withGroup();
    await group.acknowledge(7);
    expect(await group.prune({ keep: 5 })).toBe(3);
    expect(inner.calls).toEqual([
      ["acknowledge", 7],
      ["prune", { keep: 5 }],
    ]);
  });
});

describe.each([
  ["in a worker", async (engine: FakeClient) => (await connect({ engine })).client],
  ["in place", async (engine: FakeClient) => localClient(engine)],
])("the client's message event %s", (where, open) => {
  it("tells of the messages of all conversations, those that appear later, too, until it is released", async () => {
    const engine = new FakeClient("alice");
    const first = engine.appear(new FakeConversation("0a"));
    const client = await open(engine);
    first.receive(Uint8Array.of(1));
    const heard: unknown[] = [];
    const release = client.on("message", ({ conversation, message }) => heard.push([conversation, message.seq]));
    await settled();
    const second = engine.appear(new FakeConversation("0b"));
    await settled();
    second.receive(Uint8Array.of(1));
    first.receive(Uint8Array.of(1));
    await settled();
    expect(heard).toEqual([
      ["0a", 1],
      ["0b", 1],
      ["0a", 2],
    ]);
    release();
    await settled();
    if (where === "in a worker") expect(first.listeners.message.size).toBe(0);
    first.receive(Uint8Array.of(1));
    await settled();
    expect(heard).toHaveLength(3);
  });

  it("waits for promises, and shows what they reject with as it is", async () => {
    const engine = new FakeClient("alice");
    const inner = engine.appear(new FakeConversation("0a"));
    const client = await open(engine);
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    const failure = new Error("of the application");
    client.on("message", () => Promise.reject(failure));
    await settled();
    inner.receive(Uint8Array.of(1));
    await settled();
    vi.unstubAllGlobals();
    expect(reported.mock.calls).toEqual([[failure]]);
    expect(inner.acknowledged).toEqual([1]);
  });
});
