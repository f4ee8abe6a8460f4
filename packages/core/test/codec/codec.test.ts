/** The presentation language (RFC 9420 §2.1). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import {
  concat,
  EMPTY,
  equalBytes,
  equalConstantTime,
  equalThroughout,
  erase,
  fromHex,
  toHex,
} from "../../src/codec/bytes.ts";
import type { Codec } from "../../src/codec/codec.ts";
import * as codec from "../../src/codec/codec.ts";
import { Reader } from "../../src/codec/reader.ts";
import { MAX_VECTOR_LENGTH, Writer } from "../../src/codec/writer.ts";
import { verifyConfirmationTag } from "../../src/schedule/transcript-hash.ts";

const malformed = (requirement?: string): unknown =>
  expect.objectContaining(
    requirement === undefined ? { code: "ERR_MLS_DECODE" } : { code: "ERR_MLS_DECODE", requirement },
  );

/** The header alone. */
const header = (hex: string): number => new Reader(fromHex(hex)).vectorLength();

describe("the length header of a vector (R-2.1.2-1, adversarial 2)", () => {
  test.each([
    ["25", 37],
    ["7bbd", 15_293],
    ["9d7f3e7d", 494_878_333],
  ])("%s is the example of %i bytes (R-2.1.2-5)", (hex, length) => {
    expect(header(hex)).toBe(length);
  });

  test.each([
    ["00", 0],
    ["3f", 63],
    ["4040", 64],
    ["7fff", 16_383],
    ["80004000", 16_384],
    ["bfffffff", MAX_VECTOR_LENGTH],
  ])("%s says %i bytes", (hex, length) => {
    expect(header(hex)).toBe(length);
  });

  test.each(["4000", "403f", "80000000", "80000040", "80003fff"])(
    "%s is longer than needed: refused (R-2.1.2-3)",
    (hex) => {
      expect(() => header(hex)).toThrow(malformed("R-2.1.2-3"));
    },
  );

  test.each(["c0", "ff", "c000000000000000"])("%s starts with 11: refused (R-2.1.2-4)", (hex) => {
    expect(() => header(hex)).toThrow(malformed("R-2.1.2-4"));
  });

  test.each(["", "40", "800040", "80"])("%s is cut off: refused", (hex) => {
    expect(() => header(hex)).toThrow(malformed());
  });

  test.each([
    [0, 1],
    [63, 1],
    [64, 2],
    [16_383, 2],
    [16_384, 4],
    [70_000, 4],
  ])("for %i bytes is %i bytes, the shortest (R-2.1.2-2)", (length, expected) => {
    const encoded = codec.encode(codec.opaque, new Uint8Array(length).fill(7));
    expect(encoded.length - length).toBe(expected);
    expect(codec.decode(codec.opaque, encoded)).toEqual(new Uint8Array(length).fill(7));
  });

  test("is refused before anything is allocated if it exceeds the input (R-2.1.2-7)", () => {
    for (const type of [codec.opaque, codec.vector(codec.uint8)]) {
      expect(() => codec.decode<unknown>(type as Codec<unknown>, fromHex("bfffffff00"))).toThrow(
        malformed("R-2.1.2-7"),
      );
    }
  });

  test("is never truncated: a vector of 2^30 bytes is refused before it is copied (R-2.1.2-9)", () => {
    const long = Object.defineProperty(new Uint8Array(0), "length", { value: 2 ** 30 });
    expect(() => codec.encode(codec.opaque, long)).toThrow(RangeError);
  });
});

test("a length that exceeds the input costs no memory before it is refused (R-2.1.2-7, adversarial 2)", () => {
  const types = [codec.opaque, codec.vector(codec.uint8), codec.vector(codec.opaque)];
  for (const type of types) {
    for (const hex of ["bfffffff00", "b000000000"]) {
      const before = process.memoryUsage();
      expect(() => codec.decode<unknown>(type as Codec<unknown>, fromHex(hex))).toThrow(malformed("R-2.1.2-7"));
      const after = process.memoryUsage();
      expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2 ** 24);
      expect(after.heapUsed - before.heapUsed).toBeLessThan(2 ** 26);
    }
  }
});

describe("vectors (R-2.1.2-6)", () => {
  const numbers = codec.vector(codec.uint16);

  test("count bytes, not elements", () => {
    expect(toHex(codec.encode(numbers, [1, 2, 3]))).toBe("06000100020003");
    expect(codec.decode(numbers, fromHex("0400010002"))).toEqual([1, 2]);
  });

  test("end with an element: one that crosses the end is refused, also if more bytes follow", () => {
    expect(() => codec.decode(numbers, fromHex("03000100"))).toThrow(malformed());
    expect(() => codec.decode(codec.struct({ numbers, rest: codec.uint8 }), fromHex("0300010002"))).toThrow(
      malformed(),
    );
  });
});

describe("optional values (R-2.1.1-1)", () => {
  const optional = codec.optional(codec.uint8);

  test("are marked by an octet", () => {
    expect(toHex(codec.encode(optional, undefined))).toBe("00");
    expect(toHex(codec.encode(optional, 5))).toBe("0105");
    expect(codec.decode(optional, fromHex("00"))).toBeUndefined();
  });

  test.each(["02", "0205", "ff", "80"])("marked by %s are refused (R-2.1.1-2)", (hex) => {
    expect(() => codec.decode(optional, fromHex(hex))).toThrow(malformed("R-2.1.1-2"));
  });
});

describe("numbers (R-2.1-1)", () => {
  test("are big-endian, of fixed width, and exact", () => {
    expect(toHex(codec.encode(codec.uint16, 0x0102))).toBe("0102");
    expect(toHex(codec.encode(codec.uint32, 0xfffe_fdfc))).toBe("fffefdfc");
    expect(codec.decode(codec.uint32, fromHex("ffffffff"))).toBe(4_294_967_295);
    const large = 2n ** 64n - 1n;
    expect(codec.decode(codec.uint64, codec.encode(codec.uint64, large))).toBe(large);
    expect(codec.decode(codec.uint64, fromHex("0020000000000001"))).toBe(2n ** 53n + 1n);
  });

  test.each([
    [codec.uint8, 256],
    [codec.uint8, -1],
    [codec.uint16, 0x1_0000],
    [codec.uint32, 2 ** 32],
    [codec.uint32, 0.5],
    [codec.uint32, Number.NaN],
  ])("that do not fit are the caller's mistake", (type, value) => {
    expect(() => codec.encode(type, value)).toThrow(RangeError);
  });

  test("of 64 bits likewise", () => {
    for (const value of [-1n, 2n ** 64n]) expect(() => codec.encode(codec.uint64, value)).toThrow(RangeError);
  });
});

test("closed enums have no other values, 0 included (R-2.1-2)", () => {
  const type = codec.closedEnum(codec.uint8, { one: 1, three: 3 });
  expect(codec.decode(type, fromHex("03"))).toBe("three");
  for (const hex of ["00", "02", "04", "ff"])
    expect(() => codec.decode(type, fromHex(hex))).toThrow(malformed("R-2.1-2"));
});

test("a tag without a case is refused (R-2.1-2)", () => {
  type Choice = { readonly tag: 1; readonly value: number } | { readonly tag: 2; readonly text: Bytes };
  const type = codec.select<"tag", Choice["tag"], Choice>("tag", codec.uint8 as Codec<Choice["tag"]>, {
    1: codec.struct({ value: codec.uint16 }),
    2: codec.struct({ text: codec.opaque }),
  });
  expect(codec.decode(type, fromHex("010007"))).toEqual({ tag: 1, value: 7 });
  expect(() => codec.decode(type, fromHex("030007"))).toThrow(malformed("R-2.1-2"));
});

test("trailing bytes are refused at the top (R-2.1-4)", () => {
  expect(() => codec.decode(codec.uint8, fromHex("0100"))).toThrow(malformed("R-2.1-4"));
});

test("input over the limit is refused before it is read (R-2.1.2-8, adversarial 8)", () => {
  expect(() => codec.decode(codec.opaque, new Uint8Array(11), 10)).toThrow(
    expect.objectContaining({ code: "ERR_MLS_LIMIT", requirement: "R-2.1.2-8" }),
  );
  expect(codec.DEFAULT_MAX_DECODE_BYTES).toBeLessThan(MAX_VECTOR_LENGTH);
  expect(() => codec.decode(codec.opaque, [0] as unknown as Uint8Array)).toThrow(TypeError);
});

describe("vectors in what others made are bounded by its length (R-2.1.2-8, adversarial 8)", () => {
  const limit = expect.objectContaining({ code: "ERR_MLS_LIMIT", requirement: "R-2.1.2-8" }) as unknown;

  test("a megabyte of empty ones is refused after a fraction of them, at any depth", () => {
    let read = 0;
    const counted: Codec<Bytes> = {
      ...codec.opaque,
      decode: (reader) => {
        read++;
        return codec.opaque.decode(reader);
      },
    };
    const flat = codec.encode(codec.opaque, new Uint8Array(2 ** 20));
    expect(() => codec.decodeReceived(codec.vector(counted), flat)).toThrow(limit);
    expect(read).toBeLessThan(2 ** 17);
    // Sixteen parts of less than what is free share one budget.
    const parts = codec.encode(
      codec.vector(codec.opaque),
      Array.from({ length: 16 }, () => new Uint8Array(1000)),
    );
    expect(() => codec.decodeReceived(codec.vector(codec.vector(counted)), parts)).toThrow(limit);
  });

  test("what is stored is read all the same", () => {
    const flat = codec.encode(codec.opaque, new Uint8Array(10_000));
    expect(codec.decode(codec.vector(codec.opaque), flat, Number.POSITIVE_INFINITY)).toHaveLength(10_000);
  });

  test("few of them are no matter", () => {
    const flat = codec.encode(codec.opaque, new Uint8Array(1000));
    expect(codec.decodeReceived(codec.vector(codec.opaque), flat)).toHaveLength(1000);
  });
});

test("what was read does not change with the input", () => {
  const input = fromHex("03010203");
  const read = codec.decode(codec.opaque, input);
  input.fill(0);
  expect(toHex(read)).toBe("010203");
});

test("a fixed number of bytes is neither less nor more", () => {
  const four = codec.fixed(4);
  expect(codec.decode(four, fromHex("01020304"))).toEqual(fromHex("01020304"));
  for (const length of [3, 5]) expect(() => codec.encode(four, new Uint8Array(length))).toThrow(RangeError);
});

test("decode then encode is the identity on whatever is accepted (R-2.1-5)", () => {
  const type = codec.struct({
    number: codec.uint16,
    list: codec.vector(codec.optional(codec.opaque)),
    big: codec.uint64,
  });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      let decoded;
      try {
        decoded = codec.decode(type, bytes);
      } catch (error) {
        expect(error).toMatchObject({ name: "CoppiceError" });
        return;
      }
      expect(toHex(codec.encode(type, decoded))).toBe(toHex(bytes));
    }),
    { numRuns: 500 },
  );
});

test("a writer leaves nothing of what it wrote in its buffer (R-2-1)", () => {
  const writer = new Writer();
  writer.bytes(new Uint8Array(300).fill(0xaa));
  expect(writer.finish()).toEqual(new Uint8Array(300).fill(0xaa));
  expect(writer.finish()).toHaveLength(0);
});

describe("bytes", () => {
  test("compare by value, in constant time too (R-6.2-4)", () => {
    for (const equal of [equalBytes, equalConstantTime]) {
      expect(equal(fromHex("0102"), fromHex("0102"))).toBe(true);
      expect(equal(fromHex("0102"), fromHex("0103"))).toBe(false);
      expect(equal(fromHex("0102"), fromHex("01"))).toBe(false);
      expect(equal(EMPTY, EMPTY)).toBe(true);
    }
  });

  /** Counts which bytes are read. */
  function watched(bytes: Bytes): { readonly bytes: Bytes; readonly read: Set<string> } {
    const read = new Set<string>();
    const get = (target: Bytes, key: string | symbol): unknown => {
      if (typeof key === "string" && /^\d+$/u.test(key)) read.add(key);
      return Reflect.get(target, key, target) as unknown;
    };
    return { bytes: new Proxy(bytes, { get }), read };
  }

  test("of a tag are all read, wherever it differs: the time says nothing of the place (R-6.2-4, adversarial 6)", () => {
    const expected = new Uint8Array(32).fill(7);
    for (const place of [0, 15, 31]) {
      const other = expected.map((byte, i) => (i === place ? byte ^ 1 : byte));
      const { bytes, read } = watched(other);
      expect(equalThroughout(expected, bytes)).toBe(false);
      expect(read.size).toBe(32);
      expect(equalConstantTime(expected, other)).toBe(false);
      expect(() => {
        verifyConfirmationTag(expected, other, "R-12.4.2-12");
      }).toThrow(expect.objectContaining({ code: "ERR_MLS_CONFIRMATION" }));
    }
  });

  test("that were read are plain copies, of Node's buffers and of shared memory too", () => {
    const type = codec.struct({ head: codec.fixed(2), body: codec.opaque });
    const encoded = fromHex("0102020304");
    const shared = new Uint8Array(new SharedArrayBuffer(encoded.length));
    shared.set(encoded);
    for (const input of [encoded, Buffer.from(encoded), shared]) {
      const { head, body } = codec.decode(type, input);
      input.fill(0xff);
      expect([toHex(head), toHex(body)]).toEqual(["0102", "0304"]);
      for (const bytes of [head, body]) {
        expect(bytes.constructor).toBe(Uint8Array);
        expect(bytes.buffer).toBeInstanceOf(ArrayBuffer);
      }
    }
  });

  test("of lists of types: equal ones are one object that nobody changes, long ones and odd ones are as ever", () => {
    const read = (values: readonly number[]): readonly number[] =>
      codec.decode(codec.uint16s, codec.encode(codec.uint16s, values));
    for (const values of [[], [1], [0, 0xffff, 0xd800, 0xdc00, 7], Array.from({ length: 16 }, (_, i) => i)]) {
      expect(read(values)).toEqual(values);
      expect(read(values)).toBe(read(values));
      expect(Object.isFrozen(read(values))).toBe(true);
    }
    const long = Array.from({ length: 17 }, (_, i) => i * 4001);
    expect(read(long)).toEqual(long);
    expect(() => codec.decode(codec.uint16s, fromHex("03000102"))).toThrow(malformed());
    for (let i = 0; i < 3000; i++) expect(read([i, 9, i])).toEqual([i, 9, i]);
  });

  test("go to hex and back", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => equalBytes(fromHex(toHex(bytes)), bytes)));
    for (const text of ["0", "zz", "0x", " 1"]) expect(() => fromHex(text)).toThrow(TypeError);
  });

  test("are joined and erased", () => {
    const secret = concat(fromHex("01"), EMPTY, fromHex("0203"));
    expect(toHex(secret)).toBe("010203");
    erase(secret);
    expect(toHex(secret)).toBe("000000");
  });
});
