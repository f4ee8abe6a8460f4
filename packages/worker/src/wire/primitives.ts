/** Codecs of single values. */
import { isUint8Array } from "@coppice/kit";
import { MAX_BYTES, MAX_TEXT, TRANSFER_BYTES } from "../limits.ts";
import { type Codec, plain } from "./codec.ts";

const expected = (what: string): TypeError => new TypeError(`${what} is expected`);

export const nothing: Codec<void> = plain("-", (): void => undefined);

export const text: Codec<string> = plain("text", (value) => {
  if (typeof value !== "string") throw expected("a string");
  if (value.length > MAX_TEXT) throw new TypeError(`at most ${MAX_TEXT} characters are expected`);
  return value;
});

export const flag: Codec<boolean> = plain("flag", (value) => {
  if (typeof value !== "boolean") throw expected("a boolean");
  return value;
});

/** Any finite number. */
export const finite: Codec<number> = plain("number", (value) => {
  if (typeof value !== "number" || !Number.isFinite(value)) throw expected("a finite number");
  return value;
});

/** A safe integer from 0. */
export const count: Codec<number> = plain("count", (value) => {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw expected("an integer from 0");
  }
  return value;
});

/** A bigint from 0. */
export const big: Codec<bigint> = plain("bigint", (value) => {
  if (typeof value !== "bigint" || value < 0n) throw expected("a bigint from 0");
  return value;
});

/** A text that is always the same. */
export function constant<T extends string>(is: T): Codec<T> {
  return plain(is, (value) => {
    if (value !== is) throw new TypeError(`${is} is expected`);
    return is;
  });
}

/** A codec of bytes, whoever owns what is below them. */
export interface BytesCodec {
  readonly form: string;
  readonly pack: (value: unknown, transfer: Transferable[]) => Uint8Array<ArrayBuffer>;
  readonly parse: (value: unknown) => Uint8Array<ArrayBuffer>;
}

/**
 * Bytes, copied to be posted: cloning a view would clone the whole buffer below it, and moving it would take the buffer from
 * its owner. Shared memory, which the other side could still change, is refused.
 */
export const bytes: BytesCodec = {
  form: "bytes",
  pack: (value, transfer) => {
    if (!isUint8Array(value)) throw expected("a Uint8Array");
    const copy = new Uint8Array(checkLength(value).length);
    copy.set(value);
    if (copy.length >= TRANSFER_BYTES) transfer.push(copy.buffer);
    return copy;
  },
  parse: (value) => {
    if (!isOwnBytes(value)) throw expected("a Uint8Array");
    return checkLength(value);
  },
};

function checkLength<T extends Uint8Array>(value: T): T {
  if (value.length > MAX_BYTES) throw new TypeError(`at most ${MAX_BYTES} bytes are expected`);
  return value;
}

function isOwnBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return isUint8Array(value) && value.buffer instanceof ArrayBuffer;
}
