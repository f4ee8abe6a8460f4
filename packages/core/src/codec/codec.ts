/** Combinators for wire types (RFC 9420 §2.1): a struct here reads like its definition there. */
import { assertBytes } from "@coppice/kit";
import { CoppiceError } from "../errors.ts";
import { headersWithin, Reader, tooManyVectors, untrusted } from "./reader.ts";
import { Writer } from "./writer.ts";

/** How a type is written and read. `decode(encode(x))` equals `x`, and so does the reverse on every accepted input. */
export interface Codec<T> {
  readonly encode: (writer: Writer, value: T) => void;
  readonly decode: (reader: Reader) => T;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Top-level messages and records over this size are refused before they are read. */
export const DEFAULT_MAX_DECODE_BYTES: number = 64 * 1024 * 1024;

export function encode<T>(codec: Codec<T>, value: NoInfer<T>): Bytes {
  return written((writer) => {
    codec.encode(writer, value);
  });
}

/** Encodes what others will decode, and refuses what they would refuse by `decodeReceived`: `ERR_MLS_LIMIT`. */
export function encodeToSend<T>(
  codec: Codec<T>,
  value: NoInfer<T>,
  maxBytes: number = DEFAULT_MAX_DECODE_BYTES,
): Bytes {
  return written((writer) => {
    codec.encode(writer, value);
    checkReadable(writer, maxBytes);
  });
}

/** The same for what was written by hand. */
export function checkReadable({ length, headers }: Writer, maxBytes: number): void {
  if (headers > headersWithin(length)) throw tooManyVectors();
  if (length <= maxBytes) return;
  throw new CoppiceError("ERR_MLS_LIMIT", `${String(length)} bytes to send, at most ${String(maxBytes)}`, {
    requirement: "R-2.1.2-8",
    detail: { maxBytes },
  });
}

/** What `write` writes. */
export function written(write: (writer: Writer) => void): Bytes {
  const writer = new Writer();
  write(writer);
  return writer.finish();
}

/** Encodes for one use: the bytes are overwritten when `use` returns. */
export function encodeFor<T, R>(codec: Codec<T>, value: NoInfer<T>, use: (bytes: Bytes) => R): R {
  const writer = new Writer();
  codec.encode(writer, value);
  return writer.lend(use);
}

/**
 * Decodes all of `bytes`. `ERR_MLS_DECODE` for malformed or trailing bytes, `ERR_MLS_LIMIT` over `maxBytes`. An element of a vector
 * takes far more memory than its bytes: for what others made there is `decodeReceived`, and `maxElements` of `vector`.
 */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, maxBytes: number = DEFAULT_MAX_DECODE_BYTES): T {
  return decodeFrom((all) => new Reader(all), codec, bytes, maxBytes);
}

/**
 * The same, and `ERR_MLS_LIMIT` for more vectors than messages of this protocol have in so many bytes, and for a Commit of more
 * proposals than that.
 */
export function decodeReceived<T>(
  codec: Codec<T>,
  bytes: Uint8Array,
  maxBytes: number = DEFAULT_MAX_DECODE_BYTES,
  proposalsPerCommit?: number,
): T {
  return decodeFrom((all) => untrusted(all, proposalsPerCommit), codec, bytes, maxBytes);
}

function decodeFrom<T>(open: (bytes: Uint8Array) => Reader, codec: Codec<T>, bytes: Uint8Array, maxBytes: number): T {
  assertBytes(bytes, "what is decoded");
  if (bytes.length > maxBytes) {
    throw new CoppiceError("ERR_MLS_LIMIT", `${String(bytes.length)} bytes to decode, at most ${String(maxBytes)}`, {
      requirement: "R-2.1.2-8",
    });
  }
  const reader = open(bytes);
  const value = codec.decode(reader);
  reader.finish();
  return value;
}

/** `T` as a caller may give it: with any `Uint8Array` where we have our own. */
export type Given<T> = T extends Bytes
  ? Uint8Array
  : T extends readonly (infer E)[]
    ? readonly Given<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Given<T[K]> }
      : T;

/** Our own copy of what a caller gave, who may change it later. `TypeError` for what are no bytes in it. */
export function copyOf<T>(codec: Codec<T>, given: Given<T>): T {
  return decode(codec, encode(codec, given as T), Number.POSITIVE_INFINITY);
}

const uint = (count: number): Codec<number> => ({
  encode: (writer, value) => {
    writer.uint(value, count);
  },
  decode: (reader) => reader.uint(count),
});

export const uint8: Codec<number> = uint(1);
export const uint16: Codec<number> = uint(2);
export const uint32: Codec<number> = uint(4);

export const uint64: Codec<bigint> = {
  encode: (writer, value) => {
    writer.uint64(value);
  },
  decode: (reader) => reader.uint64(),
};

/** `opaque<V>` */
export const opaque: Codec<Bytes> = {
  encode: (writer, value) => {
    writer.opaque(value);
  },
  decode: (reader) => reader.opaque(),
};

/** `opaque[length]` */
export const fixed = (length: number): Codec<Bytes> => ({
  encode: (writer, value) => {
    assertBytes(value, "a byte string");
    if (value.length !== length) throw new RangeError(`${String(length)} bytes expected`);
    writer.bytes(value);
  },
  decode: (reader) => reader.bytes(length),
});

/**
 * `T<V>`: the header counts bytes, not elements; an element that crosses the end is malformed (R-2.1.2-6). More than
 * `maxElements` are refused before the rest is read.
 */
export const vector = <T>(element: Codec<T>, maxElements: number = Number.POSITIVE_INFINITY): Codec<readonly T[]> => ({
  encode: (writer, values) => {
    writer.vector(() => {
      for (const value of values) element.encode(writer, value);
    });
  },
  decode: (reader) => {
    const body = reader.vector();
    const values: T[] = [];
    while (body.remaining > 0) {
      if (values.length >= maxElements) {
        throw new CoppiceError("ERR_MLS_LIMIT", `A vector has more than ${String(maxElements)} elements`, {
          requirement: "R-2.1.2-8",
          detail: { maxElements },
        });
      }
      values.push(element.decode(body));
    }
    return values;
  },
});

/** A list that was read, or begins one that was. */
interface KnownList {
  readonly values: readonly number[];
  /** Those that are one value longer, by that value. */
  readonly longer: Map<number, KnownList>;
}

const remember = (values: readonly number[]): KnownList => ({ values: Object.freeze(values), longer: new Map() });

/** Lists that are remembered, and bytes of those that are worth it. */
const MOST_LISTS = 2048;
const LONGEST_LIST = 32;

let emptyList = remember([]);
let listCount = 0;

function longerBy(list: KnownList, value: number): KnownList {
  const known = list.longer.get(value);
  if (known !== undefined) return known;
  if (++listCount > MOST_LISTS) {
    emptyList = remember([]);
    listCount = 0;
  }
  const made = remember([...list.values, value]);
  list.longer.set(value, made);
  return made;
}

/**
 * `uint16 values<V>`. Equal lists that were read are one object, which nobody can change: the members of a group have much the
 * same ones, and what is found out about one list holds for all.
 */
export const uint16s: Codec<readonly number[]> = {
  encode: (writer, values) => {
    writer.vectorLength(2 * values.length);
    for (let i = 0; i < values.length; i++) writer.uint(values[i] ?? 0, 2);
  },
  decode: (reader) => {
    const body = reader.vector();
    if (body.remaining > LONGEST_LIST) {
      const values: number[] = [];
      while (body.remaining > 0) values.push(body.uint(2));
      return values;
    }
    let list = emptyList;
    while (body.remaining > 0) list = longerBy(list, body.uint(2));
    return list.values;
  },
};

/** `optional<T>` (RFC 9420 §2.1.1) */
export const optional = <T>(value: Codec<T>): Codec<T | undefined> => ({
  encode: (writer, present) => {
    writer.uint(present === undefined ? 0 : 1, 1);
    if (present !== undefined) value.encode(writer, present);
  },
  decode: (reader) => {
    const presence = reader.uint(1);
    if (presence > 1) {
      throw new CoppiceError("ERR_MLS_DECODE", "Presence octet is neither 0 nor 1", { requirement: "R-2.1.1-2" });
    }
    return presence === 1 ? value.decode(reader) : undefined;
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

/** A closed enum: names for the defined values, everything else (0 included) is malformed (R-2.1-2). */
export function closedEnum<N extends string>(codec: Codec<number>, values: Readonly<Record<N, number>>): Codec<N> {
  const names = new Map<number, N>();
  for (const name of Object.keys(values) as N[]) names.set(values[name], name);
  return {
    encode: (writer, name) => {
      codec.encode(writer, values[name]);
    },
    decode: (reader) => {
      const value = codec.decode(reader);
      const name = names.get(value);
      if (name === undefined) {
        throw new CoppiceError("ERR_MLS_DECODE", `Undefined enum value ${String(value)}`, { requirement: "R-2.1-2" });
      }
      return name;
    },
  };
}

/**
 * `select`: a discriminated union. The tag is written first; the case's fields stand beside the tag in one object.
 * `unknown` builds the error for a tag without a case.
 */
export function select<Tag extends string, Value extends string | number, T extends Readonly<Record<Tag, Value>>>(
  tag: Tag,
  tagCodec: Codec<Value>,
  cases: { readonly [V in T[Tag]]: Codec<Omit<Extract<T, Readonly<Record<Tag, V>>>, Tag>> },
  unknown: (value: Value) => CoppiceError = (value) =>
    new CoppiceError("ERR_MLS_DECODE", `Undefined ${tag} ${String(value)}`, { requirement: "R-2.1-2" }),
): Codec<T> {
  const table = new Map<Value, Codec<object>>();
  for (const [name, codec] of Object.entries(cases)) {
    const value = (Number.isNaN(Number(name)) ? name : Number(name)) as Value;
    table.set(value, codec as Codec<object>);
  }
  const find = (value: Value): Codec<object> => {
    const found = table.get(value);
    if (found === undefined) throw unknown(value);
    return found;
  };
  return {
    encode: (writer, value) => {
      const codec = find(value[tag]);
      tagCodec.encode(writer, value[tag]);
      codec.encode(writer, value);
    },
    decode: (reader) => {
      const value = tagCodec.decode(reader);
      // The case's decoder has just made this object for us.
      const decoded = find(value).decode(reader) as Record<string, unknown>;
      decoded[tag] = value;
      return decoded as T;
    },
  };
}

/** The empty struct. */
export const nothing: Codec<object> = { encode: () => undefined, decode: () => ({}) };

/** A codec for a value of another shape. */
export const map = <A, B>(codec: Codec<A>, to: (value: A) => B, from: (value: B) => A): Codec<B> => ({
  encode: (writer, value) => {
    codec.encode(writer, from(value));
  },
  decode: (reader) => to(codec.decode(reader)),
});
