/** Bytes from callers, who may hand in anything. */
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { copyBytes, describe as describeValue, isUint8Array, randomBytes } from "../src/bytes.ts";

const foreign = runInNewContext("new Uint8Array([1, 2, 3])") as Uint8Array;

describe("byte arrays", () => {
  test("of another realm are taken", () => {
    expect(foreign).not.toBeInstanceOf(Uint8Array);
    expect(isUint8Array(foreign)).toBe(true);
    const copy = copyBytes(foreign, "The message");
    expect(copy).toEqual(Uint8Array.of(1, 2, 3));
    expect(Object.getPrototypeOf(copy)).toBe(Uint8Array.prototype);
  });

  test("are copied: of a Buffer, of a part of a buffer, of shared memory", () => {
    const buffer = Buffer.from("abc");
    const copy = copyBytes(buffer, "The message");
    buffer.fill(0);
    expect(copy).toEqual(Uint8Array.of(97, 98, 99));
    expect(copy.constructor).toBe(Uint8Array);
    expect(copy.buffer.byteLength).toBe(3);
    const part = Uint8Array.of(0, 1, 2, 3, 4).subarray(1, 3);
    expect(copyBytes(part, "The message")).toEqual(Uint8Array.of(1, 2));
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
    expect(copyBytes(shared, "The message").buffer).toBeInstanceOf(ArrayBuffer);
    expect(copyBytes(new Uint8Array(0), "The message")).toEqual(new Uint8Array(0));
  });

  test.each<[unknown, string]>([
    ["hello", "a string (encode it with utf8)"],
    [undefined, "undefined"],
    [null, "null"],
    [7, "a number"],
    [7n, "a bigint"],
    [true, "a boolean"],
    [() => undefined, "a function"],
    [[1, 2], "Array"],
    [new ArrayBuffer(2), "ArrayBuffer"],
    [new DataView(new ArrayBuffer(2)), "DataView"],
    [new Uint16Array(2), "Uint16Array"],
    [new Uint8ClampedArray(2), "Uint8ClampedArray"],
    [new Blob([]), "Blob"],
    [{ length: 2, 0: 1, 1: 2 }, "Object"],
    [Object.create(null), "an object"],
    [Object.create(Uint8Array.prototype), "Uint8Array"],
    [{ [Symbol.toStringTag]: "Uint8Array" }, "Object"],
    [runInNewContext("[1]"), "Array"],
    [runInNewContext("new Uint32Array(1)"), "Uint32Array"],
  ])("%# others are refused, in words", (value, words) => {
    expect(isUint8Array(value)).toBe(false);
    expect(describeValue(value)).toBe(words);
    expect(() => copyBytes(value, "The message")).toThrow(
      new TypeError(`The message must be a Uint8Array, not ${words}`),
    );
  });
});

describe("random bytes", () => {
  test.each([0, 1, 32, 65_536, 65_537, 200_000])("%d of them", (length) => {
    const bytes = randomBytes(length);
    expect(bytes.length).toBe(length);
    if (length > 1000) {
      // The last ones, too: of 512 random bytes hardly ten are zero.
      expect(bytes.subarray(-512).filter((byte) => byte === 0).length).toBeLessThan(20);
    }
  });

  test("differ", () => {
    expect(randomBytes(32)).not.toEqual(randomBytes(32));
  });

  test.each([-1, Number.POSITIVE_INFINITY])("there are not %d of them", (length) => {
    expect(() => randomBytes(length)).toThrow(RangeError);
  });
});
