import { describe, expect, it } from "vitest";
import { Backlog, type ReadHistory } from "../../src/host/backlog.ts";
import { BATCH_EVENTS } from "../../src/limits.ts";
import type { WireEvent } from "../../src/protocol.ts";
import type { Message } from "../fake-client.ts";

function message(seq: number, { isSelf = false, size = 10 } = {}): Message {
  return {
    seq,
    kind: "message",
    id: "00".repeat(16),
    sender: isSelf ? "alice" : "bob",
    isSelf,
    data: new Uint8Array(size),
    at: 0,
    epoch: 0n,
    state: "sent",
    problem: undefined,
  };
}

const event = (type: "message" | "item", value: Message, conversation = "a"): WireEvent => ({
  type,
  conversation,
  value,
});

/** A history of `items`, and how much of it was read. */
function history(items: readonly Message[]): { readonly read: ReadHistory; readonly reads: number[] } {
  const reads: number[] = [];
  return {
    reads,
    read: async (_, { before, limit }) => {
      const found = items.filter(({ seq }) => seq < before).slice(-limit);
      reads.push(found.length);
      return found;
    },
  };
}

async function drain(backlog: Backlog): Promise<WireEvent[]> {
  const all: WireEvent[] = [];
  while (!backlog.isEmpty) all.push(...(await backlog.take()));
  return all;
}

const seqs = (events: readonly WireEvent[]): number[] =>
  events.flatMap((given) => (given.type === "message" || given.type === "item" ? [given.value.seq] : []));

describe("backlog", () => {
  it("gives batches of bounded size in order", async () => {
    const backlog = new Backlog(history([]).read);
    for (let seq = 1; seq <= 100; seq++) backlog.push(event("message", message(seq)));
    expect(await backlog.take()).toHaveLength(BATCH_EVENTS);
    expect(seqs(await backlog.take())[0]).toBe(BATCH_EVENTS + 1);
    for (let seq = 1; seq <= 9; seq++) backlog.push(event("message", message(seq, { size: 60 * 1024 })));
    expect(await backlog.take()).toHaveLength(4);
    backlog.push({
      type: "problem",
      value: { code: "ERR_DS_INTERNAL", message: "", conversation: undefined, detail: {} },
    });
    expect(await drain(backlog)).toHaveLength(6);
  });

  it("keeps the newest of several events about one thing, in the place of the first", async () => {
    const backlog = new Backlog(history([]).read);
    backlog.push(event("item", { ...message(1, { isSelf: true }), state: "sending" }));
    backlog.push(event("item", message(2)));
    backlog.push(event("item", message(1, { isSelf: true })));
    const events = await drain(backlog);
    expect(seqs(events)).toEqual([1, 2]);
    expect(events[0]).toMatchObject({ value: { state: "sent" } });
  });

  it("lets a discarded item take its earlier events away", async () => {
    const backlog = new Backlog(history([]).read);
    backlog.push(event("item", message(1, { isSelf: true })));
    backlog.push({ type: "discarded", conversation: "a", value: { seq: 1 } });
    expect((await drain(backlog)).map(({ type }) => type)).toEqual(["discarded"]);
  });

  it("keeps at most 1,024 events and reads the rest from the history, none twice", async () => {
    const items = Array.from({ length: 4000 }, (_, index) => message(index + 1));
    const { read, reads } = history(items);
    const backlog = new Backlog(read);
    for (const item of items) backlog.push(event("item", item));
    expect(backlog.isFull).toBe(true);
    expect(reads).toEqual([]);
    expect(seqs(await drain(backlog))).toEqual(items.map(({ seq }) => seq));
    expect(reads.length).toBe(Math.ceil((4000 - 1024) / BATCH_EVENTS));
    expect(Math.max(...reads)).toBe(BATCH_EVENTS);
  });

  it("is full at 4 MiB", async () => {
    const items = Array.from({ length: 200 }, (_, index) => message(index + 1, { size: 64 * 1024 }));
    const { read, reads } = history(items);
    const backlog = new Backlog(read);
    for (const item of items) backlog.push(event("item", item));
    expect(seqs(await drain(backlog))).toEqual(items.map(({ seq }) => seq));
    expect(reads.reduce((sum, count) => sum + count)).toBeGreaterThan(130);
    expect(backlog.isFull).toBe(false);
  });

  it("keeps the order of what arrives while the history is read", async () => {
    const items = Array.from({ length: 3000 }, (_, index) => message(index + 1));
    const { read } = history(items);
    let next = 2001;
    const backlog = new Backlog(async (id, query) => {
      const found = await read(id, query);
      for (let more = 0; more < 20 && next <= 3000; more++) {
        const item = items[next - 1];
        if (item !== undefined) backlog.push(event("item", item));
        next += 1;
      }
      return found;
    });
    for (const item of items.slice(0, 2000)) backlog.push(event("item", item));
    const seen = seqs(await drain(backlog));
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => index + 1));
    expect(seen.length).toBeGreaterThan(2100);
  });

  it("reports an old item that changes while newer ones are read again", async () => {
    const items = Array.from({ length: 1300 }, (_, index) => message(index + 1));
    const { read } = history(items);
    let changed = false;
    const backlog = new Backlog(async (id, query) => {
      if (!changed) {
        changed = true;
        backlog.push(event("item", message(3)));
      }
      return read(id, query);
    });
    for (const item of items) backlog.push(event("item", item));
    const seen = seqs(await drain(backlog));
    expect(seen.filter((seq) => seq === 3)).toHaveLength(2);
    expect(new Set(seen).size).toBe(1300);
  });

  it("forgets items that nobody listens to, but no message", async () => {
    const backlog = new Backlog(() => Promise.resolve([]));
    for (let seq = 1; seq <= 2000; seq++) backlog.push(event("item", message(seq)));
    backlog.push(event("message", message(7)));
    backlog.push(event("item", message(1), "b"));
    backlog.forget("a", "item");
    expect((await backlog.take()).map(({ type }) => type)).toEqual(["message"]);
    expect(await drain(backlog)).toEqual([]);
  });

  it("keeps what cannot be read now, and gives it once it can, in order", async () => {
    const items = Array.from({ length: 2000 }, (_, index) => message(index + 1));
    const { read } = history(items);
    let fails = true;
    const backlog = new Backlog((id, query) => (fails ? Promise.reject(new Error("not now")) : read(id, query)));
    for (const item of items) backlog.push(event("item", item));
    const seen: number[] = [];
    while (backlog.failures === 0) seen.push(...seqs(await backlog.take()));
    expect(seen).toHaveLength(1024);
    backlog.push(event("item", message(2001)));
    items.push(message(2001));
    expect([await backlog.take(), backlog.failures, backlog.isEmpty]).toEqual([[], 2, false]);
    fails = false;
    seen.push(...seqs(await drain(backlog)));
    expect(seen).toEqual(items.map(({ seq }) => seq));
    expect(backlog.failures).toBe(0);
  });

  it("gives the items of other conversations while one cannot be read", async () => {
    const items = Array.from({ length: 600 }, (_, index) => message(index + 1));
    const { read } = history(items);
    const backlog = new Backlog((id, query) => (id === "a" ? Promise.reject(new Error("not now")) : read(id, query)));
    for (const conversation of ["b", "a", "b"]) {
      for (const item of items) backlog.push(event("item", item, conversation));
    }
    const seen = new Set<string>();
    while (backlog.failures === 0) {
      for (const given of await backlog.take()) {
        if (given.type === "item") seen.add(`${given.conversation} ${String(given.value.seq)}`);
      }
    }
    expect([...seen].filter((key) => key.startsWith("b"))).toHaveLength(600);
  });

  it("ends where a conversation is gone", async () => {
    const backlog = new Backlog(() => Promise.resolve([]));
    for (let seq = 1; seq <= 2000; seq++) backlog.push(event("item", message(seq)));
    expect(await drain(backlog)).toHaveLength(1024);
  });
});
