/** A seeded generator and the mutations that it drives: a seed replays a run. */
export type Random = () => number;

/** Uniform in [0, 1), by mulberry32: small, fast, and good enough to choose bytes to break. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const below = (random: Random, limit: number): number => Math.floor(random() * limit);

export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[below(random, items.length)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}

/** Bytes that mean something to the decoder: length headers, presence octets, small enums, GREASE. */
const INTERESTING = [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff, 0x0a];

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => setByte(bytes, random, (byte) => byte ^ (1 << below(random, 8))),
  (bytes, random) => setByte(bytes, random, () => pick(random, INTERESTING)),
  (bytes, random) => setByte(bytes, random, () => below(random, 256)),
  (bytes, random) => bytes.slice(0, below(random, bytes.length + 1)),
  (bytes, random) => {
    const at = below(random, bytes.length + 1);
    return join(bytes.subarray(0, at), Uint8Array.of(pick(random, INTERESTING)), bytes.subarray(at));
  },
  (bytes, random) => {
    const [from, to] = range(bytes.length, random);
    return join(bytes.subarray(0, from), bytes.subarray(to));
  },
  (bytes, random) => {
    const [from, to] = range(bytes.length, random);
    return join(bytes.subarray(0, to), bytes.subarray(from));
  },
  (bytes, random, other) => {
    const [from, to] = range(other.length, random);
    const at = below(random, bytes.length + 1);
    return join(bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(at));
  },
  (bytes, random, other) => {
    const [from, to] = range(other.length, random);
    const at = below(random, bytes.length + 1);
    return join(bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(at + to - from));
  },
];

function setByte(bytes: Uint8Array, random: Random, change: (byte: number) => number): Uint8Array {
  const at = below(random, bytes.length);
  return bytes.map((byte, i) => (i === at ? change(byte) : byte));
}

function range(length: number, random: Random): [number, number] {
  const from = below(random, length + 1);
  return [from, Math.min(length, from + 1 + below(random, 64))];
}

/** One to three mutations; `other` gives foreign pieces. */
export function mutate(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array<ArrayBuffer> {
  let result = bytes;
  for (let i = below(random, 3); i >= 0; i--) result = pick(random, MUTATIONS)(result, random, other);
  return new Uint8Array(result);
}
