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
  const state = { listens: true, reads: 0, fails: false };
  const handOver = new HandOver(start, {
    read: (after) => {
      state.reads++;
      if (state.fails) return Promise.reject(new Error("The store failed"));
      return Promise.resolve(items.filter(({ seq }) => seq > after).slice(0, 2));
    },
    hasListener: () => state.listens,
    deliver: ({ seq }) => delivered.push(seq),
  });
  return { delivered, state, handOver };
}

test("what comes next goes out at once, without a look into the store; own messages are passed over", () => {
  const { delivered, state, handOver } = scene([]);
  handOver.offer([message(1), message(2, true), message(3)], 3);
  expect([delivered, state.reads, handOver.cursor]).toEqual([[1, 3], 0, 3]);
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
  expect([delivered, handOver.cursor]).toEqual([[1], 3]);
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
