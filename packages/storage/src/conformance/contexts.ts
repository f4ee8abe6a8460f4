/** Conformance: several contexts on the same data. */
import { isCoppiceError } from "@coppice/kit";
import type { Store, StoreChange } from "../contract.ts";
import { oneRecord } from "../range.ts";
import { ALL, eventually, expect, expectEqual, put, rejection, type StoreCase, text } from "./case.ts";

export const contextCases: readonly StoreCase[] = [
  {
    title: "contexts: what one has written the other reads, and a store opened later as well",
    run: async ({ open }) => {
      const [a, b] = [await open(), await open()];
      await a.write([put("p", 0, { a: "1" })]);
      expectEqual(text(await b.read("p", ALL)), [1, ["a", "1"]], "the other context");
      await a.close();
      expectEqual(text(await (await open()).read("p", ALL)), [1, ["a", "1"]], "a later context");
      expectEqual(text(await b.read("p", ALL)), [1, ["a", "1"]], "the other context, after one closed");
    },
  },
  {
    title: "contexts: of writes from one version exactly one wins, however many start at once",
    run: async ({ open }) => {
      const stores = await Promise.all(Array.from({ length: 4 }, () => open()));
      for (let version = 0; version < 5; version++) {
        const outcomes = await Promise.allSettled(
          stores.map((store, index) => store.write([put("p", version, { [`by/${version}`]: String(index) })])),
        );
        const losers = outcomes.filter((outcome) => outcome.status === "rejected");
        expectEqual(losers.length, stores.length - 1, "losers");
        expect(
          losers.every(({ reason }) => isCoppiceError(reason, "ERR_STORE_CONFLICT")),
          "losers see the conflict",
        );
        const winner = outcomes.findIndex((outcome) => outcome.status === "fulfilled");
        expectEqual(
          text(await (stores[0] ?? (await open())).read("p", [oneRecord(`by/${version}`)])),
          [version + 1, [`by/${version}`, String(winner)]],
          "the winner's write",
        );
      }
    },
  },
  {
    title: "contexts: a generation counter advanced by two contexts never repeats (adversarial 36)",
    run: async ({ open }) => {
      const taken = await Promise.all([takeGenerations(await open(), 50), takeGenerations(await open(), 50)]);
      const all = taken.flat().sort((a, b) => a - b);
      expectEqual(
        all,
        Array.from({ length: 100 }, (_, index) => index),
        "generations",
      );
    },
  },
  {
    title: "subscribe: other contexts are told of each change after it is visible, the writer is not",
    run: async ({ open }) => {
      const [writer, other, third] = [await open(), await open(), await open()];
      const seen: StoreChange[] = [];
      const visible: Promise<number>[] = [];
      const own: StoreChange[] = [];
      other.subscribe((change) => {
        seen.push(change);
        visible.push(other.read(change.partition, []).then(({ version }) => version));
      });
      const seenByThird: StoreChange[] = [];
      third.subscribe((change) => void seenByThird.push(change));
      writer.subscribe((change) => void own.push(change));
      await writer.write([put("p", 0, { a: "1" }), put("q", 0, { a: "1" })]);
      await writer.write([put("p", 1, { a: "2" })]);
      await writer.write([{ partition: "q", expectedVersion: 1, clear: true }]);
      const expected = [
        { partition: "p", version: 1 },
        { partition: "q", version: 1 },
        { partition: "p", version: 2 },
        { partition: "q", version: 2 },
      ];
      await eventually(() => seen.length >= 4 && seenByThird.length >= 4, "four changes");
      expectEqual(seen, expected, "changes");
      expectEqual(seenByThird, expected, "changes in the third context");
      expectEqual(own, [], "own changes");
      const versions = await Promise.all(visible);
      expect((versions[0] ?? 0) >= 1 && (versions[2] ?? 0) >= 2, "changes are visible when they are told");
    },
  },
  {
    title: "subscribe: nothing is told of a failed write, nor to a listener that was released",
    run: async ({ open }) => {
      const [writer, other] = [await open(), await open()];
      const [seen, released]: [StoreChange[], StoreChange[]] = [[], []];
      const listener = (change: StoreChange): void => void released.push(change);
      const release = other.subscribe(listener);
      other.subscribe((change) => void seen.push(change));
      release();
      release();
      await rejection(writer.write([put("p", 7, { a: "1" })]));
      await writer.write([put("q", 0, { a: "1" })]);
      await eventually(() => seen.length > 0, "a change");
      expectEqual(seen, [{ partition: "q", version: 1 }], "changes");
      expectEqual(released, [], "changes after the release");
    },
  },
];

/** Takes `count` values of a shared counter: under the lock half of the time, else by compare-and-swap alone. */
async function takeGenerations(store: Store, count: number): Promise<number[]> {
  const taken: number[] = [];
  while (taken.length < count) {
    const take = async (): Promise<void> => {
      const { version, records } = await store.read("ratchet", [oneRecord("generation")]);
      const next = Number(new TextDecoder().decode(records.get("generation") ?? new Uint8Array()));
      await store.write([put("ratchet", version, { generation: String(next + 1) })]);
      taken.push(next);
    };
    try {
      await (taken.length % 2 === 0 ? take() : store.exclusive("ratchet", take));
    } catch (error) {
      if (!isCoppiceError(error, "ERR_STORE_CONFLICT")) throw error;
    }
  }
  return taken;
}
