import { describe, expect, test } from "vitest";
import { advanced, isOwn, nextSeq, noteOwn } from "../../src/conversation/position.ts";
import type { SeqRange, Summary } from "../../src/records/conversation.ts";
import type { Transaction } from "../../src/conversation/transaction.ts";

type Place = Pick<Summary, "position" | "own">;

/** A transaction of which only the place in the log matters. */
function at(seq: number, own: readonly SeqRange[] = []): { readonly transaction: Transaction; place(): Place } {
  let summary: Place = { position: { incarnation: "00".repeat(16), seq }, own };
  const transaction = {
    get summary() {
      return summary;
    },
    setSummary: (change: Partial<Place>) => {
      summary = { ...summary, ...change };
    },
  };
  return { transaction: transaction as unknown as Transaction, place: () => summary };
}

const seqOf = ({ position }: Place): number | undefined => position?.seq;

describe("own entries", () => {
  test("the one that comes next moves the position, and so do those after it that are known", () => {
    const { transaction, place } = at(4, [{ from: 6, to: 7 }]);
    noteOwn(transaction, 5);
    expect(seqOf(place())).toBe(7);
    expect(place().own).toEqual([]);
  });

  test("one with a gap before it is kept until the gap is closed", () => {
    const { transaction, place } = at(4);
    noteOwn(transaction, 7);
    noteOwn(transaction, 6);
    expect([seqOf(place()), place().own, nextSeq(place())]).toEqual([4, [{ from: 6, to: 7 }], 5]);
    transaction.setSummary(advanced(place(), 5));
    expect([seqOf(place()), place().own, nextSeq(place())]).toEqual([7, [], 8]);
  });

  test("those that were noted before, or lie behind, change nothing", () => {
    const { transaction, place } = at(4, [{ from: 6, to: 7 }]);
    for (const seq of [1, 4, 6, 7]) noteOwn(transaction, seq);
    expect(place()).toEqual(at(4, [{ from: 6, to: 7 }]).place());
    expect([5, 6, 7, 8].map((seq) => isOwn(place(), seq))).toEqual([false, true, true, false]);
  });

  test("a range of which the beginning was passed still leads to its end", () => {
    expect(nextSeq(at(6, [{ from: 5, to: 8 }]).place())).toBe(9);
  });

  test("ranges are bounded: what is not kept is recognised when it is read", () => {
    const { transaction, place } = at(0);
    for (let seq = 2; seq <= 400; seq += 2) noteOwn(transaction, seq);
    expect(place().own).toHaveLength(64);
  });
});
