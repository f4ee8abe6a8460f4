/** Byte arrays: text, comparison, hexadecimal digits. */
import { expect, test } from "vitest";
import { concat, equalBytes, equalConstantTime, fromHex, toHex, utf8 } from "../../src/codec/bytes.ts";
import { basicCredential, sameCredential } from "../../src/identity/credential.ts";

test("text is encoded as every encoder does it, whatever its length and alphabet", () => {
  for (const text of ["", "MLS 1.0 epoch", "é", "a".repeat(64), "a".repeat(65), `${"a".repeat(63)}é`, "😀"]) {
    expect(utf8(text)).toEqual(new Uint8Array(new TextEncoder().encode(text)));
  }
});

test.each([equalBytes, equalConstantTime])("$name tells arrays apart by length and by each byte (R-6.2-4)", (equal) => {
  const bytes = Uint8Array.of(1, 2, 3);
  expect(equal(bytes, bytes.slice())).toBe(true);
  expect(equal(new Uint8Array(0), new Uint8Array(0))).toBe(true);
  for (const i of bytes.keys()) expect(equal(bytes, bytes.with(i, 9))).toBe(false);
  expect(equal(bytes, concat(bytes, Uint8Array.of(0)))).toBe(false);
  expect(equal(bytes, bytes.subarray(0, 2))).toBe(false);
});

test("hexadecimal digits are read back", () => {
  expect(toHex(Uint8Array.of(0, 10, 255))).toBe("000aff");
  for (const text of ["000aff", "000AFF"]) expect(fromHex(text)).toEqual(Uint8Array.of(0, 10, 255));
  for (const text of ["0", "0g", "g0", " 00", "00 "]) expect(() => fromHex(text)).toThrow(TypeError);
});

test("a basic credential takes text or bytes, and keeps a copy", () => {
  const identity = utf8("alice");
  const credential = basicCredential(identity);
  expect(sameCredential(credential, basicCredential("alice"))).toBe(true);
  identity.fill(0);
  expect(sameCredential(credential, basicCredential("alice"))).toBe(true);
  expect(sameCredential(credential, basicCredential("bob"))).toBe(false);
});
