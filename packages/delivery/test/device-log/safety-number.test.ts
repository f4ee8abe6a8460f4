/** The number that people compare. */
import { createHash, createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { safetyNumber } from "@coppice/delivery/contract";
import { id, Writer } from "./people.ts";

const root = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

/** The documented steps over Node's cryptography. HKDF-Expand alone is not there, so it is HMAC once. */
function expected(roots: readonly Uint8Array[]): string {
  const sha256 = (...parts: readonly Uint8Array[]) =>
    parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
  const length = 32 * roots.length;
  const seed = sha256(
    Buffer.from("Coppice safety number 2"),
    Buffer.from([0x40 | (length >> 8), length & 0xff]),
    ...roots,
  );
  let digest = seed;
  for (let i = 0; i < 512; i++) digest = sha256(digest, seed);
  return Array.from({ length: 12 }, (_, i) => {
    const label = Buffer.from("MLS 1.0 safety number");
    const info = Buffer.from([0, 5, label.length, ...label, 1, i, 1]);
    return String(createHmac("sha256", digest).update(info).digest().readUIntBE(0, 5) % 100_000).padStart(5, "0");
  }).join(" ");
}

describe("safety number", () => {
  test("is 60 digits in 12 groups, made as documented", async () => {
    const number = await safetyNumber([root(1), root(2)]);
    expect(number).toMatch(/^(\d{5} ){11}\d{5}$/);
    expect(number).toBe(expected([root(1), root(2)]));
    expect(await safetyNumber([root(1), root(2), root(3)])).toBe(expected([root(1), root(2), root(3)]));
  });

  test("is the same in every order, and however often somebody is named", async () => {
    const number = await safetyNumber([root(1), root(2), root(3)]);
    expect(await safetyNumber([root(3), root(1), root(2)])).toBe(number);
    expect(await safetyNumber([root(3), root(1), root(1), root(2), root(3)])).toBe(number);
  });

  test("changes with any bit of any root, and with who is there", async () => {
    const numbers = await Promise.all(
      [
        [root(1), root(2)],
        [root(1), root(2).map((byte, i) => (i === 31 ? byte ^ 1 : byte))],
        [root(1).map((byte, i) => (i === 0 ? byte ^ 128 : byte)), root(2)],
        [root(1)],
        [root(1), root(2), root(3)],
      ].map(safetyNumber),
    );
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test("does not change with a log's devices, and does when its user starts anew", async () => {
    const alice = await Writer.create();
    const bob = (await Writer.create("bob", { device: 2 })).verified.root;
    const before = await safetyNumber([alice.verified.root, bob]);
    await alice.add(3);
    await alice.remove(1, id(3));
    expect(await safetyNumber([bob, alice.verified.root])).toBe(before);
    const anew = await Writer.create("alice", { nonce: 8 });
    expect(await safetyNumber([anew.verified.root, bob])).not.toBe(before);
  });

  test("is of roots, at least one", async () => {
    await expect(safetyNumber([])).rejects.toThrow(RangeError);
    await expect(safetyNumber([new Uint8Array(31)])).rejects.toThrow(RangeError);
    await expect(safetyNumber(["alice" as never])).rejects.toThrow(TypeError);
  });
});
