import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hex, openKernel, random, toHex } from "./support.ts";

const { kernel, exports, memory } = openKernel();
const fresh = memory();
const arenaSize = Number(exports.capacity.value);

describe.each([
  [kernel.sha256, "sha256"],
  [kernel.sha384, "sha384"],
  [kernel.sha512, "sha512"],
] as const)("digestMany of $name", (hash, name) => {
  const { bytes, below } = random(0x4444);
  const many = (count: number, length: () => number): Uint8Array[] =>
    Array.from({ length: count }, () => bytes(length()));

  it.each([
    ["none", (): Uint8Array[] => []],
    ["one", (): Uint8Array[] => many(1, () => 40)],
    ["nothing but empty messages", (): Uint8Array[] => many(9, () => 0)],
    ["four of every length from 0 to 300", (): Uint8Array[] => Array.from({ length: 1204 }, (_, i) => bytes(i >> 2))],
    ["lengths in sequence", (): Uint8Array[] => Array.from({ length: 300 }, (_, i) => bytes(i))],
    ["any lengths", (): Uint8Array[] => many(203, () => below(700))],
    ["one long among short", (): Uint8Array[] => Array.from({ length: 8 }, (_, i) => bytes(i === 2 ? 5000 : 60))],
    ["more digests than the output holds", (): Uint8Array[] => many(1100, () => below(130))],
    ["more than the arena holds", (): Uint8Array[] => many(7, () => 30_000 + below(100))],
    ["as much as the arena holds", (): Uint8Array[] => [65_536, 65_509, 5, 6].map((length) => bytes(length))],
    ["one byte more than the arena holds", (): Uint8Array[] => [65_536, 65_510, 5, 6].map((length) => bytes(length))],
    [
      "one that the arena does not hold",
      (): Uint8Array[] => [bytes(3), new Uint8Array(arenaSize), new Uint8Array(arenaSize - 4), bytes(3), bytes(9)],
    ],
  ])("%s", (_name, make) => {
    const messages = make();
    const expected = messages.map((message) => createHash(name).update(message).digest("hex"));
    expect(hash.digestMany(messages).map(toHex)).toEqual(expected);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });

  it("gives arrays of their own", () => {
    const [first, second] = hash.digestMany([hex("00"), hex("01")]);
    expect([first?.buffer.byteLength, second?.buffer.byteLength]).toEqual([hash.Nh, hash.Nh]);
    expect(first?.buffer).not.toBe(second?.buffer);
  });

  it("anything but bytes is a TypeError, and nothing stays in memory", () => {
    const wrong = "abc" as unknown as Uint8Array;
    expect(() => hash.digestMany([bytes(3), wrong])).toThrow(TypeError);
    const detached = bytes(32);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(() => hash.digestMany([bytes(3), detached])).toThrow(TypeError);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });
});

describe("the kernel's own checks of a batch of digests", () => {
  const base = Number(exports.arena.value);
  it.each([
    ["a table longer than the arena", 0x40000000, []],
    ["more digests than the output holds", 511, []],
    ["a message beyond the arena", 1, [arenaSize - 3]],
    ["lengths whose sum wraps", 2, [0xffffffff, 0xffffffff]],
  ])("%s: traps and touches nothing", (_name, count, table) => {
    const view = new DataView(exports.memory.buffer, base);
    for (const [i, length] of table.entries()) view.setUint32(4 * i, length, true);
    expect(() => {
      exports.digestMany(0, count);
    }).toThrow(WebAssembly.RuntimeError);
    for (const i of table.keys()) view.setUint32(4 * i, 0, true);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });
});
