/**
 * How values cross the boundary. A codec makes plain data of a value and a value of plain data, and checks both ways: an
 * application may hand in anything, and what arrives by postMessage is hostile. Both throw a `TypeError` in words.
 */
import type { Conversation } from "@coppice/client";
import { MAX_LIST } from "../limits.ts";

/** Finds a conversation by its id, where codecs meet one. */
export type Known = (id: string) => Conversation | undefined;

export interface Codec<T> {
  /** Names the shape; part of the protocol's fingerprint. */
  readonly form: string;
  /** Fresh plain data for postMessage; large buffers are added to `transfer`. */
  readonly pack: (value: T, transfer: Transferable[]) => unknown;
  readonly parse: (value: unknown, known: Known) => T;
}

/** A codec of one of a table's many types. */
export interface AnyCodec {
  readonly form: string;
  readonly pack: (value: unknown, transfer: Transferable[]) => unknown;
  readonly parse: (value: unknown, known: Known) => unknown;
}

/** A codec for each property. */
export type Fields<T> = { readonly [K in keyof T]-?: Codec<Required<T>[K]> };

/** A codec for what is the same on both sides: `check` returns it with its type, or throws. */
export function plain<T>(form: string, check: (value: unknown) => T): Codec<T> {
  return { form, pack: check, parse: check };
}

export function optional<T>({ form, pack, parse }: Codec<T>): Codec<T | undefined> {
  return {
    form: `${form}?`,
    pack: (value, transfer) => (value === undefined ? undefined : pack(value, transfer)),
    parse: (value, known) => (value === undefined ? undefined : parse(value, known)),
  };
}

export function oneOf<T extends string>(...options: readonly T[]): Codec<T> {
  return plain(options.join("|"), (value) => {
    const found = options.find((option) => option === value);
    if (found === undefined) throw new TypeError(`one of ${options.join(", ")} is expected`);
    return found;
  });
}

export function list<T>(item: Codec<T>, most: number = MAX_LIST): Codec<readonly T[]> {
  const items = (value: unknown): readonly unknown[] => {
    if (!Array.isArray(value)) throw new TypeError("an array is expected");
    if (value.length > most) throw new TypeError(`at most ${most} items are expected`);
    return value;
  };
  const { pack } = item as AnyCodec;
  return {
    form: `[${item.form}]`,
    pack: (value, transfer) => Array.from(items(value), (each) => pack(each, transfer)),
    parse: (value, known) => Object.freeze(Array.from(items(value), (each) => item.parse(each, known))),
  };
}

/** An object with exactly these properties; others are left behind. What is parsed is frozen. */
export function struct<T extends object>(fields: Fields<T>): Codec<T> {
  return object<T>(fields, () => true);
}

/** An object of which every property may be missing, and is left out then. */
export function partial<T extends object>(fields: Fields<T>): Codec<T> {
  return object<T>(fields, (value) => value !== undefined);
}

function object<T extends object>(fields: Fields<T>, wanted: (value: unknown) => boolean): Codec<T> {
  const codecs = Object.entries(fields as Readonly<Record<string, AnyCodec>>);
  const each = (value: unknown, convert: (codec: AnyCodec, field: unknown) => unknown): object => {
    const given = record(value);
    const entries = codecs.flatMap(([name, codec]) => {
      const field = given[name];
      return wanted(field) ? [[name, within(name, () => convert(codec, field))] as const] : [];
    });
    return Object.fromEntries(entries);
  };
  return {
    form: `{${codecs.map(([name, { form }]) => `${name}:${form}`).join()}}`,
    pack: (value, transfer) => each(value, (codec, field) => codec.pack(field, transfer)),
    parse: (value, known) => Object.freeze(each(value, (codec, field) => codec.parse(field, known))) as T,
  };
}

/** One of several objects, told apart by the text in their property `tag`. */
export function tagged<Tag extends string, T extends Readonly<Record<Tag, string>>>(
  tag: Tag,
  variants: { readonly [V in T[Tag]]: Codec<Extract<T, Readonly<Record<Tag, V>>>> },
): Codec<T> {
  const codecs = new Map(Object.entries(variants as Readonly<Record<string, AnyCodec>>));
  const codecOf = (value: unknown): AnyCodec => {
    const found = record(value)[tag];
    const codec = typeof found === "string" ? codecs.get(found) : undefined;
    if (codec === undefined) throw new TypeError(`${tag}: one of ${[...codecs.keys()].join(", ")} is expected`);
    return codec;
  };
  return {
    form: `(${[...codecs.values()].map(({ form }) => form).join("|")})`,
    pack: (value, transfer) => codecOf(value).pack(value, transfer),
    parse: (value, known) => codecOf(value).parse(value, known) as T,
  };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new TypeError("an object is expected");
  return value;
}

/** Says in a `TypeError` where it happened. */
export function within<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof TypeError ? new TypeError(`${place}: ${error.message}`) : error;
  }
}
