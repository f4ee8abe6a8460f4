/** Conformance: atomic writes under compare-and-swap. */
import { ALL, expect, expectCode, expectEqual, expectMistake, names, put, type StoreCase, text } from "./case.ts";

export const writeCases: readonly StoreCase[] = [
  {
    title: "write: a partition that does not exist has version 0 and no records",
    run: async ({ open }) => {
      const store = await open();
      expectEqual(text(await store.read("p", ALL)), [0], "snapshot");
      expectEqual(await names(store), [], "partitions");
    },
  },
  {
    title: "write: each write raises the version by one and keeps other records",
    run: async ({ open }) => {
      const store = await open();
      await store.write([put("p", 0, { a: "1", b: "1" })]);
      await store.write([put("p", 1, { b: "2", c: "2" })]);
      expectEqual(text(await store.read("p", ALL)), [2, ["a", "1"], ["b", "2"], ["c", "2"]], "snapshot");
      await store.write([{ partition: "p", expectedVersion: 2 }]);
      expectEqual((await store.read("p", [])).version, 3, "version after a write without records");
    },
  },
  {
    title: "write: an empty write to a new partition creates it; no writes at all do nothing",
    run: async ({ open }) => {
      const store = await open();
      await store.write([]);
      await store.write([{ partition: "p", expectedVersion: 0 }]);
      expectEqual(text(await store.read("p", ALL)), [1], "snapshot");
      expectEqual(await names(store), ["p"], "partitions");
    },
  },
  {
    title: "write: deletes records, also ones that do not exist; the partition stays when its last record goes",
    run: async ({ open }) => {
      const store = await open();
      await store.write([put("p", 0, { a: "1", b: "1" })]);
      await store.write([{ ...put("p", 1, { c: "2" }), delete: ["a", "unknown"] }]);
      expectEqual(text(await store.read("p", ALL)), [2, ["b", "1"], ["c", "2"]], "after one delete");
      await store.write([{ partition: "p", expectedVersion: 2, delete: ["b", "c", "b"] }]);
      expectEqual(text(await store.read("p", ALL)), [3], "after the last delete");
      expectEqual(await names(store), ["p"], "partitions");
    },
  },
  {
    title: "write: clear with records replaces everything and counts on",
    run: async ({ open }) => {
      const store = await open();
      await store.write([put("p", 0, { a: "1", b: "1" })]);
      await store.write([{ ...put("p", 1, { b: "2" }), clear: true, delete: ["a"] }]);
      expectEqual(text(await store.read("p", ALL)), [2, ["b", "2"]], "snapshot");
    },
  },
  {
    title: "write: clear without records removes the partition, but its versions never repeat",
    run: async ({ open }) => {
      const store = await open();
      await store.write([put("p", 0, { a: "1" }), put("q", 0, { a: "q" })]);
      await store.write([{ partition: "p", expectedVersion: 1, clear: true }]);
      expectEqual(text(await store.read("p", ALL)), [2], "removed");
      expectEqual(await names(store), ["q"], "partitions");
      for (const stale of [0, 1, 3]) {
        await expectCode(store.write([put("p", stale, { a: "2" })]), "ERR_STORE_CONFLICT");
      }
      expectEqual(text(await (await open()).read("p", ALL)), [2], "removed, seen by another context");
      await store.write([put("p", 2, { b: "3" })]);
      expectEqual(text(await store.read("p", ALL)), [3, ["b", "3"]], "created again");
      expectEqual(await names(store), ["p", "q"], "partitions");
    },
  },
  {
    title: "write: what does not exist can be cleared, and what was cleared once more",
    run: async ({ open }) => {
      const store = await open();
      await store.write([{ partition: "p", expectedVersion: 0, clear: true }]);
      await store.write([{ partition: "p", expectedVersion: 1, clear: true }]);
      expectEqual(text(await store.read("p", ALL)), [2], "snapshot");
      expectEqual(await names(store), [], "partitions");
      await store.write([
        { partition: "p", expectedVersion: 2, clear: true, put: put("p", 2, { a: "1" }).put ?? new Map() },
      ]);
      expectEqual(text(await store.read("p", ALL)), [3, ["a", "1"]], "cleared and filled at once");
      expectEqual(await names(store), ["p"], "partitions");
    },
  },
  {
    title: "write: a context that slept while a partition was cleared and made again cannot write over it",
    run: async ({ open }) => {
      const [sleeper, awake] = [await open(), await open()];
      for (let version = 0; version < 3; version++)
        await sleeper.write([put("group", version, { a: String(version) })]);
      const slept = await sleeper.read("group", ALL);
      await awake.write([{ partition: "group", expectedVersion: 3, clear: true }]);
      // Joined again, and as many writes as the sleeper saw.
      for (let version = 4; version < 7; version++) await awake.write([put("group", version, { a: `new ${version}` })]);
      await expectCode(sleeper.write([put("group", slept.version, { a: "old" })]), "ERR_STORE_CONFLICT");
      expectEqual(text(await sleeper.read("group", ALL)), [7, ["a", "new 6"]], "snapshot");
    },
  },
  {
    title: "write: partitions with the same record names, or names that extend one another, stay apart",
    run: async ({ open }) => {
      const store = await open();
      await store.write([put("group", 0, { a: "1" }), put("group/1", 0, { a: "2" }), put("group/10", 0, { a: "3" })]);
      await store.write([{ partition: "group/1", expectedVersion: 1, clear: true }]);
      expectEqual(text(await store.read("group", ALL)), [1, ["a", "1"]], "group");
      expectEqual(text(await store.read("group/10", ALL)), [1, ["a", "3"]], "group/10");
    },
  },
  {
    title: "conflict: a stale or future version writes nothing, in any partition of the write",
    run: async ({ open }) => {
      const store = await open();
      await store.write([put("p", 0, { a: "1" }), put("q", 0, { a: "1" })]);
      const others = [put("p", 1, { a: "2" }), put("new", 0, { a: "2" })];
      for (const stale of [put("q", 0, { a: "2" }), put("q", 2, { a: "2" })]) {
        await expectCode(store.write([...others, stale]), "ERR_STORE_CONFLICT");
        await expectCode(store.write([stale, ...others]), "ERR_STORE_CONFLICT");
      }
      await expectCode(store.write([{ partition: "p", expectedVersion: 0, clear: true }]), "ERR_STORE_CONFLICT");
      expectEqual(text(await store.read("p", ALL)), [1, ["a", "1"]], "p");
      expectEqual(text(await store.read("q", ALL)), [1, ["a", "1"]], "q");
      expectEqual(text(await store.read("new", ALL)), [0], "new");
      await store.write([...others, put("q", 1, { a: "2" })]);
      expectEqual(text(await store.read("new", ALL)), [1, ["a", "2"]], "new, afterwards");
    },
  },
  {
    title: "write: values keep every byte, from none to a megabyte",
    run: async ({ open }) => {
      const store = await open();
      const values = [0, 1, 15, 16, 17, 255, 65_536, 1_048_577].map((length) =>
        Uint8Array.from({ length }, (_, index) => (index * 31 + length) & 0xff),
      );
      await store.write([
        { partition: "p", expectedVersion: 0, put: new Map(values.map((value) => [String(value.length), value])) },
      ]);
      const { records } = await store.read("p", ALL);
      for (const value of values) {
        const stored = records.get(String(value.length));
        expect(
          stored?.length === value.length && stored.every((byte, index) => byte === value[index]),
          `value of ${value.length} bytes`,
        );
      }
    },
  },
  {
    title: "write: a thousand records in one write",
    run: async ({ open }) => {
      const store = await open();
      const recordNames = Array.from({ length: 1000 }, (_, index) => `tree/${String(index).padStart(4, "0")}`);
      await store.write([put("p", 0, Object.fromEntries(recordNames.map((name) => [name, name])))]);
      const { records } = await store.read("p", [{ prefix: "tree/" }]);
      expectEqual([...records.keys()], recordNames, "names");
      expectEqual(
        Array.from(records.values(), (value) => new TextDecoder().decode(value)),
        recordNames,
        "values",
      );
    },
  },
  {
    title: "isolation: the caller may change its values as soon as write was called",
    run: async ({ open }) => {
      const store = await open();
      const backing = new TextEncoder().encode("..secret..");
      const records = new Map([["a", backing.subarray(2, 8)]]);
      const written = store.write([{ partition: "p", expectedVersion: 0, put: records }]);
      backing.fill(0);
      records.set("b", backing);
      await written;
      expectEqual(text(await store.read("p", ALL)), [1, ["a", "secret"]], "snapshot");
    },
  },
  {
    title: "isolation: values that were read belong to the reader",
    run: async ({ open }) => {
      const store = await open();
      const written = new TextEncoder().encode("one");
      await store.write([{ partition: "p", expectedVersion: 0, put: new Map([["a", written]]) }]);
      const first = await store.read("p", ALL);
      first.records.get("a")?.fill(0);
      expectEqual(new TextDecoder().decode(written), "one", "what was written");
      expectEqual(text(await store.read("p", ALL)), [1, ["a", "one"]], "what is stored");
      await store.write([put("p", 1, { a: "two" })]);
      expectEqual(Array.from(first.records.get("a") ?? []), [0, 0, 0], "what was read before");
    },
  },
  {
    title: "limits: mistakes are refused as a whole",
    run: async ({ open }) => {
      const store = await open();
      const good = put("good", 0, { a: "1" });
      await expectMistake(store.write([good, good]), "a partition twice");
      await expectMistake(store.write([good, { ...put("p", 0, { a: "1" }), delete: ["a"] }]), "put and delete");
      for (const version of [-1, 0.5, NaN, Infinity, Number.MAX_SAFE_INTEGER]) {
        await expectMistake(store.write([good, put("p", version, {})]), `version ${version}`);
      }
      const notBytes: readonly unknown[] = [
        "text",
        [1],
        new ArrayBuffer(1),
        new Uint16Array(1),
        new DataView(new ArrayBuffer(1)),
        null,
      ];
      for (const value of notBytes) {
        const records = new Map([["a", value as Uint8Array]]);
        await expectMistake(store.write([good, { partition: "p", expectedVersion: 0, put: records }]), "not bytes");
      }
      const large = new Map([["a", new Uint8Array(64 * 1024 * 1024 + 1)]]);
      await expectMistake(store.write([good, { partition: "p", expectedVersion: 0, put: large }]), "over 64 MiB");
      expectEqual(await names(store), [], "partitions");
    },
  },
];
