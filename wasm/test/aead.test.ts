import { createCipheriv } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createWasmKernel, kernelOver } from "../src/full.ts";
import type { AeadKernel } from "../src/index.ts";
import { ascii, holdsPartOf, openKernel, random, toHex } from "./support.ts";

const kernel = createWasmKernel();
const arenaSize = Number(openKernel().exports.capacity.value);
const none = new Uint8Array(0);
const all: readonly (readonly [AeadKernel, "aes-128-gcm" | "aes-256-gcm" | "chacha20-poly1305"])[] = [
  [kernel.aes128gcm, "aes-128-gcm"],
  [kernel.aes256gcm, "aes-256-gcm"],
  [kernel.chacha20poly1305, "chacha20-poly1305"],
];

interface Message {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
  readonly data: Uint8Array;
}

function nodeSeal(name: (typeof all)[number][1], { key, nonce, aad, data }: Message): string {
  // The overloads of createCipheriv know the names one by one.
  const cipher = createCipheriv(name as "chacha20-poly1305", key, nonce, { authTagLength: 16 });
  cipher.setAAD(aad, { plaintextLength: data.length });
  return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]).toString("hex");
}

describe.each(all)("$name", (aead, name) => {
  const { bytes, below } = random(0xaead);
  const message = (length: number, aadLength: number = below(70)): Message => ({
    key: bytes(aead.Nk),
    nonce: bytes(aead.Nn),
    aad: bytes(aadLength),
    data: bytes(length),
  });
  const seal = ({ key, nonce, aad, data }: Message): Uint8Array => aead.seal(key, nonce, aad, data);
  const open = ({ key, nonce, aad }: Message, data: Uint8Array): Uint8Array | undefined =>
    aead.open(key, nonce, aad, data);

  it("is node:crypto's for every length from 0 to 300", () => {
    for (let length = 0; length <= 300; length++) {
      const m = message(length);
      const sealed = seal(m);
      expect(toHex(sealed)).toBe(nodeSeal(name, m));
      expect(open(m, sealed)).toEqual(m.data);
      const n = message(below(40), length);
      expect(toHex(seal(n))).toBe(nodeSeal(name, n));
    }
  });

  it("is node:crypto's around and beyond the capacity of the arena, in data and in associated data", () => {
    const room = arenaSize - 8 - aead.Nk - 12 - 16;
    for (const [length, aadLength] of [
      [room, 0],
      [room + 1, 0],
      [room - 5, 5],
      [room - 5, 6],
      [0, room],
      [3, room],
      [0, 2 * arenaSize + 1],
      [arenaSize, arenaSize],
      [3 * arenaSize + 77, arenaSize + 9],
      [1_000_000 + below(1000), 20],
    ] as const) {
      const m = message(100, 100);
      const [data, aad] = [new Uint8Array(length).fill(length & 255), new Uint8Array(aadLength).fill(7)];
      const large = { ...m, data, aad };
      const sealed = seal(large);
      // Not toEqual: it takes seconds on a megabyte.
      expect(toHex(sealed) === nodeSeal(name, large)).toBe(true);
      const opened = open(large, sealed);
      expect(opened !== undefined && Buffer.compare(opened, data) === 0).toBe(true);
      sealed[length >> 1] = (sealed[length >> 1] ?? 0) ^ 1;
      expect(open(large, sealed)).toBeUndefined();
    }
  });

  it("refuses every change of one bit: ciphertext, tag, associated data, nonce, key", () => {
    for (const length of [0, 1, 16, 37, 130]) {
      const m = message(length, 21);
      const sealed = seal(m);
      for (const part of ["data", "aad", "nonce", "key"] as const) {
        const original = { ...m, data: sealed };
        for (let i = 0; i < original[part].length; i++) {
          const changed = Uint8Array.from(original[part]);
          changed[i] = (changed[i] ?? 0) ^ (1 << (i & 7));
          const forged = { ...original, [part]: changed };
          expect(open(forged, forged.data)).toBeUndefined();
        }
      }
      expect(open(m, sealed)).toEqual(m.data);
    }
  });

  it("decrypts what it has authenticated, also when the ciphertext changes in between", () => {
    const { exports } = openKernel();
    const m = message(0);
    const data = new Uint8Array(2 * arenaSize).fill(9);
    const sealed = aead.seal(m.key, m.nonce, m.aad, data);
    const aeadVerify = (): number => {
      const outcome = exports.aeadVerify();
      sealed.fill(0);
      return outcome;
    };
    const racing = kernelOver({ ...exports, aeadVerify });
    const same = [racing.aes128gcm, racing.aes256gcm, racing.chacha20poly1305].find(
      (candidate) => candidate.name === aead.name,
    );
    expect(Buffer.compare(same?.open(m.key, m.nonce, m.aad, sealed) ?? none, data)).toBe(0);
  });

  it("adversarial 6: a missing, truncated or extended tag is refused", () => {
    const m = message(40);
    const sealed = seal(m);
    for (let length = 0; length < sealed.length; length++) expect(open(m, sealed.subarray(0, length))).toBeUndefined();
    expect(open(m, Buffer.concat([sealed, new Uint8Array(1)]))).toBeUndefined();
    expect(open(m, Buffer.concat([new Uint8Array(1), sealed]))).toBeUndefined();
    expect(aead.openMany([{ ...m, data: none }])).toEqual([undefined]);
  });

  it.each([
    ["equal lengths", (): Message[] => Array.from({ length: 100 }, () => message(200, 30))],
    ["lengths from 0 to 399", (): Message[] => Array.from({ length: 400 }, (_, i) => message(i))],
    ["nothing but tags", (): Message[] => Array.from({ length: 19 }, () => message(0, 0))],
    ["one long among short", (): Message[] => Array.from({ length: 8 }, (_, i) => message(i === 3 ? 5000 : 10))],
    ["one", (): Message[] => [message(33)]],
    ["none", (): Message[] => []],
    [
      "more than the arena holds, some alone too",
      (): Message[] => [message(10), message(arenaSize), message(60_000), message(60_000), message(60_000), message(0)],
    ],
  ])("batch: %s", (_name, make) => {
    const messages = make();
    const sealed = aead.sealMany(messages);
    expect(sealed.map(toHex)).toEqual(messages.map((m) => nodeSeal(name, m)));
    const opened = aead.openMany(messages.map((m, i) => ({ ...m, data: sealed[i] ?? none })));
    expect(opened.map((plaintext) => toHex(plaintext ?? ascii("refused")))).toEqual(messages.map((m) => toHex(m.data)));
  });

  it("batch: splits where the arena is full", () => {
    const first = message(70_000, 0);
    const rest = arenaSize - 2 * (8 + aead.Nk + 12 + 16) - first.data.length;
    for (const more of [-1, 0, 1, 2]) {
      const messages = [first, message(rest + more, 0), message(1)];
      const sealed = aead.sealMany(messages);
      expect(sealed.map(toHex)).toEqual(messages.map((m) => nodeSeal(name, m)));
      const opened = aead.openMany(messages.map((m, i) => ({ ...m, data: sealed[i] ?? none })));
      expect(opened.every((data, i) => Buffer.compare(data ?? none, messages[i]?.data ?? none) === 0)).toBe(true);
    }
  });

  it("batch: messages that do not authenticate do not affect the others", () => {
    for (const count of [2, 8, 9, 31]) {
      const messages = Array.from({ length: count }, () => message(below(150)));
      const sealed = aead.sealMany(messages).map((data, i) => {
        if (i % 3 === 1) data[below(data.length)] = (data[below(data.length)] ?? 0) ^ 0x80;
        return i % 7 === 5 ? data.subarray(0, 15) : data;
      });
      const expected = messages.map((m, i) => {
        const opened = open(m, sealed[i] ?? none);
        return opened === undefined ? "refused" : toHex(opened);
      });
      expect(expected.filter((outcome) => outcome === "refused").length).toBeGreaterThan(0);
      const opened = aead.openMany(messages.map((m, i) => ({ ...m, data: sealed[i] ?? none })));
      expect(opened.map((plaintext) => (plaintext === undefined ? "refused" : toHex(plaintext)))).toEqual(expected);
    }
  });

  it("keys and nonces of another length are a RangeError, anything but bytes a TypeError", () => {
    const m = message(5);
    const wrong = [
      { key: bytes(aead.Nk - 1) },
      { key: bytes(48) },
      { key: none },
      { nonce: bytes(11) },
      { nonce: none },
    ];
    for (const change of wrong) {
      expect(() => seal({ ...m, ...change })).toThrow(RangeError);
      expect(() => open({ ...m, ...change }, bytes(40))).toThrow(RangeError);
      expect(() => aead.sealMany([m, { ...m, ...change }])).toThrow(RangeError);
      expect(() => aead.openMany([m, { ...m, ...change }])).toThrow(RangeError);
    }
    for (const part of ["key", "nonce", "aad", "data"]) {
      const change: object = { [part]: "x".repeat(aead.Nk) };
      expect(() => seal({ ...m, ...change })).toThrow(TypeError);
      expect(() => aead.openMany([{ ...m, ...change }])).toThrow(TypeError);
    }
  });

  it("leaves no trace in memory, and no plaintext of what it refuses", () => {
    const { kernel: inspected, exports, memory } = openKernel();
    const fresh = memory();
    const id = all.findIndex(([{ name: candidate }]) => candidate === aead.name);
    const same = [inspected.aes128gcm, inspected.aes256gcm, inspected.chacha20poly1305][id];
    if (same === undefined) throw new Error("no such AEAD");
    const m = message(200, 50);
    const large = message(2 * arenaSize, 20);
    const forged = seal(m);
    forged[0] = (forged[0] ?? 0) ^ 1;
    const forgedLarge = seal(large);
    forgedLarge[0] = (forgedLarge[0] ?? 0) ^ 1;
    const runs: readonly (() => unknown)[] = [
      () => same.seal(m.key, m.nonce, m.aad, m.data),
      () => same.open(m.key, m.nonce, m.aad, seal(m)),
      () => same.open(m.key, m.nonce, m.aad, forged),
      () => same.seal(large.key, large.nonce, large.aad, large.data),
      () => same.open(large.key, large.nonce, large.aad, seal(large)),
      () => same.open(large.key, large.nonce, large.aad, forgedLarge),
      () => same.seal(m.key, m.nonce, Buffer.concat([large.data, m.key]), m.data),
      () => same.sealMany(Array.from({ length: 21 }, () => m)),
      () => same.openMany(Array.from({ length: 21 }, (_, i) => ({ ...m, data: i % 2 === 0 ? forged : seal(m) }))),
    ];
    for (const run of runs) {
      run();
      expect(holdsPartOf(memory(), m.key)).toBe(false);
      expect(Buffer.compare(memory(), fresh)).toBe(0);
    }
    const detached = bytes(32);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(() => same.seal(m.key, m.nonce, m.aad, detached)).toThrow(TypeError);
    expect(() => same.sealMany([m, { ...m, aad: detached }])).toThrow(TypeError);
    expect(Buffer.compare(memory(), fresh)).toBe(0);

    // What the kernel itself leaves before the glue erases it: the forged ciphertext, unchanged.
    const whole = new Uint8Array(exports.memory.buffer);
    const base = Number(exports.arena.value);
    for (const count of [1, 5]) {
      const view = new DataView(exports.memory.buffer, base);
      let at = 8 * count;
      for (let i = 0; i < count; i++) {
        view.setUint32(8 * i, m.aad.length, true);
        view.setUint32(8 * i + 4, m.data.length, true);
        for (const part of [m.key, m.nonce, m.aad, forged]) {
          whole.set(part, base + at);
          at += part.length;
        }
      }
      const before = whole.slice(base + 8 * count, base + at);
      exports.aeadBatch(id, 1, count);
      expect(Buffer.compare(whole.slice(base + 8 * count, base + at), before)).toBe(0);
      expect(view.getUint32(4, true)).toBe(0xffffffff);
      expect(holdsPartOf(memory(), m.data)).toBe(false);
      whole.fill(0, base, base + at);
      expect(Buffer.compare(memory(), fresh)).toBe(0);
    }
  });
});

describe("the kernel's own checks of a batch", () => {
  const { exports, memory } = openKernel();
  const fresh = memory();
  const base = Number(exports.arena.value);
  it.each([
    ["a table longer than the arena", 0x20000000, []],
    ["a table of more entries than there can be messages", arenaSize / 8, []],
    ["associated data beyond the arena", 1, [arenaSize, 0]],
    ["lengths whose sum wraps", 2, [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff]],
    ["data that end one byte late", 1, [0, arenaSize - 8 - 16 - 12 - 16 + 1]],
  ])("%s: traps and touches nothing", (_name, count, table) => {
    const view = new DataView(exports.memory.buffer, base);
    for (const [i, length] of table.entries()) view.setUint32(4 * i, length, true);
    expect(() => {
      exports.aeadBatch(0, 0, count);
    }).toThrow(WebAssembly.RuntimeError);
    for (const i of table.keys()) view.setUint32(4 * i, 0, true);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });
});
