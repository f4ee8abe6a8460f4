/** Device logs as bytes. */
import { codec, toHex } from "@coppice/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  deviceLog,
  deviceLogEntry,
  type DeviceLogChange,
  type DeviceLogEntry,
  MAX_DEVICE_LOG_ENTRIES,
} from "@coppice/delivery/contract";
import { id, key, Writer } from "./people.ts";

const encode = (entry: DeviceLogEntry): Uint8Array => codec.encode(deviceLogEntry, entry);
const malformed = expect.objectContaining({
  code: expect.stringMatching(/^ERR_(DS_BAD_REQUEST|MLS_DECODE)$/) as string,
}) as Error;

const bytes = (minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array<ArrayBuffer>> =>
  fc.uint8Array({ minLength, maxLength }).map((value) => new Uint8Array(value));
const device = bytes(16).map(toHex);
const logKey = fc.record({ suite: fc.integer({ min: 0, max: 0xffff }), publicKey: bytes(1, 256) });
const change: fc.Arbitrary<DeviceLogChange> = fc.oneof(
  fc.record({ action: fc.constant("create" as const), device, key: logKey, nonce: bytes(32) }),
  fc.record({ action: fc.constant("add" as const), device, key: logKey }),
  fc.record({ action: fc.constant("remove" as const), device }),
  fc.record({ action: fc.constant("replace" as const), device, key: logKey }),
  fc.record({ action: fc.constant("recovery" as const), key: logKey }),
);
const anyEntry: fc.Arbitrary<DeviceLogEntry> = fc.record({
  user: fc.string({ minLength: 1, maxLength: 64, unit: "binary" }),
  position: fc.nat(MAX_DEVICE_LOG_ENTRIES - 1),
  previous: fc.oneof(bytes(0), bytes(32)),
  change,
  signer: fc.oneof(device, fc.constant("recovery")),
  signature: bytes(0, 256),
});

describe("entries", () => {
  test("the encoding is the documented one", () => {
    const entry: DeviceLogEntry = {
      user: "al",
      position: 258,
      previous: new Uint8Array(32).fill(0xaa),
      change: { action: "add", device: "0b".repeat(16), key: { suite: 1, publicKey: Uint8Array.of(1, 2, 3) } },
      signer: "0c".repeat(16),
      signature: Uint8Array.of(9),
    };
    const expected = ["02616c", "00000102", `20${"aa".repeat(32)}`, "02", "0b".repeat(16), "0001", "03010203"];
    expect(toHex(encode(entry))).toBe([...expected, "01", "0c".repeat(16), "0109"].join(""));
    expect(toHex(encode({ ...entry, signer: "recovery" }))).toBe([...expected, "00", "0109"].join(""));
  });

  test("come back as they were", () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        expect(codec.decode(deviceLogEntry, encode(entry))).toEqual(entry);
      }),
    );
  });

  test("have one encoding: what decodes encodes to the same bytes", () => {
    fc.assert(
      fc.property(anyEntry, fc.nat(), fc.nat(255), (entry, at, byte) => {
        const mutated = encode(entry);
        mutated[at % mutated.length] = byte;
        let decoded: DeviceLogEntry;
        try {
          decoded = codec.decode(deviceLogEntry, mutated);
        } catch (error) {
          expect(error).toEqual(malformed);
          return;
        }
        expect(encode(decoded)).toEqual(mutated);
      }),
    );
  });

  test("that are cut anywhere, or have something behind them, are refused", async () => {
    const [entry] = (await Writer.create()).entries;
    if (entry === undefined) throw new Error("an entry is expected");
    const whole = encode(entry);
    for (let length = 0; length < whole.length; length++) {
      expect(() => codec.decode(deviceLogEntry, whole.subarray(0, length))).toThrow(malformed);
    }
    expect(() => codec.decode(deviceLogEntry, Uint8Array.of(...whole, 0))).toThrow(malformed);
  });

  test.each<[string, string]>([
    ["no user", "00 00000000 00 03 DEVICE 00 00"],
    ["a user that is not UTF-8", "01ff 00000000 00 03 DEVICE 00 00"],
    ["a position of 10,000", "0161 00002710 00 03 DEVICE 00 00"],
    ["a hash of one byte", "0161 00000000 01ff 03 DEVICE 00 00"],
    ["action 0", "0161 00000000 00 00 DEVICE 00 00"],
    ["action 6", "0161 00000000 00 06 DEVICE 00 00"],
    ["an empty key", "0161 00000000 00 02 DEVICE 0001 00 00 00"],
    ["a signer that is neither there nor not", "0161 00000000 00 03 DEVICE 02 00"],
  ])("with %s are refused", (_what, hex) => {
    const input = hex.replace("DEVICE", "0b".repeat(16)).replaceAll(" ", "");
    expect(() => codec.decode(deviceLogEntry, Uint8Array.from(Buffer.from(input, "hex")))).toThrow(malformed);
  });
});

describe("verified logs", () => {
  test("come back as they were, and can be followed on", async () => {
    const writer = await Writer.create("zoë");
    await writer.add(2);
    await writer.recover("paper");
    await writer.remove(2);
    const stored = codec.decode(deviceLog, codec.encode(deviceLog, writer.verified));
    expect(stored).toEqual(writer.verified);
    await writer.add(3);
    expect(await writer.verify(writer.entries.slice(3), stored)).toEqual(writer.verified);
    expect([...writer.verified.devices.keys()]).toEqual([id(1), id(2), id(3)]);
    expect(stored.recovery[0]?.key.publicKey).toEqual((await key("paper")).publicKey);
  });
});
