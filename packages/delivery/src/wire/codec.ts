/**
 * Fields of the wire format. The format is the presentation language of RFC 9420 §2.1, with core's codec: MLS messages
 * travel as they are, without a text encoding that costs a third more, every value has exactly one encoding, and a
 * decoder is a few lines that cannot yield anything but the declared type. What is added here: every field of variable
 * length has its own limit, and errors are those of the Delivery Service.
 */

import { type Bytes, type Codec, codec, fromHex, toHex } from "@coppice/core";
import { describe, isCoppiceError, isUint8Array } from "@coppice/kit";
import { deliveryError } from "../errors.ts";

export type { Bytes, Codec };

/** The error for bytes that are not what the format says. The message describes the format, never the content. */
export const malformed = (message: string, cause?: unknown): Error =>
  deliveryError("ERR_DS_BAD_REQUEST", `Malformed: ${message}`, cause === undefined ? {} : { cause });

/** Encodes one value. `TypeError` or `RangeError` for a value that the type does not allow, `ERR_DS_TOO_LARGE` over a limit. */
export const encode: <T>(type: Codec<T>, value: T) => Bytes = codec.encode;

/** Decodes all of `input`. `ERR_DS_BAD_REQUEST` for anything but the one encoding of a valid value. */
export function decode<T>(type: Codec<T>, input: Uint8Array): T {
  try {
    return codec.decode(type, input);
  } catch (error) {
    if (isCoppiceError(error) && error.code.startsWith("ERR_MLS_")) throw malformed(error.message, error);
    throw error;
  }
}

/** A codec that also checks what it reads and writes. */
const checked = <T>(type: Codec<T>, beforeEncode: (value: T) => void, isValid: (value: T) => boolean): Codec<T> =>
  codec.map(
    type,
    (value) => {
      if (!isValid(value)) throw malformed("a field is out of bounds");
      return value;
    },
    (value) => {
      beforeEncode(value);
      return value;
    },
  );

/** `opaque<V>` of `min` to `max` bytes. */
export const bytes = ({ min = 0, max }: { readonly min?: number; readonly max: number }): Codec<Bytes> =>
  checked(
    codec.opaque,
    (value) => {
      if (!isUint8Array(value)) throw new TypeError(`A Uint8Array is expected, not ${describe(value)}`);
      if (value.length < min) throw new RangeError(`At least ${min} bytes are expected`);
      if (value.length > max) throw deliveryError("ERR_DS_TOO_LARGE", `At most ${max} bytes fit`);
    },
    ({ length }) => length >= min && length <= max,
  );

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 in `opaque<V>` of at most `max` bytes. */
export const text = (max: number): Codec<string> =>
  codec.map(
    bytes({ max }),
    (value) => {
      try {
        return utf8Decoder.decode(value);
      } catch (error) {
        throw malformed("text is not UTF-8", error);
      }
    },
    (value) => {
      if (typeof value !== "string") throw new TypeError("A string is expected");
      return utf8Encoder.encode(value);
    },
  );

/** 16 bytes, as 32 lower-case hex digits: device ids, incarnations of logs. */
export const hex16: Codec<string> = codec.map(codec.fixed(16), toHex, (value) => {
  if (typeof value !== "string" || !/^[0-9a-f]{32}$/.test(value)) {
    throw new RangeError("32 lower-case hex digits are expected");
  }
  return fromHex(value);
});

/** `uint64`: MLS epochs. */
export const uint64: Codec<bigint> = checked(
  codec.uint64,
  (value) => {
    if (typeof value !== "bigint") throw new TypeError("A bigint is expected");
  },
  () => true,
);

/** `uint64` that is an exact JavaScript number between `min` and `max`. */
export const integer = ({
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
}: { readonly min?: number; readonly max?: number } = {}): Codec<number> =>
  codec.map(
    checked(
      codec.uint64,
      () => undefined,
      (value) => value >= BigInt(min) && value <= BigInt(max),
    ),
    Number,
    (value) => {
      if (!Number.isSafeInteger(value) || value < min || value > max) {
        throw new RangeError(`An integer from ${min} to ${max} is expected`);
      }
      return BigInt(value);
    },
  );

/** `uint8`, 0 or 1. */
export const bool: Codec<boolean> = codec.map(
  codec.uint8,
  (value) => {
    if (value > 1) throw malformed("a truth value is neither 0 nor 1");
    return value === 1;
  },
  (value) => (value ? 1 : 0),
);

/** `T<V>` of at most `max` elements, counted while reading: a megabyte of one-byte elements would be a big array. */
export const list = <T>(element: Codec<T>, max: number, min = 0): Codec<readonly T[]> => ({
  encode: (writer, values) => {
    if (values.length < min) throw new RangeError(`At least ${min} elements are expected`);
    if (values.length > max) throw deliveryError("ERR_DS_TOO_LARGE", `At most ${max} elements fit`);
    codec.vector(element).encode(writer, values);
  },
  decode: (reader) => {
    const body = reader.vector();
    const values: T[] = [];
    while (body.remaining > 0) {
      if (values.length === max) throw malformed("a list has too many elements");
      values.push(element.decode(body));
    }
    if (values.length < min) throw malformed("a list has too few elements");
    return values;
  },
});

/** The empty struct. */
export const empty: Codec<void> = codec.map(
  codec.nothing,
  (): void => undefined,
  () => ({}),
);
