import { describe, expect, it } from "vitest";
import { encodeBytes } from "../build.mjs";
import { decodeBytes } from "../src/byte-text.ts";

describe("bytes as text", () => {
  const every = Uint8Array.from({ length: 512 }, (_, i) => (i * 167) & 0xff);

  it("come back, each value of them", () => {
    expect(decodeBytes(encodeBytes(every))).toEqual(every);
    expect(decodeBytes("")).toEqual(new Uint8Array(0));
  });

  it("need no escaping, in a literal or a script element", () => {
    const text = encodeBytes(every);
    expect(text).toMatch(/^[#-~]+$/);
    expect(text).not.toMatch(/[<\\]/);
  });
});
