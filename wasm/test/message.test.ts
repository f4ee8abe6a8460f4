import { describe, expect, it } from "vitest";
import { createBasicWasmKernel, type MessageToSeal } from "../src/index.ts";
import { holdsPartOf, openKernel, random, toHex } from "./support.ts";

const { kernel, exports, memory } = openKernel();
const fresh = memory();
const { bytes } = random(0x3e55a6e);
const messages = kernel.messages("SHA-256", "AES-128-GCM");
const capacity = Number(exports.capacity.value);

const message: MessageToSeal = {
  ratchetSecret: bytes(32),
  generation: 7,
  senderDataSecret: bytes(32),
  leafIndex: 3,
  reuseGuard: bytes(4),
  header: bytes(40),
  aadStart: 4,
  senderDataAadEnd: 30,
  plaintext: bytes(100),
};
const secrets = [message.ratchetSecret, message.senderDataSecret, message.plaintext];

/** What of `message` its receiver has. */
function received(): Parameters<typeof messages.openContents>[0][number] &
  Parameters<typeof messages.openSenderData>[1][number] {
  const sealed = messages.seal(message)?.message ?? new Uint8Array(0);
  const { ratchetSecret, generation, reuseGuard, header, aadStart, senderDataAadEnd } = message;
  const { keys } = kernel.sha256.ratchet({ secret: ratchetSecret, generation, count: 1, Nk: 16, Nn: 12 });
  const [{ key, nonce } = { key: new Uint8Array(16), nonce: new Uint8Array(12) }] = keys;
  return {
    ...{ key, nonce, reuseGuard },
    contentAad: header.subarray(aadStart),
    senderDataAad: header.subarray(aadStart, senderDataAadEnd),
    encryptedSenderData: sealed.subarray(41, 41 + 28),
    ciphertext: sealed.subarray(41 + 28 + 2),
  };
}

describe("a private message", () => {
  it("is sealed, and opens to what it was; the memory is as it was when it was new", () => {
    const { contentAad, ...rest } = received();
    expect(toHex(messages.openContents([{ contentAad, ...rest }], (read) => read.slice())?.[0] ?? message.header)).toBe(
      toHex(message.plaintext),
    );
    const [senderData] = messages.openSenderData(message.senderDataSecret, [rest]) ?? [];
    expect(toHex(senderData ?? message.header)).toBe(`0000000300000007${toHex(message.reuseGuard)}`);
    for (const secret of secrets) expect(holdsPartOf(memory(), secret)).toBe(false);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });

  it("is the same by the kernel of suites 1 and 2", () => {
    const basic = createBasicWasmKernel().messages("SHA-256", "AES-128-GCM");
    expect(basic.seal(message)).toEqual(messages.seal(message));
  });

  it.each([0, 1, 47, 48, 49, 16_383 - 16, 16_384 - 16])(
    "of %i bytes has the shortest length header (R-2.1.2-2)",
    (length) => {
      const sealed = messages.seal({ ...message, plaintext: new Uint8Array(length) });
      const header = length + 16 < 64 ? 1 : length + 16 < 16_384 ? 2 : 4;
      expect(sealed?.message.length).toBe(40 + 1 + 28 + header + length + 16);
      expect(Buffer.compare(memory(), fresh)).toBe(0);
    },
  );

  it("that does not fit is left to the caller, the last one that fits is not", () => {
    const room = capacity - (2 * 32 + 4) - (40 + 1 + 28) - 4 - 16 - 4;
    expect(messages.seal({ ...message, plaintext: new Uint8Array(room) })?.message.length).toBe(69 + 4 + room + 16);
    expect(messages.seal({ ...message, plaintext: new Uint8Array(room + 1) })).toBeUndefined();
    const opened = received();
    const large = { ...opened, ciphertext: new Uint8Array(capacity) };
    expect(messages.openContents([opened, large], () => 0)).toBeUndefined();
    // Of the ciphertext only the sample is taken.
    expect(messages.openSenderData(message.senderDataSecret, [large])).toEqual([undefined]);
    const long = { ...opened, senderDataAad: new Uint8Array(capacity) };
    expect(messages.openSenderData(message.senderDataSecret, [long])).toBeUndefined();
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });

  it("shorter than a tag does not authenticate, and the ones beside it do", () => {
    const good = received();
    const bad = { ...good, ciphertext: good.ciphertext.subarray(0, 15) };
    const none = { ...good, encryptedSenderData: good.encryptedSenderData.subarray(0, 15) };
    const opened = messages.openContents([bad, good, bad, good], (plaintext, place) => [place, plaintext.length]);
    expect(opened).toEqual([undefined, [1, 100], undefined, [3, 100]]);
    const senderData = messages.openSenderData(message.senderDataSecret, [none, good, none]);
    expect(senderData?.map((each) => each?.length)).toEqual([undefined, 12, undefined]);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });

  it("leaves nothing when reading it fails", () => {
    const fail = (): never => {
      throw new Error("cannot be read");
    };
    expect(() => messages.openContents([received()], fail)).toThrow("cannot be read");
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });
});

it.each([
  ["a ratchet secret of another length", { ratchetSecret: new Uint8Array(31) }],
  ["a sender data secret of another length", { senderDataSecret: new Uint8Array(33) }],
  ["a reuse guard of another length", { reuseGuard: new Uint8Array(3) }],
  ["a generation beyond 32 bits", { generation: 2 ** 32 }],
  ["a negative leaf index", { leafIndex: -1 }],
  ["an AAD that ends behind the header", { senderDataAadEnd: 41 }],
  ["an AAD that begins behind its end", { aadStart: 31 }],
  ["part of a byte", { aadStart: 0.5 }],
])("%s is a RangeError", (_name, change) => {
  expect(() => messages.seal({ ...message, ...change })).toThrow(RangeError);
});

it("takes bytes for bytes only, and keys and secrets of their lengths", () => {
  const wrong = "text" as unknown as Uint8Array;
  expect(() => messages.seal({ ...message, plaintext: wrong })).toThrow(TypeError);
  const good = received();
  for (const change of [{ contentAad: wrong }, { ciphertext: wrong }, { key: wrong }]) {
    expect(() => messages.openContents([good, { ...good, ...change }], () => 0)).toThrow(TypeError);
  }
  for (const change of [{ key: bytes(32) }, { nonce: bytes(11) }, { reuseGuard: bytes(5) }]) {
    expect(() => messages.openContents([good, { ...good, ...change }], () => 0)).toThrow(RangeError);
  }
  for (const change of [{ senderDataAad: wrong }, { encryptedSenderData: wrong }, { ciphertext: wrong }]) {
    expect(() => messages.openSenderData(message.senderDataSecret, [{ ...good, ...change }])).toThrow(TypeError);
  }
  expect(() => messages.openSenderData(bytes(31), [good])).toThrow(RangeError);
  expect(() => kernel.messages("SHA-256", "AES" as "AES-128-GCM")).toThrow(RangeError);
  expect(Buffer.compare(memory(), fresh)).toBe(0);
});

describe("the kernel's own checks", () => {
  const base = Number(exports.arena.value);
  it.each([
    ["a header beyond the arena", [], (): void => exports.sealPrivateMessage(0, 0, 0, 0, capacity, 0, 0, 0)],
    ["lengths whose sum wraps", [], (): void => exports.sealPrivateMessage(0, 0, 0, 0, 0xffffffff, 0, 0, 0xffffffff)],
    ["an AAD behind the header", [], (): void => exports.sealPrivateMessage(0, 0, 0, 0, 4, 0, 5, 0)],
    ["an AAD that ends before it begins", [], (): void => exports.sealPrivateMessage(0, 0, 0, 0, 4, 3, 2, 0)],
    ["a table beyond the arena", [], (): void => exports.openSenderData(0, 0, 0x20000000)],
    ["sender data beyond the arena", [0, capacity], (): void => exports.openSenderData(0, 0, 1)],
    // Table, key, nonce, tag and secret take 84 bytes.
    [
      "a sample beyond the arena",
      [0, 0, ...Array<number>(19).fill(0), capacity],
      (): void => exports.openSenderData(0, 0, 1),
    ],
    [
      "a sample whose length wraps",
      [0, 0, ...Array<number>(19).fill(0), 0xffffffff],
      (): void => exports.openSenderData(0, 0, 1),
    ],
  ] as const)("%s: traps and touches nothing", (_name, input, call) => {
    const view = new DataView(exports.memory.buffer, base);
    for (const [i, value] of input.entries()) view.setUint32(4 * i, value, true);
    expect(call).toThrow(WebAssembly.RuntimeError);
    for (const i of input.keys()) view.setUint32(4 * i, 0, true);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });
});
