/** Conformance: ranges, their order, and snapshots. */
import type { RecordRange } from "../contract.ts";
import { oneRecord } from "../range.ts";
import { type CaseData, expectEqual, expectMistake, put, type StoreCase } from "./case.ts";

/** Sorted by UTF-16 code units: the emoji (U+1F600, D83D DE00) comes before U+FF5E, unlike by code points. */
const NAMES = [
  "a",
  "a/",
  "a/1",
  "a/10",
  "a/2",
  "a/2/x",
  "a0",
  "b",
  "b/1",
  "é",
  "\u{1f600}",
  "\uff5e",
  "\uffff",
  "\uffffz",
];

const RANGES: readonly (readonly [what: string, range: RecordRange, expected: readonly string[]])[] = [
  ["everything", { prefix: "" }, NAMES],
  ["a prefix", { prefix: "a/" }, ["a/", "a/1", "a/10", "a/2", "a/2/x"]],
  ["a prefix that is a name", { prefix: "b" }, ["b", "b/1"]],
  ["no match", { prefix: "zz" }, []],
  ["half a surrogate pair", { prefix: "\ud83d" }, ["\u{1f600}"]],
  ["a prefix of the largest code unit", { prefix: "\uffff" }, ["\uffff", "\uffffz"]],
  ["after", { prefix: "a/", after: "a/1" }, ["a/10", "a/2", "a/2/x"]],
  ["after, before the prefix", { prefix: "a/", after: "A" }, ["a/", "a/1", "a/10", "a/2", "a/2/x"]],
  ["after, behind the prefix", { prefix: "a/", after: "b" }, []],
  ["after what is no name", { prefix: "a/", after: "a/11" }, ["a/2", "a/2/x"]],
  ["before", { prefix: "a/", before: "a/2" }, ["a/", "a/1", "a/10"]],
  ["before, behind the prefix", { prefix: "a/", before: "z" }, ["a/", "a/1", "a/10", "a/2", "a/2/x"]],
  ["before the prefix", { prefix: "a/", before: "a" }, []],
  ["after and before", { prefix: "", after: "a/1", before: "b" }, ["a/10", "a/2", "a/2/x", "a0"]],
  ["after and before the same", { prefix: "", after: "b", before: "b" }, []],
  ["after behind before", { prefix: "", after: "b", before: "a" }, []],
  ["one record", oneRecord("a/1"), ["a/1"]],
  ["one record that does not exist", oneRecord("a/3"), []],
  ["one record, the last", { ...oneRecord("a/1"), last: true }, ["a/1"]],
  ["a limit", { prefix: "a/", limit: 2 }, ["a/", "a/1"]],
  ["a limit of none", { prefix: "a/", limit: 0 }, []],
  ["a limit of more", { prefix: "a/", limit: 1e15 }, ["a/", "a/1", "a/10", "a/2", "a/2/x"]],
  ["the last", { prefix: "a/", last: true }, ["a/2/x"]],
  ["the last before", { prefix: "a/", before: "a/2", last: true }, ["a/10"]],
  ["the last after", { prefix: "a/", after: "a/2", last: true }, ["a/2/x"]],
  ["the last of none", { prefix: "a/", after: "a/2/x", last: true }, []],
  ["the last of all", { prefix: "", last: true }, ["\uffffz"]],
];

export const rangeCases: readonly StoreCase[] = [
  ...RANGES.map(([what, range, expected]) => ({
    title: `range: ${what}`,
    run: async ({ open }: CaseData) => {
      const store = await open();
      const shuffled = [...NAMES].reverse();
      await store.write([put("p", 0, Object.fromEntries(shuffled.map((name) => [name, `value of ${name}`])))]);
      const { version, records } = await store.read("p", [range]);
      expectEqual(version, 1, "version");
      expectEqual([...records.keys()], expected, "names");
      for (const [name, value] of records) {
        expectEqual(new TextDecoder().decode(value), `value of ${name}`, `value of ${name}`);
      }
    },
  })),
  {
    title: "range: several ranges come in their order; without ranges only the version is read",
    run: async ({ open }) => {
      const store = await open();
      await store.write([put("p", 0, { a: "1", b: "1", c: "1" })]);
      const several = await store.read("p", [oneRecord("c"), { prefix: "", last: true }, { prefix: "", limit: 1 }]);
      expectEqual([...several.records.keys()], ["c", "a"], "names, the first range that names one decides");
      const none = await store.read("p", []);
      expectEqual([none.version, none.records.size], [1, 0], "without ranges");
    },
  },
  {
    title: "range: mistakes are refused",
    run: async ({ open }) => {
      const store = await open();
      for (const limit of [-1, 1.5, NaN]) {
        await expectMistake(store.read("p", [{ prefix: "", limit }]), `limit ${limit}`);
      }
      await expectMistake(store.read("p", [{ prefix: "", limit: 1, last: true }]), "limit and last");
      await expectMistake(store.read("p", [{ prefix: "x".repeat(514) }]), "a prefix longer than any name");
      await expectMistake(store.read("p", new Array<RecordRange>(65_537).fill({ prefix: "" })), "too many ranges");
    },
  },
  {
    title: "snapshot: a read sees all of a write or nothing of it",
    run: async ({ open }) => {
      const [writer, reader] = [await open(), await open()];
      const names = Array.from({ length: 20 }, (_, index) => `record/${index}`);
      const writing = (async () => {
        for (let version = 0; version < 25; version++) {
          const records = Object.fromEntries(names.map((name) => [name, String(version + 1)]));
          await writer.write([put("p", version, records)]);
        }
      })();
      let version = 0;
      while (version < 25) {
        const ranges = [{ prefix: "", limit: 10 }, oneRecord("record/9"), { prefix: "", last: true }];
        const snapshot = await reader.read("p", ranges);
        const values = new Set(Array.from(snapshot.records.values(), (value) => new TextDecoder().decode(value)));
        expectEqual([...values], snapshot.version === 0 ? [] : [String(snapshot.version)], "values of one version");
        version = snapshot.version;
      }
      await writing;
    },
  },
];
