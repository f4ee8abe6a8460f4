import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as wire from "@coppice/delivery/wire";

const { decode, encode } = wire;
const malformed = expect.objectContaining({ code: "ERR_DS_BAD_REQUEST" }) as unknown;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

const message = fc.uint8Array({ minLength: 1, maxLength: 100 });
const groupId = fc.uint8Array({ minLength: 1, maxLength: 255 });
const epoch = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const name = fc.string({ maxLength: 32, unit: "grapheme-ascii" });

describe("wire format", () => {
  test("the encoding is the documented one", () => {
    const bytes = encode(wire.sendMessage.request, {
      groupId: new Uint8Array([1, 2]),
      epoch: 3n,
      message: new Uint8Array(64).fill(0xff),
    });
    expect(hex(bytes)).toBe(`020102${"00".repeat(7)}034040${"ff".repeat(64)}`);
  });

  test("every commit comes back as it was, with each distinct Welcome sent once", () => {
    const commit = fc.record({
      groupId,
      epoch,
      commit: message,
      added: fc.array(fc.record({ user: name, welcome: message }), { maxLength: 5 }),
      removed: fc.array(name, { maxLength: 5 }),
    });
    fc.assert(
      fc.property(commit, (value) => {
        expect(decode(wire.submitCommit.request, encode(wire.submitCommit.request, value))).toEqual(value);
      }),
    );
    const welcome = new Uint8Array(1000);
    const added = Array.from({ length: 10 }, (_, i) => ({ user: `user ${String(i)}`, welcome }));
    const submission = { groupId: new Uint8Array(1), epoch: 0n, commit: welcome, added, removed: [] };
    const bytes = encode(wire.submitCommit.request, submission);
    expect(bytes.length).toBeLessThan(2500);
    expect(decode(wire.submitCommit.request, bytes)).toEqual(submission);
  });

  test("log pages come back as they were", () => {
    const entry = fc.record({
      seq: fc.integer({ min: 1 }),
      kind: fc.constantFrom("commit" as const, "message" as const),
      epoch,
      message,
      receivedAt: fc.maxSafeNat(),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 10 }), (page) => {
        expect(decode(wire.readLog.answer, encode(wire.readLog.answer, page))).toEqual(page);
      }),
    );
  });

  test("whatever decodes has that one encoding", () => {
    const calls = [wire.readLog.answer, wire.readInbox.answer, wire.claimKeyPackages.answer] as wire.Codec<unknown>[];
    const bytes = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(...calls, wire.serverFrame as wire.Codec<unknown>), bytes, (codec, input) => {
        let value: unknown;
        try {
          value = decode(codec, input);
        } catch (error) {
          expect(error).toEqual(malformed);
          return;
        }
        expect(encode(codec, value)).toEqual(input);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["a cut-off length", "40"],
    ["a length of two bytes that fits in one", "400101"],
    ["a length of four bytes that fits in two", "8000000101"],
    ["a length of eight bytes", "c000000000000001ff"],
    ["a length beyond the end", "3f01"],
    ["an empty group id", "00"],
    ["trailing bytes", "010100"],
  ])("%s is malformed", (_, input) => {
    expect(() => decode(wire.createGroup.request, Buffer.from(input, "hex"))).toThrow(malformed);
  });

  test("text that is not UTF-8, numbers beyond 2^53, wrong tags and too many elements are malformed", () => {
    const invalid = [
      [wire.claimKeyPackages.request, "0201ff"],
      [wire.claimKeyPackages.request, `8000${(10_001).toString(16)}${"00".repeat(10_001)}`],
      [wire.acknowledgeInbox.request, "0020000000000000"],
      [wire.publishKeyPackages.request, "0002"],
      [wire.clientFrame, "03"],
      [wire.clientFrame, "00"],
    ] as [wire.Codec<unknown>, string][];
    for (const [codec, input] of invalid) {
      expect(() => decode(codec, Buffer.from(input, "hex")), input).toThrow(malformed);
    }
  });

  test("what does not fit is refused before it is sent", () => {
    const groupId = new Uint8Array(1);
    const tooLarge = { code: "ERR_DS_TOO_LARGE" };
    const send = (length: number) =>
      encode(wire.sendMessage.request, { groupId, epoch: 0n, message: new Uint8Array(length) });
    expect(send(wire.WIRE_LIMITS.messageBytes).length).toBeGreaterThan(wire.WIRE_LIMITS.messageBytes);
    expect(() => send(wire.WIRE_LIMITS.messageBytes + 1)).toThrow(expect.objectContaining(tooLarge));
    expect(() => encode(wire.createGroup.request, { groupId: "text" as unknown as Uint8Array })).toThrow(TypeError);
    const wrongEpoch = { groupId, epoch: 1 as unknown as bigint, message: groupId };
    expect(() => encode(wire.sendMessage.request, wrongEpoch)).toThrow(TypeError);
  });
});

describe("failures on the wire", () => {
  test("code, message and known details arrive; nothing else does", () => {
    const detail = { user: "zoé", retryAfter: 7, secret: "hidden" };
    const { status, body } = wire.encodeFailure(wire.deliveryError("ERR_DS_RATE_LIMITED", "too many", { detail }));
    expect(status).toBe(429);
    const { code, message, detail: arrived } = wire.decodeFailure(body);
    expect({ code, message, arrived }).toEqual({
      code: "ERR_DS_RATE_LIMITED",
      message: "too many",
      arrived: { user: "zoé", retryAfter: 7 },
    });
  });

  test("an error that is none of the contract's becomes ERR_DS_INTERNAL without its message", () => {
    for (const error of [
      new Error("secret"),
      "secret",
      undefined,
      Object.assign(new Error("secret"), { code: "ERR_DS_FORBIDDEN" }),
    ]) {
      const { status, body } = wire.encodeFailure(error);
      expect(status).toBe(500);
      expect(Buffer.from(body).includes("secret")).toBe(false);
      expect(wire.decodeFailure(body).code).toBe("ERR_DS_INTERNAL");
    }
  });
});

describe("sign-in message", () => {
  test("it is the documented bytes, and can not be taken for an MLS signature", () => {
    const bytes = wire.signInMessage({
      audience: "https://x",
      user: "zoé",
      publicKey: new Uint8Array(32).fill(1),
      nonce: new Uint8Array([9]),
    });
    const expected = `\u0014Coppice DS sign-in 1\u0009https://x\u0004zoé\u0020${"\u0001".repeat(32)}\u0001\u0009`;
    expect(Buffer.from(bytes)).toEqual(Buffer.from(expected));
    expect(Buffer.from(bytes).includes("MLS 1.0 ")).toBe(false);
  });
});
