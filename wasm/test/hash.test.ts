import { createHash, createHmac, hkdfSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createWasmKernel } from "../src/full.ts";
import type { HashKernel } from "../src/index.ts";
import { openKernel, random, toHex } from "./support.ts";

const kernel = createWasmKernel();
const { capacity } = openKernel().exports;
const arenaSize = Number(capacity.value);
const all: readonly (readonly [HashKernel, string])[] = [
  [kernel.sha256, "sha256"],
  [kernel.sha384, "sha384"],
  [kernel.sha512, "sha512"],
];
const nodeHmac = (name: string, key: Uint8Array, data: Uint8Array): string =>
  createHmac(name, key).update(data).digest("hex");

describe.each(all)("$name against node:crypto", (hash, name) => {
  const { bytes, below } = random(0x5eed);

  it("digests and MACs of every length from 0 to 300", () => {
    for (let length = 0; length <= 300; length++) {
      const data = bytes(length);
      const key = bytes(below(200));
      expect(toHex(hash.digest(data))).toBe(createHash(name).update(data).digest("hex"));
      expect(toHex(hash.hmac(key, data))).toBe(nodeHmac(name, key, data));
      expect(toHex(hash.hmac(data, key))).toBe(nodeHmac(name, data, key));
    }
  });

  it("digests and MACs around and far beyond the capacity of the arena", () => {
    const key = bytes(32);
    const lengths = [arenaSize - 33, arenaSize - 32, arenaSize - 31, arenaSize - 1, arenaSize, arenaSize + 1];
    for (const length of [...lengths, 2 * arenaSize, 3 * arenaSize + 17, 1_000_000 + below(1000)]) {
      const data = new Uint8Array(length).fill(length & 0xff);
      data[length - 1] = 1;
      expect(toHex(hash.digest(data))).toBe(createHash(name).update(data).digest("hex"));
      expect(toHex(hash.hmac(key, data))).toBe(nodeHmac(name, key, data));
      expect(toHex(hash.hmac(data, key))).toBe(nodeHmac(name, data, key));
    }
  });

  it("16 MiB", () => {
    const data = new Uint8Array(2 ** 24).fill(7);
    expect(toHex(hash.digest(data))).toBe(createHash(name).update(data).digest("hex"));
    expect(toHex(hash.hmac(data.subarray(0, 5), data))).toBe(nodeHmac(name, data.subarray(0, 5), data));
  });

  it("random HKDF", () => {
    for (let i = 0; i < 100; i++) {
      const [ikm, salt, info] = [bytes(below(100)), bytes(below(150)), bytes(below(300))];
      const length = below(4 * hash.Nh);
      const expected = Buffer.from(hkdfSync(name, ikm, salt, info, length)).toString("hex");
      expect(toHex(hash.expand(hash.extract(salt, ikm), info, length))).toBe(expected);
    }
  });

  it("HKDF-Expand of the greatest length, with a long prk, and with info beyond the arena", () => {
    const reference = (prk: Uint8Array, info: Uint8Array, length: number): string => {
      const blocks: Buffer[] = [];
      for (let i = 1, last: Uint8Array = new Uint8Array(0); (i - 1) * hash.Nh < length; i++) {
        const block = createHmac(name, prk).update(last).update(info).update(Uint8Array.of(i)).digest();
        blocks.push(block);
        last = block;
      }
      return Buffer.concat(blocks).subarray(0, length).toString("hex");
    };
    for (const [prkLength, infoLength, length] of [
      [hash.Nh, 10, 255 * hash.Nh],
      [0, 0, 255 * hash.Nh - 1],
      [500, 10, 100],
      [arenaSize + 5, 3, 100],
      [32, arenaSize - 32, 3 * hash.Nh],
      [32, arenaSize - 31, 3 * hash.Nh],
      [32, 300_000, 2 * hash.Nh + 5],
      [32, 300_000, 0],
    ] as const) {
      const [prk, info] = [bytes(prkLength), bytes(infoLength)];
      expect(toHex(hash.expand(prk, info, length))).toBe(reference(prk, info, length));
    }
  });

  it("is unaffected by where its arguments lie and does not change them", () => {
    const backing = bytes(100);
    const before = toHex(backing);
    const view = backing.subarray(13, 63);
    expect(toHex(hash.digest(view))).toBe(createHash(name).update(view).digest("hex"));
    expect(toHex(hash.hmac(view, view))).toBe(nodeHmac(name, view, view));
    expect(toHex(backing)).toBe(before);
  });
});
