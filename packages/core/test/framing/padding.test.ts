/** Padding policies (RFC 9420 §15.1). */
import fc from "fast-check";
import { expect, test } from "vitest";
import { noPadding, padme, padToBlocks } from "../../src/framing/padding.ts";

/** Padmé as its authors define it: the mantissa keeps as many bits as the exponent has. */
function definition(length: number): number {
  const exponent = length.toString(2).length - 1;
  const kept = exponent.toString(2).length;
  const mask = 2 ** (exponent - kept) - 1;
  return (length + mask) & ~mask;
}

const lengths = fc.integer({ min: 32, max: 2 ** 26 });

test("Padmé's lengths are those of its definition, from 32 bytes on (R-15.1-1)", () => {
  for (const length of [0, 1, 31, 32]) expect(padme(length)).toBe(32);
  for (const length of [33, 63, 64, 65, 100, 1000, 16_383, 16_384, 70_001])
    expect(padme(length)).toBe(definition(length));
  fc.assert(
    fc.property(lengths, (length) => {
      expect(padme(length)).toBe(definition(length));
    }),
  );
});

test("Padmé adds at most 12 %, and makes few lengths of many", () => {
  fc.assert(
    fc.property(lengths, (length) => {
      expect(padme(length)).toBeGreaterThanOrEqual(length);
      expect(padme(length)).toBeLessThanOrEqual(length * 1.12);
    }),
  );
  expect(new Set(Array.from({ length: 4096 }, (_, i) => padme(i + 32))).size).toBeLessThan(100);
});

test("blocks: up to the next multiple, and never nothing (R-15.1-1)", () => {
  const policy = padToBlocks(100);
  for (const [length, padded] of [
    [0, 100],
    [1, 100],
    [100, 100],
    [101, 200],
  ] as const) {
    expect(policy(length)).toBe(padded);
  }
  for (const size of [0, -1, 1.5, Number.NaN]) expect(() => padToBlocks(size)).toThrow(RangeError);
});

test("no padding: the length itself", () => {
  for (const length of [0, 1, 12_345]) expect(noPadding(length)).toBe(length);
});
