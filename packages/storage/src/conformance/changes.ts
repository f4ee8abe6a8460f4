/** Conformance: what changed after a version. */
import type { PartitionWrite, Store } from "../contract.ts";
import { oneRecord } from "../range.ts";
import { ALL, type CaseData, changes, expect, expectEqual, expectMistake, put, type StoreCase, text } from "./case.ts";

export const changeCases: readonly StoreCase[] = [
  {
    title: "changes: what was put and deleted since a version, each name as the last write left it",
    run: async ({ open }) => {
      const store = await open();
      await store.write([put("p", 0, { a: "1", b: "1", c: "1", d: "1" })]);
      await store.write([{ ...put("p", 1, { b: "2", e: "2" }), delete: ["a"] }]);
      await store.write([{ ...put("p", 2, { a: "3", f: "3" }), delete: ["c", "e"] }]);
      const whole = [
        3,
        [
          ["a", "3"],
          ["b", "2"],
          ["d", "1"],
          ["f", "3"],
        ],
        ["c", "e"],
      ];
      expectEqual(changes(await store.readChanges("p", 0, ALL)), whole, "since the beginning");
      const two = [
        3,
        [
          ["a", "3"],
          ["b", "2"],
          ["f", "3"],
        ],
        ["c", "e"],
      ];
      expectEqual(changes(await store.readChanges("p", 1, ALL)), two, "since version 1");
      expectEqual(
        changes(await store.readChanges("p", 2, ALL)),
        [
          3,
          [
            ["a", "3"],
            ["f", "3"],
          ],
          ["c", "e"],
        ],
        "since 2",
      );
      expectEqual(changes(await store.readChanges("p", 3, ALL)), [3, [], []], "since now");
    },
  },
  {
    title: "changes: only names in the ranges are told, in the order of the ranges",
    run: async ({ open }) => {
      const store = await open();
      await store.write([put("p", 0, { "x/1": "1", "x/2": "1", "y/1": "1", z: "1" })]);
      await store.write([{ ...put("p", 1, { "x/3": "2", "x/2": "2", z: "2", "y/2": "2" }), delete: ["x/1", "y/1"] }]);
      const ranges = [oneRecord("z"), { prefix: "x/" }];
      const expected = [
        2,
        [
          ["z", "2"],
          ["x/2", "2"],
          ["x/3", "2"],
        ],
        ["x/1"],
      ];
      expectEqual(changes(await store.readChanges("p", 1, ranges)), expected, "two ranges");
      const bounded = [{ prefix: "x/", after: "x/1", before: "x/3" }];
      expectEqual(changes(await store.readChanges("p", 1, bounded)), [2, [["x/2", "2"]], []], "bounds");
      expectEqual(changes(await store.readChanges("p", 1, [])), [2, [], []], "without ranges");
    },
  },
  {
    title: "changes: of a partition that never existed there are none; a version it is not yet at is not known",
    run: async ({ open }) => {
      const store = await open();
      expectEqual(changes(await store.readChanges("never", 0, ALL)), [0, [], []], "since 0");
      expectEqual(await store.readChanges("never", 1, ALL), undefined, "since 1");
      await store.write([put("p", 0, { a: "1" })]);
      expectEqual(await store.readChanges("p", 2, ALL), undefined, "since a later version");
    },
  },
  {
    title: "changes: are not told across a clear, and are told again after it",
    run: async ({ open }) => {
      const store = await open();
      await store.write([put("p", 0, { a: "1" })]);
      await store.write([{ partition: "p", expectedVersion: 1, clear: true }]);
      expectEqual(await store.readChanges("p", 1, ALL), undefined, "since before the clear");
      expectEqual(changes(await store.readChanges("p", 2, ALL)), [2, [], []], "since the clear");
      await store.write([put("p", 2, { b: "3" })]);
      await store.write([{ ...put("p", 3, { c: "4" }), clear: true }]);
      await store.write([put("p", 4, { d: "5" })]);
      for (const since of [0, 1, 2, 3])
        expectEqual(await store.readChanges("p", since, ALL), undefined, `since ${since}`);
      expectEqual(changes(await store.readChanges("p", 4, ALL)), [5, [["d", "5"]], []], "since the second clear");
    },
  },
  {
    title: "changes: a journal ends somewhere, and says so",
    run: async ({ open }) => {
      const store = await open();
      const last = 600;
      for (let version = 0; version < last; version++)
        await store.write([put("p", version, { [`r/${version % 7}`]: "1" })]);
      expect((await store.readChanges("p", last - 32, ALL)) !== undefined, "32 small writes back");
      expectEqual(await store.readChanges("p", 1, ALL), undefined, "as far back as nobody can keep");
    },
  },
  {
    title: "changes: a large write is told whole or not at all, and small ones after it are told",
    run: async ({ open }) => {
      const store = await open();
      const large = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`tree/${index}`, "1"]));
      await store.write([put("p", 0, { a: "1" })]);
      await store.write([put("p", 1, large)]);
      const told = await store.readChanges("p", 1, ALL);
      expect(told === undefined || told.records.size === 5_000, "all or nothing");
      await store.write([put("p", 2, { a: "3" })]);
      expectEqual(changes(await store.readChanges("p", 2, ALL)), [3, [["a", "3"]], []], "since the large write");
    },
  },
  {
    title: "changes: another context's writes are told, partitions apart",
    run: async ({ open }) => {
      const [writer, reader] = [await open(), await open()];
      await writer.write([put("p", 0, { a: "1" }), put("p/1", 0, { a: "other" })]);
      await writer.write([put("p", 1, { b: "2" }), put("p/1", 1, { b: "other" })]);
      expectEqual(changes(await reader.readChanges("p", 1, ALL)), [2, [["b", "2"]], []], "p");
      expectEqual(changes(await reader.readChanges("p/1", 1, ALL)), [2, [["b", "other"]], []], "p/1");
    },
  },
  {
    title: "changes: following a partition by its changes gives what reading the whole gives",
    run: async ({ open }) => {
      const [writer, reader] = [await open(), await open()];
      const random = numbers(20_261_128);
      let followed = new Map<string, string>();
      let at = 0;
      for (let version = 0; version < 150; version++) {
        await writer.write([randomWrite(version, random)]);
        if (random(3) === 0) [at, followed] = await follow(reader, at, followed);
      }
      [, followed] = await follow(reader, at, followed);
      const [, ...records] = text(await reader.read("p", ALL));
      expectEqual([...followed].sort(byName), records, "records");
    },
  },
  {
    title: "changes: while another context writes, what is told is of one moment",
    run: async ({ open }: CaseData) => {
      const [writer, reader] = [await open(), await open()];
      const record = (version: number): Record<string, string> => ({ a: String(version), b: String(version) });
      await writer.write([put("p", 0, record(1))]);
      const writing = (async () => {
        for (let version = 1; version < 60; version++) await writer.write([put("p", version, record(version + 1))]);
      })();
      let since = 0;
      while (since < 60) {
        const told = await reader.readChanges("p", since, ALL);
        const { version, records } = told ?? (await reader.read("p", ALL));
        const seen = new Set(Array.from(records.values(), (value) => new TextDecoder().decode(value)));
        expectEqual([...seen], version === since ? [] : [String(version)], "values of one version");
        since = version;
      }
      await writing;
    },
  },
  {
    title: "changes: mistakes are refused",
    run: async ({ open }) => {
      const store = await open();
      for (const since of [-1, 0.5, NaN, Infinity]) {
        await expectMistake(store.readChanges("p", since, ALL), `since ${since}`);
      }
      await expectMistake(store.readChanges("p", 0, [{ prefix: "", limit: 1 }]), "a limit");
      await expectMistake(store.readChanges("p", 0, [{ prefix: "", last: true }]), "last");
      await expectMistake(store.readChanges("", 0, ALL), "a name");
    },
  },
];

/** Reads what changed since `at`, or the whole, and applies it to what is known. */
async function follow(
  store: Store,
  at: number,
  known: ReadonlyMap<string, string>,
): Promise<[number, Map<string, string>]> {
  const told = await store.readChanges("p", at, ALL);
  const { version, records } = told ?? (await store.read("p", ALL));
  const now = new Map(told === undefined ? [] : known);
  for (const name of told?.deleted ?? []) now.delete(name);
  for (const [name, value] of records) now.set(name, new TextDecoder().decode(value));
  return [version, now];
}

/** Mostly puts and deletes of a few names, now and then a clear. */
function randomWrite(version: number, random: (below: number) => number): PartitionWrite {
  const names = Array.from({ length: 12 }, (_, index) => `r/${index}`);
  const putNames = names.filter(() => random(4) === 0);
  const write = put("p", version, Object.fromEntries(putNames.map((name) => [name, `${version}`])));
  const deleted = names.filter((name) => !putNames.includes(name) && random(6) === 0);
  return random(20) === 0 ? { ...write, clear: true } : { ...write, delete: deleted };
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

/** Whole numbers from 0 to below a bound, the same for the same seed (a linear congruential generator). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
