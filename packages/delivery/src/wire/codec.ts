/**
 * Combinators for the wire format. The format is the presentation language of RFC 9420 §2.1 (`<V>` vectors, big-endian
 * integers): MLS messages travel as they are, without a text encoding that costs a third more, every value has
 * exactly one encoding, and a decoder is a few lines that cannot yield anything but the declared type. Every
 * variable-length field carries its own limit.
 */
import { deliveryError } from "../errors.ts";
import { malformed, Reader, Writer, type Bytes } from "./primitives.ts";

/** How a type is written and read. */
export interface Codec<T> {
  readonly encode: (writer: Writer, value: T) => void;
  readonly decode: (reader: Reader) => T;
}

/** Encodes one value. `TypeError` or `RangeError` for a value that the type does not allow, `ERR_DS_TOO_LARGE` over a limit. */
export function encode<T>(codec: Codec<T>, value: T): Bytes {
  const writer = new Writer();
  codec.encode(writer, value);
  return writer.finish();
}

/** Decodes all of `bytes`. `ERR_DS_BAD_REQUEST` for anything but the one encoding of a valid value. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const reader = new Reader(bytes);
  const value = codec.decode(reader);
  reader.finish();
  return value;
}

/** `opaque<V>` of `min` to `max` bytes. */
export const bytes = ({ min = 0, max }: { readonly min?: number; readonly max: number }): Codec<Bytes> => ({
  encode: (writer, value) => {
    if (!(value instanceof Uint8Array)) throw new TypeError("a Uint8Array is expected");
    if (value.length < min) throw new RangeError(`at least ${String(min)} bytes are expected`);
    if (value.length > max) throw deliveryError("ERR_DS_TOO_LARGE", `at most ${String(max)} bytes fit`);
    writer.vector(() => {
      writer.bytes(value);
    });
  },
  decode: (reader) => {
    const body = reader.vector();
    if (body.remaining < min || body.remaining > max) throw malformed("the length of a byte string is out of bounds");
    return body.rest();
  },
});

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 in `opaque<V>` of at most `max` bytes. */
export const text = (max: number): Codec<string> => {
  const raw = bytes({ max });
  return {
    encode: (writer, value) => {
      if (typeof value !== "string") throw new TypeError("a string is expected");
      raw.encode(writer, utf8Encoder.encode(value));
    },
    decode: (reader) => {
      const body = raw.decode(reader);
      try {
        return utf8Decoder.decode(body);
      } catch {
        throw malformed("text is not UTF-8");
      }
    },
  };
};

/** `uint64` that is an exact JavaScript number between `min` and `max`. */
export const integer = ({
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
}: { readonly min?: number; readonly max?: number } = {}): Codec<number> => ({
  encode: (writer, value) => {
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new RangeError(`an integer from ${String(min)} to ${String(max)} is expected`);
    }
    writer.uint64(BigInt(value));
  },
  decode: (reader) => {
    const value = reader.uint64();
    if (value < BigInt(min) || value > BigInt(max)) throw malformed("an integer is out of bounds");
    return Number(value);
  },
});

/** `uint64`: MLS epochs. */
export const uint64: Codec<bigint> = {
  encode: (writer, value) => {
    if (typeof value !== "bigint") throw new TypeError("a bigint is expected");
    writer.uint64(value);
  },
  decode: (reader) => reader.uint64(),
};

/** `T<V>` of at most `max` elements. */
export const list = <T>(element: Codec<T>, max: number): Codec<readonly T[]> => ({
  encode: (writer, values) => {
    if (values.length > max) throw deliveryError("ERR_DS_TOO_LARGE", `at most ${String(max)} elements fit`);
    writer.vector(() => {
      for (const value of values) element.encode(writer, value);
    });
  },
  decode: (reader) => {
    const body = reader.vector();
    const values: T[] = [];
    while (body.remaining > 0) {
      if (values.length === max) throw malformed("a list has too many elements");
      values.push(element.decode(body));
    }
    return values;
  },
});

/** `optional<T>`: a presence octet, then the value. */
export const optional = <T>(value: Codec<T>): Codec<T | undefined> => ({
  encode: (writer, present) => {
    writer.uint(present === undefined ? 0 : 1, 1);
    if (present !== undefined) value.encode(writer, present);
  },
  decode: (reader) => {
    const presence = reader.uint(1);
    if (presence > 1) throw malformed("a presence octet is neither 0 nor 1");
    return presence === 1 ? value.decode(reader) : undefined;
  },
});

/** One octet that stands for one of these names, counted from 1. */
export const oneOf = <N extends string>(...names: readonly N[]): Codec<N> => ({
  encode: (writer, name) => {
    const index = names.indexOf(name);
    if (index < 0) throw new TypeError("an unknown name");
    writer.uint(index + 1, 1);
  },
  decode: (reader) => {
    const name = names[reader.uint(1) - 1];
    if (name === undefined) throw malformed("an undefined octet");
    return name;
  },
});

/** A struct: fields in the order of the object's properties. */
export function struct<T extends object>(fields: { readonly [K in keyof T]-?: Codec<T[K]> }): Codec<T> {
  const entries = Object.entries(fields) as [keyof T & string, Codec<T[keyof T & string]>][];
  return {
    encode: (writer, value) => {
      for (const [name, codec] of entries) codec.encode(writer, value[name]);
    },
    decode: (reader) => {
      const value: Partial<T> = {};
      for (const [name, codec] of entries) value[name] = codec.decode(reader);
      return value as T;
    },
  };
}

/** The empty struct. */
export const empty: Codec<void> = { encode: () => undefined, decode: () => undefined };

/** A codec for a value of another shape. */
export const map = <A, B>(codec: Codec<A>, to: (value: A) => B, from: (value: B) => A): Codec<B> => ({
  encode: (writer, value) => {
    codec.encode(writer, from(value));
  },
  decode: (reader) => to(codec.decode(reader)),
});
