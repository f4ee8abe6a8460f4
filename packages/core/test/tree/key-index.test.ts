/** The key index against a map of counts (R-16.7-1). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, toHex } from "../../src/codec/bytes.ts";
import { KeyIndex } from "../../src/tree/key-index.ts";

class Model {
  readonly counts = new Map<string, number>();

  add(key: Bytes): void {
    this.counts.set(toHex(key), (this.counts.get(toHex(key)) ?? 0) + 1);
  }

  remove(key: Bytes): void {
    const count = this.counts.get(toHex(key)) ?? 0;
    if (count <= 1) this.counts.delete(toHex(key));
    else this.counts.set(toHex(key), count - 1);
  }

  get duplicates(): number {
    return [...this.counts.values()].filter((count) => count > 1).length;
  }
}

/** Few bytes and few values, so that keys share prefixes, contain each other and repeat. */
const key = fc
  .tuple(fc.nat({ max: 70 }), fc.array(fc.constantFrom(0, 1, 0x80, 0xff), { maxLength: 4 }), fc.boolean())
  .map(([length, tail, padded]): Bytes => {
    const bytes = new Uint8Array(padded ? length : 0);
    return Uint8Array.from([...bytes, ...tail]);
  });

test("agrees with the model, and older versions stay as they were", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), key), { maxLength: 60 }), (steps) => {
      const model = new Model();
      let index = KeyIndex.EMPTY;
      const versions: [KeyIndex, number][] = [];
      for (const [adding, value] of steps) {
        index = adding ? index.add(value) : index.remove(value);
        if (adding) model.add(value);
        else model.remove(value);
        expect(index.duplicates).toBe(model.duplicates);
        for (const [, other] of steps) expect(index.has(other)).toBe(model.counts.has(toHex(other)));
        versions.push([index, model.duplicates]);
      }
      for (const [version, duplicates] of versions) expect(version.duplicates).toBe(duplicates);
    }),
    { numRuns: 100 },
  );
});

test("built at once, it is the index that adding one by one gives", () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60 }), fc.array(key, { maxLength: 10 }), (keys, others) => {
      const model = new Model();
      for (const value of keys) model.add(value);
      let index = KeyIndex.of(keys);
      expect(index.duplicates).toBe(model.duplicates);
      for (const value of [...keys, ...others]) expect(index.has(value)).toBe(model.counts.has(toHex(value)));
      for (const value of keys) {
        index = index.remove(value);
        model.remove(value);
        expect(index.duplicates).toBe(model.duplicates);
        expect(index.has(value)).toBe(model.counts.has(toHex(value)));
      }
    }),
    { numRuns: 100 },
  );
});

describe("keys that are alike", () => {
  const lengths = Array.from({ length: 71 }, (_, length) => new Uint8Array(length));

  test("zeros of every length are different keys, in every order", () => {
    for (const keys of [lengths, [...lengths].reverse()]) {
      let index = KeyIndex.EMPTY;
      for (const value of keys) {
        expect(index.has(value)).toBe(false);
        index = index.add(value);
      }
      expect(keys.every((value) => index.has(value))).toBe(true);
      expect(index.duplicates).toBe(0);
      for (const value of keys) index = index.remove(value);
      expect(keys.some((value) => index.has(value))).toBe(false);
    }
  });

  test("each single bit of 32 bytes makes another key", () => {
    const base = new Uint8Array(32).fill(0x55);
    const keys = Array.from({ length: 256 }, (_, bit) =>
      base.map((byte, i) => (i === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte)),
    );
    const index = [base, ...keys].reduce((sum, value) => sum.add(value), KeyIndex.EMPTY);
    expect(index.duplicates).toBe(0);
    const without = keys.reduce((sum, value) => sum.remove(value), index);
    expect(without.has(base)).toBe(true);
    expect(keys.some((value) => without.has(value))).toBe(false);
  });

  test("a repeated key counts once as a duplicate, until all but one are out", () => {
    let index = KeyIndex.EMPTY.add(EMPTY).add(EMPTY).add(EMPTY);
    expect(index.duplicates).toBe(1);
    index = index.remove(EMPTY);
    expect(index.duplicates).toBe(1);
    index = index.remove(EMPTY);
    expect([index.duplicates, index.has(EMPTY)]).toEqual([0, true]);
    index = index.remove(EMPTY).remove(EMPTY);
    expect([index.duplicates, index.has(EMPTY)]).toEqual([0, false]);
  });
});
