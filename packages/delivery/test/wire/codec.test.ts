import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ClientId } from "@coppice/delivery/contract";
import { createIdentity } from "@coppice/delivery/conformance";
import * as wire from "@coppice/delivery/wire";

const { decode, encode } = wire;
const malformed = expect.objectContaining({ code: "ERR_DS_BAD_REQUEST" }) as unknown;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

const message = fc.uint8Array({ minLength: 1, maxLength: 100 });
const groupId = fc.uint8Array({ minLength: 1, maxLength: 255 });
const epoch = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const hex16 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(hex);
const client = fc.record({ user: fc.string({ maxLength: 32, unit: "grapheme-ascii" }), device: hex16 });
const position = fc.record({ incarnation: hex16, seq: fc.maxSafeNat() });
const entry = fc.record({
  seq: fc.integer({ min: 1 }),
  kind: fc.constantFrom("commit" as const, "message" as const),
  epoch,
  message,
  receivedAt: fc.maxSafeNat(),
});

const zero = "0".repeat(32);
const at = (seq: number) => ({ incarnation: zero, seq });

/** Every call with its codecs, whatever their types. */
const calls = (Object.values(wire) as unknown[]).filter(
  (value): value is wire.Call<unknown, unknown> => typeof value === "object" && value !== null && "answer" in value,
);

describe("wire format", () => {
  test("every call has a path of its own, below v2", () => {
    const paths = calls.map(({ path }) => path);
    expect(calls.length).toBe(16);
    expect(new Set([...paths, wire.EVENTS_PATH]).size).toBe(17);
    for (const path of paths) expect(path).toMatch(/^v2\/[a-z/-]+$/);
  });

  test("the encoding is the documented one", () => {
    const bytes = encode(wire.sendMessages.request, {
      groupId: new Uint8Array([1, 2]),
      position: { incarnation: "ab".repeat(16), seq: 7 },
      messages: [{ epoch: 3n, message: new Uint8Array(64).fill(0xff) }],
    });
    const sent = `${"00".repeat(7)}03` + `4040${"ff".repeat(64)}`;
    expect(hex(bytes)).toBe(`020102${"ab".repeat(16)}${"00".repeat(7)}07` + `404a${sent}`);
  });

  test("every commit comes back as it was, with each distinct Welcome sent once", () => {
    const commit = fc.record({
      groupId,
      position,
      epoch,
      commit: message,
      groupInfo: message,
      added: fc.array(fc.record({ client, welcome: fc.option(message, { nil: undefined }) }), { maxLength: 5 }),
      removed: fc.array(client, { maxLength: 5 }),
    });
    fc.assert(
      fc.property(commit, (value) => {
        expect(decode(wire.submitCommit.request, encode(wire.submitCommit.request, value))).toEqual(value);
      }),
    );
    const welcome = new Uint8Array(1000);
    const added = Array.from({ length: 10 }, (_, i) => ({ client: { user: `user ${i}`, device: zero }, welcome }));
    const part = { groupId: new Uint8Array(1), position: at(0), epoch: 0n, removed: [] };
    const submission = { ...part, commit: welcome, groupInfo: welcome, added };
    const bytes = encode(wire.submitCommit.request, submission);
    expect(bytes.length).toBeLessThan(3500);
    expect(decode(wire.submitCommit.request, bytes)).toEqual(submission);
  });

  test("a submission whose Welcomes are missing, unused or in another order is malformed", () => {
    const head = `0101${"00".repeat(24)}${"00".repeat(8)}01010101`;
    const added = (...references: number[]) => {
      const all = references.map((reference) => `0161${"00".repeat(16)}01${"00".repeat(7)}0${reference}`).join("");
      return `${references.length === 1 ? "1b" : "36"}${all}`;
    };
    const submission = (welcomes: string, references: number[]) =>
      Buffer.from(`${head}${welcomes}${added(...references)}00`, "hex");
    const { request } = wire.submitCommit;
    expect(decode(request, submission("0401050106", [0, 1])).added).toHaveLength(2);
    for (const [welcomes, references] of [
      ["020105", [1]],
      ["00", [0]],
      ["0401050106", [0]],
      ["0401050106", [1, 0]],
    ] as const) {
      expect(() => decode(request, submission(welcomes, [...references]))).toThrow(malformed);
    }
  });

  test("log pages, lost races and events come back as they were", () => {
    const page = fc.record({
      incarnation: hex16,
      lastSeq: fc.maxSafeNat(),
      entries: fc.array(entry, { maxLength: 9 }),
    });
    const lost = fc.record({
      accepted: fc.constant(false as const),
      epoch,
      lastSeq: fc.maxSafeNat(),
      winner: fc.option(entry, { nil: undefined }),
    });
    const event = fc.record({
      type: fc.constant("log" as const),
      groupId,
      position,
      entry: fc.option(entry, { nil: undefined }),
    });
    const returns = <T>(codec: wire.Codec<T>, value: T): void => {
      expect(decode(codec, encode(codec, value))).toEqual(value);
    };
    fc.assert(fc.property(page, (value) => returns(wire.readLog.answer, value)));
    fc.assert(fc.property(lost, (value) => returns(wire.submitCommit.answer, value)));
    fc.assert(fc.property(event, (value) => returns(wire.serverFrame, value)));
    returns(wire.submitCommit.answer, { accepted: true, seq: 4 });
    returns(wire.pollEvents.answer, { cursor: "a.1", isFresh: true, frames: [new Uint8Array([4])] });
  });

  test("whatever decodes has that one encoding", () => {
    const codecs = calls.flatMap(({ request, answer }) => [request, answer]);
    const frames = [wire.serverFrame, wire.clientFrame] as wire.Codec<unknown>[];
    const bytes = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(fc.constantFrom(...codecs, ...frames), bytes, (codec, input) => {
        let value: unknown;
        try {
          value = decode(codec, input);
        } catch (error) {
          expect(error).toEqual(malformed);
          return;
        }
        expect(encode(codec, value)).toEqual(input);
      }),
      { numRuns: 4000 },
    );
  });

  test("a valid request that was damaged is another valid one or malformed, never another error", async () => {
    const { client, suite, publicKey, register } = await createIdentity();
    const nonce = new Uint8Array(8);
    const signature = new Uint8Array(64);
    const valid = encode(wire.signIn.request, { audience: "x", client, suite, publicKey, nonce, signature, register });
    fc.assert(
      fc.property(fc.nat({ max: valid.length - 1 }), fc.integer({ min: 1, max: 255 }), (index, change) => {
        const damaged = valid.slice();
        damaged[index] = (damaged[index] ?? 0) ^ change;
        try {
          decode(wire.signIn.request, damaged);
        } catch (error) {
          expect(error).toEqual(malformed);
        }
      }),
      { numRuns: 1000 },
    );
    for (let length = 0; length < valid.length; length++) {
      expect(() => decode(wire.signIn.request, valid.subarray(0, length))).toThrow(malformed);
    }
  });

  test.each([
    ["a cut-off length", "40"],
    ["a length of two bytes that fits in one", "40010101"],
    ["a length of four bytes that fits in two", "800000010101"],
    ["a length of eight bytes", "c000000000000001ff"],
    ["a length beyond the end", "3f01"],
    ["an empty group id", "0001ff"],
    ["trailing bytes", "01010101ff"],
  ])("%s is malformed", (_, input) => {
    expect(() => decode(wire.createGroup.request, Buffer.from(input, "hex"))).toThrow(malformed);
  });

  test("text that is not UTF-8, numbers beyond 2^53, wrong tags, too few and too many elements are malformed", () => {
    const none = `0101${"00".repeat(24)}`;
    const invalid = [
      [wire.claimKeyPackages.request, "0201ff"],
      [wire.claimKeyPackages.request, `8000${(10_001).toString(16)}${"00".repeat(10_001)}`],
      [wire.acknowledgeInbox.request, "0020000000000000"],
      [wire.publishKeyPackages.request, "000200"],
      [wire.publishKeyPackages.request, "000002"],
      [wire.submitCommit.answer, "02"],
      [wire.sendMessages.request, `${none}00`],
      [wire.sendMessages.request, `${none}428a${`${"00".repeat(8)}0101`.repeat(65)}`],
      [wire.pollEvents.request, `00${"00".repeat(5)}00ffff`],
      [wire.clientFrame, "03"],
      [wire.clientFrame, "00"],
      [wire.serverFrame, "06"],
    ] as [wire.Codec<unknown>, string][];
    for (const [codec, input] of invalid) {
      expect(() => decode(codec, Buffer.from(input, "hex")), input).toThrow(malformed);
    }
    const most = `${none}4280${`${"00".repeat(8)}0101`.repeat(64)}`;
    expect(decode(wire.sendMessages.request, Buffer.from(most, "hex")).messages).toHaveLength(64);
  });

  test("what does not fit is refused before it is sent", () => {
    const groupId = new Uint8Array(1);
    const tooLarge = expect.objectContaining({ code: "ERR_DS_TOO_LARGE" }) as unknown;
    const send = (message: Uint8Array, epoch = 0n) =>
      encode(wire.sendMessages.request, { groupId, position: at(0), messages: [{ epoch, message }] });
    const { messageBytes } = wire.WIRE_LIMITS;
    expect(send(new Uint8Array(messageBytes)).length).toBeGreaterThan(messageBytes);
    expect(() => send(new Uint8Array(messageBytes + 1))).toThrow(tooLarge);
    expect(() => send("text" as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => send(groupId, 1 as unknown as bigint)).toThrow(TypeError);
    const event = { type: "log" as const, groupId, position: at(1) };
    const long = { seq: 1, kind: "message" as const, epoch: 0n, message: new Uint8Array(64 * 1024 + 1), receivedAt: 0 };
    expect(() => encode(wire.serverFrame, { ...event, entry: long })).toThrow(tooLarge);
    const longest = { ...event, groupId: new Uint8Array(255), entry: { ...long, message: long.message.slice(1) } };
    expect(encode(wire.serverFrame, longest).length).toBeLessThanOrEqual(wire.MAX_SERVER_FRAME_BYTES);
    const upperCase: ClientId = { user: "a", device: "A".repeat(32) };
    const claimant = { client: upperCase, suite: 1, publicKey: groupId };
    expect(() => encode(wire.requestChallenge.request, claimant)).toThrow(RangeError);
  });
});

describe("failures on the wire", () => {
  test("code, message and known details arrive; nothing else does", () => {
    const known = { user: "zoé", retryAfter: 7, epoch: 2n ** 64n - 1n, length: 3, reason: "empty", rule: "DL-7" };
    const detail = { ...known, secret: "hidden" };
    const { status, body } = wire.encodeFailure(wire.deliveryError("ERR_DS_RATE_LIMITED", "Too many", { detail }));
    expect(status).toBe(429);
    const { code, message, detail: arrived } = wire.decodeFailure(body);
    expect({ code, message, arrived }).toEqual({ code: "ERR_DS_RATE_LIMITED", message: "Too many", arrived: known });
    expect(wire.decodeFailure(wire.encodeFailure(wire.deliveryError("ERR_DS_FORBIDDEN", "No")).body).detail).toEqual(
      {},
    );
  });

  test("details of the wrong type or length are left out, messages are cut", () => {
    const detail = { user: 7, retryAfter: 0.5, epoch: 3, length: "x", reason: "x".repeat(65), rule: true };
    const error = wire.deliveryError("ERR_DS_QUOTA", "é".repeat(1000), { detail });
    const decoded = wire.decodeFailure(wire.encodeFailure(error).body);
    expect(decoded.detail).toEqual({ retryAfter: 1 });
    expect(decoded.message).toBe("é".repeat(160));
    const negative = wire.deliveryError("ERR_DS_DEVICE_LOG", "No", { detail: { length: -1, retryAfter: NaN } });
    expect(wire.decodeFailure(wire.encodeFailure(negative).body).detail).toEqual({});
  });

  test("issue 11 (21): an error of a second copy of the SDK keeps its code", () => {
    const foreign = Object.assign(new Error("Not a member"), { code: "ERR_DS_FORBIDDEN", detail: {} });
    Object.defineProperty(foreign, Symbol.for("coppice.error"), { value: true });
    expect(wire.decodeFailure(wire.encodeFailure(foreign).body).code).toBe("ERR_DS_FORBIDDEN");
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
      client: { user: "zoé", device: "02".repeat(16) },
      suite: 1,
      publicKey: new Uint8Array(32).fill(1),
      nonce: new Uint8Array([9]),
    });
    const id = "\u0002".repeat(16);
    const key = "\u0001".repeat(32);
    const expected = `\u0014Coppice DS sign-in 2\u0009https://x\u0004zoé${id}\u0000\u0001\u0020${key}\u0001\u0009`;
    expect(Buffer.from(bytes)).toEqual(Buffer.from(expected));
    expect(Buffer.from(bytes).includes("MLS 1.0 ")).toBe(false);
  });

  test("a signature is verified by the scheme of its suite, and never throws for what a stranger sent", async () => {
    for (const suite of [1, 2, 7]) {
      const { client, publicKey, sign } = await createIdentity({ suite });
      const statement = { audience: "https://x", client, suite, publicKey, nonce: new Uint8Array(8) };
      const signature = await sign(wire.signInMessage(statement));
      expect(await wire.verifySignIn(statement, signature)).toBe(true);
      expect(await wire.verifySignIn({ ...statement, audience: "https://y" }, signature)).toBe(false);
      expect(await wire.verifySignIn({ ...statement, suite: suite === 1 ? 2 : 1 }, signature)).toBe(false);
      expect(await wire.verifySignIn({ ...statement, suite: 0x7777 }, signature)).toBe(false);
      expect(await wire.verifySignIn(statement, new Uint8Array(0))).toBe(false);
    }
  });
});
