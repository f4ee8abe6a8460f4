/** Pages of the history, whatever is missing in it. */
import { createMemoryStore } from "@coppice/storage";
import { expect, test, vi } from "vitest";
import { History, itemName, partitionOf } from "../../src/conversation/history.ts";
import { itemRecord } from "../../src/records/conversation.ts";

/** A history of gaps, of which only the numbers matter. */
async function historyOf(seqs: readonly number[]) {
  const store = createMemoryStore();
  const put = new Map(
    seqs.map((seq) => [itemName(seq), itemRecord.encode({ kind: "gap", seq, at: 0, epoch: 1n, problem: "" })] as const),
  );
  await store.write([{ partition: partitionOf("g"), expectedVersion: 0, put }]);
  return { history: new History(store, "g"), reads: vi.spyOn(store, "read") };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test.each<[string, readonly number[], { before?: number; limit?: number }, readonly number[]]>([
  ["nothing", [], {}, []],
  ["everything, if there is little", numbers(1, 7), {}, numbers(1, 7)],
  ["the newest", numbers(1, 500), { limit: 3 }, [498, 499, 500]],
  ["those before a number", numbers(1, 500), { limit: 3, before: 100 }, [97, 98, 99]],
  ["those before a number that is not there", numbers(1, 9), { limit: 3, before: 1000 }, [7, 8, 9]],
  ["nothing before the first", numbers(1, 9), { before: 1 }, []],
  ["nothing before 0", numbers(1, 9), { before: 0 }, []],
  ["as many as asked for, across what is missing", [1, 2, 50, 90, 91, 400], { limit: 4 }, [50, 90, 91, 400]],
  ["all there are, across what is missing", [7, 1000, 2_000_000], { limit: 9 }, [7, 1000, 2_000_000]],
])("a page has %s", async (_what, seqs, query, expected) => {
  const { history } = await historyOf(seqs);
  expect((await history.page(query)).map(({ seq }) => seq)).toEqual(expected);
});

test("a page of a history without gaps takes two reads, however long it is", async () => {
  const { history, reads } = await historyOf(numbers(1, 3000));
  await history.page({ limit: 100 });
  expect(reads).toHaveBeenCalledTimes(2);
});
