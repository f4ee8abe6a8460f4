import { describe, expect, it } from "vitest";
import { kernelOver } from "../src/full.ts";
import { Arena } from "../src/arena.ts";
import type { HashKernel } from "../src/index.ts";
import { hex, holdsPartOf, openKernel, random, toHex } from "./support.ts";

const { kernel, exports, memory } = openKernel();
const fresh = memory();
const arenaSize = Number(exports.capacity.value);
const { bytes } = random(0xbadc0de);
const secretByte = Uint8Array.of(1);

const operations: readonly (readonly [string, (hash: HashKernel, secret: Uint8Array) => Uint8Array])[] = [
  ["digest", (hash, secret) => hash.digest(secret)],
  ["digest in pieces", (hash, secret) => hash.digest(Buffer.concat([new Uint8Array(arenaSize - 3), secret]))],
  ["hmac", (hash, secret) => hash.hmac(secret, secret)],
  ["hmac with a long key", (hash, secret) => hash.hmac(Buffer.concat([secret, secret, secret]), secret)],
  ["hmac in pieces", (hash, secret) => hash.hmac(secret, Buffer.concat([secret, new Uint8Array(arenaSize)]))],
  ["extract", (hash, secret) => hash.extract(secret, secret)],
  ["expand", (hash, secret) => hash.expand(secret, secret, 255 * hash.Nh)],
  ["expand in pieces", (hash, secret) => hash.expand(secret, Buffer.concat([secret, new Uint8Array(arenaSize)]), 99)],
  ["expandWithLabel", (hash, secret) => hash.expandWithLabel(secret, "label", secret, hash.Nh)],
  ["expandWithLabel, not ASCII", (hash, secret) => hash.expandWithLabel(secret, "läbel", secret, hash.Nh)],
];

describe.each([kernel.sha256, kernel.sha384, kernel.sha512])("after every call, $name", (hash) => {
  it.each(operations)("%s leaves the memory as it was when it was new", (_name, run) => {
    const secret = bytes(64);
    const output = run(hash, secret);
    expect(output.length).toBeGreaterThan(0);
    expect(holdsPartOf(memory(), secret)).toBe(false);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });
});

describe("errors", () => {
  const secret = bytes(64);
  const detached = bytes(32);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });

  it("erases what was written before an argument failed, and stays usable", () => {
    expect(() => kernel.sha256.hmac(secret, detached)).toThrow(TypeError);
    expect(() => kernel.sha512.expand(secret, detached, 32)).toThrow(TypeError);
    expect(() => kernel.sha512.expandWithLabel(secret, "label", detached, 32)).toThrow(TypeError);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
    expect(toHex(kernel.sha256.digest(hex("616263")))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  it.each([-1, 0.5, NaN, Infinity, 255 * 32 + 1])("HKDF-Expand of %d bytes is a RangeError", (length) => {
    expect(() => kernel.sha256.expand(secret, secret, length)).toThrow(RangeError);
    expect(() => kernel.sha256.expandWithLabel(secret, "label", secret, length)).toThrow(RangeError);
  });

  it.each([undefined, null, "secret", 5, [1, 2], new ArrayBuffer(8), new Uint16Array(4), { length: 4 }])(
    "%o in place of bytes is a TypeError",
    (value) => {
      const wrong = value as Uint8Array;
      expect(() => kernel.sha256.digest(wrong)).toThrow(TypeError);
      expect(() => kernel.sha256.hmac(wrong, secret)).toThrow(TypeError);
      expect(() => kernel.sha256.hmac(secret, wrong)).toThrow(TypeError);
      expect(() => kernel.sha256.extract(wrong, secret)).toThrow(TypeError);
      expect(() => kernel.sha256.expand(wrong, secret, 32)).toThrow(TypeError);
      expect(() => kernel.sha256.expand(secret, wrong, 32)).toThrow(TypeError);
      expect(() => kernel.sha256.expandWithLabel(wrong, "label", secret, 32)).toThrow(TypeError);
      expect(() => kernel.sha256.expandWithLabel(secret, "label", wrong, 32)).toThrow(TypeError);
    },
  );
});

describe("an operation in pieces that fails on the way", () => {
  const fail = (): never => {
    throw new Error("failed on the way");
  };
  const failing = kernelOver({ ...exports, update: fail, aeadCrypt: fail });
  const large = new Uint8Array(arenaSize + 1);
  const { aes128gcm, aes256gcm, chacha20poly1305, ...others } = failing;
  it.each([others.sha256, others.sha384, others.sha512])("$name leaves nothing", (hash) => {
    expect(() => hash.hmac(bytes(32), large)).toThrow("failed on the way");
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });
  it.each([aes128gcm, aes256gcm, chacha20poly1305])("$name leaves nothing", (aead) => {
    expect(() => aead.seal(bytes(aead.Nk), bytes(12), bytes(30), large)).toThrow("failed on the way");
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });
});

describe("operations in pieces that are abandoned", () => {
  const base = Number(exports.arena.value);
  const key = bytes(44);
  const put = (data: Uint8Array): void => {
    new Uint8Array(exports.memory.buffer).set(data, base);
  };
  it.each([
    [
      "digest",
      (): void => {
        exports.digestStart(0);
      },
    ],
    [
      "hmac",
      (): void => {
        exports.hmacStart(2, 44);
      },
    ],
    [
      "AES-128-GCM",
      (): void => {
        exports.aeadStart(0);
      },
    ],
    [
      "AES-256-GCM",
      (): void => {
        exports.aeadStart(1);
      },
    ],
    [
      "ChaCha20-Poly1305",
      (): void => {
        exports.aeadStart(2);
      },
    ],
  ])("%s: erase leaves nothing of them", (name, start) => {
    put(key);
    start();
    put(key);
    if (name.includes("-")) {
      exports.aeadAad(20);
      exports.aeadCrypt(44);
      exports.aeadData(44);
    } else {
      exports.update(44);
    }
    put(new Uint8Array(44));
    expect(Buffer.compare(memory(), fresh)).not.toBe(0);
    exports.erase();
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });
});

describe("the kernel's own checks, behind those of the glue", () => {
  it.each([
    ["digest", () => exports.digest(0, arenaSize + 1)],
    ["hmac", () => exports.hmac(0, 32, arenaSize - 31)],
    ["hmac, sum wraps", () => exports.hmac(0, 32, 0xffffffff)],
    ["hmac key", () => exports.hmac(0, 65, 0)],
    ["expand", () => exports.expand(0, 32, arenaSize, 32)],
    ["expand length", () => exports.expand(0, 32, 0, 255 * 32 + 1)],
    ["expandWithLabel", () => exports.expandWithLabel(0, 32, 5, arenaSize, 32)],
    ["expandWithLabel length", () => exports.expandWithLabel(0, 32, 5, 5, 0xffffffff)],
    ["update", () => exports.update(arenaSize + 1)],
    ["hmacStart", () => exports.hmacStart(0, arenaSize + 1)],
  ])("%s traps and touches nothing", (_name, call) => {
    expect(call).toThrow(WebAssembly.RuntimeError);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });

  it("the glue cannot write outside the arena, whatever it was told", () => {
    const arena = new Arena(exports);
    arena.write(new Uint8Array(arenaSize));
    expect(() => {
      arena.write(secretByte);
    }).toThrow(RangeError);
    expect(() => {
      arena.writeUint32(1);
    }).toThrow(RangeError);
    arena.writeAscii("x");
    arena.erase();
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });

  it("the memory cannot grow, so that no view becomes stale", () => {
    expect(() => exports.memory.grow(1)).toThrow(RangeError);
  });
});

describe("ownership", () => {
  it("every result is a fresh array over its own buffer", () => {
    const first = kernel.sha256.digest(bytes(3));
    const kept = toHex(first);
    const second = kernel.sha256.expand(bytes(32), bytes(3), 40);
    expect(first.buffer).not.toBe(second.buffer);
    expect([first.byteOffset, first.buffer.byteLength]).toEqual([0, 32]);
    expect([second.byteOffset, second.buffer.byteLength]).toEqual([0, 40]);
    expect(toHex(first)).toBe(kept);
  });

  it("two kernels have separate memories", () => {
    const other = openKernel();
    expect(other.exports.memory).not.toBe(exports.memory);
    other.exports.digestStart(0);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
    expect(Buffer.compare(other.memory(), fresh)).not.toBe(0);
  });
});
