/** Building blocks of stored records, over core's codec. */
import { codec, fromHex, toHex, utf8, type Bytes, type Codec } from "@coppice/core";
import { CoppiceError, isCoppiceError } from "@coppice/kit";

/** 0 to 2^53 - 1. */
export const integer: Codec<number> = codec.map(
  codec.uint64,
  (value) => {
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError("A stored integer is not safe");
    return Number(value);
  },
  BigInt,
);

export const boolean: Codec<boolean> = codec.map(
  codec.uint8,
  (value) => value !== 0,
  (value) => (value ? 1 : 0),
);

/** 16 bytes, such as a device or a message id, as 32 hex digits. */
export const id128: Codec<string> = codec.map(codec.fixed(16), toHex, fromHex);

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const text: Codec<string> = codec.map(codec.opaque, (bytes) => decoder.decode(bytes), utf8);

export const texts: Codec<readonly string[]> = codec.vector(text);

/** A record: the number of its format, then the value. */
export interface RecordCodec<T> {
  encode(value: T): Bytes;
  /**
   * `ERR_STORE_NEWER_SCHEMA` or `ERR_STORE_OLD_SCHEMA` for a format that this version does not know, `ERR_STORE_CORRUPT` for
   * malformed bytes.
   */
  decode(bytes: Uint8Array): T;
}

/** 1 was never released. */
const FORMAT = 2;

export function record<T>(body: Codec<T>): RecordCodec<T> {
  const whole = codec.struct<{ format: number; body: T }>({ format: codec.uint8, body });
  return {
    encode: (value) => codec.encode(whole, { format: FORMAT, body: value }),
    decode: (bytes) => {
      const [format = 0] = bytes;
      if (format > FORMAT) {
        throw new CoppiceError("ERR_STORE_NEWER_SCHEMA", "A record was written by a newer version of Coppice");
      }
      if (format < FORMAT) {
        throw new CoppiceError("ERR_STORE_OLD_SCHEMA", "A record was written by a version before the first release");
      }
      try {
        return codec.decode(whole, bytes).body;
      } catch (cause) {
        if (isCoppiceError(cause) || cause instanceof RangeError || cause instanceof TypeError) {
          throw new CoppiceError("ERR_STORE_CORRUPT", "A record does not decode", { cause });
        }
        throw cause;
      }
    },
  };
}

/** A number in a record's name, so that the order of names is the order of numbers. */
export const ordinal = (value: number): string => value.toString(16).padStart(14, "0");

export const fromOrdinal = (name: string): number => Number.parseInt(name.slice(-14), 16);
