/** Conformance: what may be a name, and what must not. */
import { type CaseData, expectEqual, expectMistake, names, put, type StoreCase, text } from "./case.ts";

const GOOD = [
  "x",
  " ",
  "x".repeat(512),
  "../..",
  "__proto__",
  "constructor",
  "a\u0001b",
  "\u{1f600}",
  "\uffff",
  "é",
  "e\u0301",
];
const BAD: readonly (readonly [what: string, name: string])[] = [
  ["empty", ""],
  ["too long", "x".repeat(513)],
  ["U+0000", "a\0b"],
  ["a lone high surrogate", "a\ud83d"],
  ["a lone low surrogate", "\ude00a"],
  ["a reversed surrogate pair", "\ude00\ud83d"],
];

export const nameCases: readonly StoreCase[] = [
  {
    title: "names: unusual names of partitions, records and locks are kept apart and unchanged",
    run: async ({ open }) => {
      const store = await open();
      for (const name of GOOD) {
        await store.write([
          { partition: name, expectedVersion: 0, put: new Map([[name, new TextEncoder().encode(name)]]) },
        ]);
      }
      for (const name of GOOD) {
        expectEqual(text(await store.read(name, [{ prefix: "" }])), [1, [name, name]], name);
        expectEqual(await store.exclusive(name, async () => Promise.resolve(name)), name, "result of a task");
      }
      expectEqual(await names(store), [...GOOD].sort(), "partitions");
    },
  },
  ...BAD.map(([what, name]) => ({
    title: `names: ${what} is refused everywhere, and nothing is written`,
    run: async ({ open }: CaseData) => {
      const store = await open();
      const good = put("good", 0, { a: "1" });
      await expectMistake(store.read(name, []), "read");
      await expectMistake(store.write([good, put(name, 0, { a: "1" })]), "partition");
      await expectMistake(store.write([good, put("p", 0, { a: "1", [name]: "1" })]), "record to put");
      await expectMistake(
        store.write([good, { partition: "p", expectedVersion: 0, delete: [name] }]),
        "record to delete",
      );
      await expectMistake(
        store.exclusive(name, async () => Promise.resolve()),
        "lock",
      );
      expectEqual(await names(store), [], "partitions");
    },
  })),
];
