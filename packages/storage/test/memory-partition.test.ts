import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryPartition } from "../src/memory-partition.ts";
import { toIntervals } from "../src/range.ts";
import { planWrites } from "../src/write-plan.ts";

const name = fc.constantFrom(...Array.from({ length: 60 }, (_, index) => `n/${index}`));

test("names stay sorted under any sequence of writes", () => {
  const step = fc.record({ put: fc.uniqueArray(name, { maxLength: 40 }), delete: fc.array(name), clear: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const partition = new MemoryPartition();
      const model = new Set<string>();
      for (const { put, delete: candidates, clear } of steps) {
        const deleted = candidates.filter((candidate) => !put.includes(candidate));
        const records = new Map(put.map((key) => [key, new Uint8Array(1)]));
        const plan = planWrites([
          { partition: "p", expectedVersion: partition.version, put: records, delete: deleted, clear },
        ]);
        for (const write of plan) partition.apply(write);
        if (clear) model.clear();
        for (const key of deleted) model.delete(key);
        for (const key of put) model.add(key);
        const [everything] = toIntervals([{ prefix: "" }]);
        if (everything === undefined) throw new Error("an interval");
        expect(partition.select(everything).map(([key]) => key)).toEqual([...model].sort());
      }
    }),
  );
});

test("replaced, deleted and cleared values are overwritten", () => {
  const partition = new MemoryPartition();
  const held: Uint8Array[] = [];
  const apply = (expectedVersion: number, change: { put?: string[]; delete?: string[]; clear?: boolean }): void => {
    const put = new Map((change.put ?? []).map((key) => [key, Uint8Array.of(7)]));
    for (const write of planWrites([{ partition: "p", ...change, expectedVersion, put }])) {
      held.push(...write.put.values());
      partition.apply(write);
    }
  };
  apply(0, { put: ["replaced", "deleted", "cleared"] });
  apply(1, { put: ["replaced"], delete: ["deleted"] });
  expect(held.map(([byte]) => byte)).toEqual([0, 0, 7, 7]);
  apply(2, { put: ["kept"], clear: true });
  expect(held.map(([byte]) => byte)).toEqual([0, 0, 0, 0, 7]);
});
