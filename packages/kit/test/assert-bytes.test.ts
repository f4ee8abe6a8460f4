import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { assertBytes, copyBytes, randomBytes } from "../src/index.ts";

const foreign: unknown = runInNewContext("Uint8Array.of(1, 2, 3)");

describe("bytes from callers", () => {
  test.each([
    ["a Uint8Array", Uint8Array.of(1, 2, 3)],
    ["a Buffer", Buffer.from([1, 2, 3])],
    ["a Uint8Array of another realm", foreign],
    ["a part of an array", Uint8Array.of(0, 1, 2, 3).subarray(1)],
  ])("%s is taken, and copied", (_, value) => {
    assertBytes(value, "data");
    const copy = copyBytes(value, "data");
    expect(copy).toEqual(Uint8Array.of(1, 2, 3));
    value.fill(9);
    expect(copy).toEqual(Uint8Array.of(1, 2, 3));
  });

  test.each([
    ["a string", "abc", "data must be a Uint8Array, not a string (encode it with utf8)"],
    ["an array", [1, 2, 3], "data must be a Uint8Array, not Array"],
    ["an ArrayBuffer", new ArrayBuffer(3), "data must be a Uint8Array, not ArrayBuffer"],
    ["another typed array", new Uint16Array(3), "data must be a Uint8Array, not Uint16Array"],
    ["a DataView", new DataView(new ArrayBuffer(3)), "data must be a Uint8Array, not DataView"],
    ["a number", 3, "data must be a Uint8Array, not a number"],
    ["nothing", undefined, "data must be a Uint8Array, not undefined"],
    ["null", null, "data must be a Uint8Array, not null"],
  ])("%s is refused by name", (_, value, message) => {
    expect(() => copyBytes(value, "data")).toThrow(new TypeError(message));
    expect(() => {
      assertBytes(value, "data");
    }).toThrow(new TypeError(message));
  });

  test("what only claims to be bytes is refused when it is copied", () => {
    const claim: unknown = Object.create(Uint8Array.prototype);
    expect(() => copyBytes(claim, "data")).toThrow(TypeError);
  });
});

test.each([0, 1, 65_536, 65_537, 200_000])("%i random bytes", (length) => {
  const bytes = randomBytes(length);
  expect(bytes).toHaveLength(length);
  if (length > 64) expect(bytes.subarray(-64).some((byte) => byte !== 0)).toBe(true);
});
