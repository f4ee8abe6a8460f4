import type { HistoryItem } from "coppice";
import { describe, expect, it } from "vitest";
import { HistoryWindow } from "../src/model/history-window.ts";

function message(seq: number, state: "sending" | "sent" = "sent"): HistoryItem {
  const data = new Uint8Array([seq]);
  return { seq, kind: "message", sender: "bob", isSelf: false, data, at: seq, epoch: 1n, state, problem: undefined };
}

function range(from: number, to: number): HistoryItem[] {
  return Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
}

function seqs(window: HistoryWindow): number[] {
  return window.items.map(({ seq }) => seq);
}

describe("history window", () => {
  it("joins pages and events in order, without duplicates", () => {
    const window = new HistoryWindow();
    window.addPage(range(7, 9), 3);
    window.apply(message(10));
    window.addPage(range(4, 6), 3);
    window.apply(message(10));
    expect(seqs(window)).toEqual([4, 5, 6, 7, 8, 9, 10]);
    expect(window.before).toBe(4);
    expect(window.hasOlder).toBe(true);
  });

  it("reaches the start with a short page", () => {
    const window = new HistoryWindow();
    window.addPage(range(1, 2), 3);
    expect(window.hasOlder).toBe(false);
    const empty = new HistoryWindow();
    empty.addPage([], 3);
    expect(empty.hasOlder).toBe(false);
  });

  it("believes an event rather than the page that it overtook", () => {
    const window = new HistoryWindow();
    window.apply(message(3, "sent"));
    window.addPage([message(2), message(3, "sending")], 5);
    expect(window.items[1]).toMatchObject({ seq: 3, state: "sent" });
  });

  it("replaces an item by its newer state", () => {
    const window = new HistoryWindow();
    window.addPage([message(1, "sending")], 5);
    window.apply(message(1, "sent"));
    expect(window.items).toMatchObject([{ seq: 1, state: "sent" }]);
  });

  it("does not bring back what was discarded", () => {
    const window = new HistoryWindow();
    window.apply(message(2));
    window.discard(2);
    window.addPage(range(1, 2), 5);
    window.apply(message(2));
    expect(seqs(window)).toEqual([1]);
  });

  it("has no holes: an item from below comes with its page", () => {
    const window = new HistoryWindow();
    window.apply(message(2));
    window.addPage(range(7, 9), 3);
    window.apply(message(3, "sending"));
    expect(seqs(window)).toEqual([7, 8, 9]);
    window.addPage(range(1, 6), 10);
    expect(seqs(window)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("takes a late item below its first page when it reaches the start", () => {
    const window = new HistoryWindow();
    window.addPage([message(5)], 10);
    window.apply(message(4));
    expect(seqs(window)).toEqual([4, 5]);
  });

  it("lets go of the oldest and can read them again", () => {
    const window = new HistoryWindow();
    window.addPage(range(1, 9), 10);
    window.keepNewest(3);
    expect(seqs(window)).toEqual([7, 8, 9]);
    expect(window.hasOlder).toBe(true);
    expect(window.before).toBe(7);
    window.addPage(range(1, 6), 10);
    expect(seqs(window)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("is the same array until something changes", () => {
    const window = new HistoryWindow();
    window.addPage(range(1, 3), 10);
    const { items } = window;
    expect(window.items).toBe(items);
    window.discard(7);
    expect(window.items).toBe(items);
    window.apply(message(4));
    expect(window.items).not.toBe(items);
  });
});
