import { expect, test } from "vitest";
import type { HistoryItem } from "@coppice/client";
import { HandOver } from "../../src/engine/hand-over.ts";

const message = (seq: number, isSelf = false): HistoryItem => ({
  ...{ seq, kind: "message", id: "00".repeat(16), sender: isSelf ? "me" : "bob", isSelf, data: Uint8Array.of(seq) },
  ...{ at: 0, epoch: 1n, state: "sent", problem: undefined },
});

/** Items of a history, and what was read and delivered of them. */
function scene(items: readonly HistoryItem[], start = { handedOver: 0, lastItem: 0 }) {
  const delivered: number[] = [];
  const state = { listens: true, reads: 0, fails: false, moved: 0 };
  /** What acknowledges a message that was told; undefined where that is not waited for. */
  const pending = new Map<number, () => void>();
  const waits = { for: (_seq: number) => false };
  const handOver = new HandOver(start, {
    read: (after) => {
      state.reads++;
      if (state.fails) return Promise.reject(new Error("The store failed"));
      return Promise.resolve(items.filter(({ seq }) => seq > after).slice(0, 2));
    },
    ahead: () => (state.listens ? 64 : 0),
    deliver: ({ seq }) => {
      delivered.push(seq);
      if (!waits.for(seq)) return undefined;
      return new Promise((resolve) => pending.set(seq, resolve));
    },
    onAcknowledged: () => state.moved++,
  });
  const acknowledge = async (seq: number): Promise<number> => {
    pending.get(seq)?.();
    await new Promise((turn) => setImmediate(turn));
    return handOver.acknowledged;
  };
  return { delivered, state, handOver, waits, acknowledge };
}

test("what comes next goes out at once, without a look into the store; own messages are passed over", () => {
  const { delivered, state, handOver } = scene([]);
  handOver.offer([message(1), message(2, true), message(3)], 3);
  expect([delivered, state.reads, handOver.acknowledged]).toEqual([[1, 3], 0, 3]);
});

test("changes of items that were handed over are not handed over again", () => {
  const { delivered, handOver } = scene([]);
  handOver.offer([message(1)], 1);
  handOver.offer([message(1)], 1);
  expect(delivered).toEqual([1]);
});

test("what came while nobody listened is read, page by page, in order", async () => {
  const items = [1, 2, 3, 4, 5].map((seq) => message(seq));
  const { delivered, state, handOver } = scene(items, { handedOver: 1, lastItem: 5 });
  state.listens = false;
  handOver.wake();
  await handOver.idle();
  expect(delivered).toEqual([]);
  state.listens = true;
  handOver.wake();
  await handOver.idle();
  expect(delivered).toEqual([2, 3, 4, 5]);
});

test("discarded items at the end do not hold it up", async () => {
  const { delivered, handOver } = scene([message(1)], { handedOver: 0, lastItem: 3 });
  handOver.wake();
  await handOver.idle();
  expect([delivered, handOver.acknowledged]).toEqual([[1], 3]);
});

test("a failure of the store loses nothing: the next wake tries again", async () => {
  const { delivered, state, handOver } = scene([message(1)], { handedOver: 0, lastItem: 1 });
  state.fails = true;
  handOver.wake();
  await handOver.idle();
  expect(delivered).toEqual([]);
  state.fails = false;
  handOver.wake();
  await handOver.idle();
  expect(delivered).toEqual([1]);
});

test("a message is acknowledged when all up to it have settled, in whatever order they do", async () => {
  const { delivered, state, handOver, waits, acknowledge } = scene([]);
  waits.for = (seq) => seq !== 3;
  handOver.offer(
    [1, 2, 3, 4].map((seq) => message(seq)),
    4,
  );
  expect([delivered, handOver.acknowledged, state.moved]).toEqual([[1, 2, 3, 4], 0, 0]);
  expect(await acknowledge(2)).toBe(0);
  expect(await acknowledge(1)).toBe(3);
  expect(await acknowledge(4)).toBe(4);
  expect(state.moved).toBe(2);
});

test("no more than may be are told before the first is acknowledged", async () => {
  const items = Array.from({ length: 200 }, (_, index) => message(index + 1));
  const { delivered, handOver, waits, acknowledge } = scene(items, { handedOver: 0, lastItem: 200 });
  waits.for = () => true;
  handOver.wake();
  await handOver.idle();
  handOver.offer([message(201)], 201);
  await handOver.idle();
  expect(delivered).toHaveLength(64);
  await acknowledge(1);
  expect(delivered.at(-1)).toBe(65);
  for (let seq = 2; seq <= 200; seq++) await acknowledge(seq);
  expect(delivered).toEqual(items.map(({ seq }) => seq));
});

test("what the application has already is not told", async () => {
  const items = [1, 2, 3, 4].map((seq) => message(seq));
  const { delivered, handOver } = scene(items, { handedOver: 0, lastItem: 4 });
  handOver.acknowledge(3);
  expect(handOver.acknowledged).toBe(3);
  handOver.wake();
  await handOver.idle();
  expect(delivered).toEqual([4]);
});
