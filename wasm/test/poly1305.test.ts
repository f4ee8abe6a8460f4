import { beforeAll, describe, expect, it } from "vitest";
import { compile } from "../build.mjs";
import { hex, random, toHex } from "./support.ts";

interface Exports {
  readonly memory: WebAssembly.Memory;
  start(key: number): void;
  update(p: number, blocks: number): void;
  finish(mask: number, out: number): void;
}

// Beyond the statics of poly1305.ts.
const AT = 65536;

/** RFC 8439 §2.5 over integers. */
function reference(key: Uint8Array, data: Uint8Array): string {
  const number = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`);
  const r = number(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let a = 0n;
  for (let i = 0; i < data.length; i += 16) {
    a = ((a + number(data.subarray(i, i + 16)) + (1n << 128n)) * r) % ((1n << 130n) - 5n);
  }
  const tag = (a + number(key.subarray(16))) & ((1n << 128n) - 1n);
  return toHex(hex(tag.toString(16).padStart(32, "0")).reverse());
}

describe("Poly1305 by itself: the carries that random messages do not reach", { timeout: 60_000 }, () => {
  let poly1305: Exports;
  beforeAll(async () => {
    poly1305 = new WebAssembly.Instance(new WebAssembly.Module(await compile("poly1305.ts")))
      .exports as unknown as Exports;
  });
  const mac = (key: Uint8Array, data: Uint8Array): string => {
    const memory = new Uint8Array(poly1305.memory.buffer);
    memory.set(key, AT);
    memory.set(data, AT + 48);
    poly1305.start(AT);
    poly1305.update(AT + 48, data.length / 16);
    poly1305.finish(AT + 16, AT + 32);
    return toHex(memory.subarray(AT + 32, AT + 48));
  };
  const small = (value: string): string => value.padEnd(32, "0");
  const ones = "ff".repeat(16);

  it.each([
    ["7", small("02"), small(""), ones, small("03")],
    ["8", small("02"), ones, small("02"), small("03")],
    ["9", small("01"), small(""), `${ones}f0${"ff".repeat(15)}${small("11")}`, small("05")],
    ["10", small("01"), small(""), `${ones}fb${"fe".repeat(15)}${"01".repeat(16)}`, small("")],
    ["11", small("02"), small(""), `fd${"ff".repeat(15)}`, `fa${"ff".repeat(15)}`],
  ])("RFC 8439 A.3, test vector %s", (_case, r, s, data, tag) => {
    expect(mac(hex(r + s), hex(data))).toBe(tag);
  });

  it("is the arithmetic of the RFC for extreme and random keys and blocks", () => {
    const { bytes, below } = random(1305);
    const extremes = ["00", "01", "ff", "fe", "7f", "80"].map((byte) => hex(byte.repeat(16)));
    const some = (): Uint8Array => extremes[below(12)] ?? bytes(16);
    for (let i = 0; i < 3000; i++) {
      const key = Buffer.concat([some(), some()]);
      const data = Buffer.concat(Array.from({ length: below(5) }, some));
      expect(mac(key, data)).toBe(reference(key, data));
    }
  });
});
