/** The structs of Partial MLS on the wire. */
import { describe, expect, test } from "vitest";
import { concat, toHex } from "../../../src/codec/bytes.ts";
import { decode, encode } from "../../../src/codec/codec.ts";
import { annotatedWelcome, senderAuthenticatedMessage } from "../../../src/drafts/partial/wire-types.ts";
import { partialSamples } from "../../support/partial-samples.ts";

const { samples, application } = await partialSamples();
const refusal = expect.objectContaining({ name: "CoppiceError" }) as unknown;

describe.each(samples)("$name", ({ type, bytes }) => {
  test("is read and written back to the same bytes", () => {
    expect(toHex(encode(type, decode(type, bytes)))).toBe(toHex(bytes));
  });

  test("cut short, or with one byte more, is refused", () => {
    const step = Math.ceil(bytes.length / 400);
    for (let length = 0; length < bytes.length; length += step) {
      expect(() => decode(type, bytes.subarray(0, length))).toThrow(refusal);
    }
    expect(() => decode(type, concat(bytes, Uint8Array.of(0)))).toThrow(refusal);
  });
});

test("a message of one wire format is not written as the other", () => {
  const decoded = decode(senderAuthenticatedMessage("mls_private_message"), application);
  expect(() => encode(senderAuthenticatedMessage("mls_public_message"), decoded)).toThrow(TypeError);
});

test("an application message is no AnnotatedWelcome", () => {
  expect(() => decode(annotatedWelcome, application)).toThrow(refusal);
});
