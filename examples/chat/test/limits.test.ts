import { describe, expect, it } from "vitest";
import {
  checkMessage,
  cleanName,
  maxMessageBytes,
  parseNames,
  problemWithName,
  problemWithTitle,
} from "../src/limits.ts";

describe("messages", () => {
  it("may have 64 KiB and not a byte more, counted in UTF-8", () => {
    expect(checkMessage("x".repeat(maxMessageBytes))).toMatchObject({ canSend: true, tooLong: false });
    expect(checkMessage("x".repeat(maxMessageBytes + 1))).toMatchObject({ canSend: false, tooLong: true });
    expect(checkMessage("é".repeat(maxMessageBytes / 2))).toMatchObject({ canSend: true, tooLong: false });
    expect(checkMessage("é".repeat(maxMessageBytes / 2 + 1))).toMatchObject({ canSend: false, tooLong: true });
    expect(checkMessage("€".repeat(21_846))).toMatchObject({ canSend: false, tooLong: true });
  });

  it("are never reported as 0.0 KiB too long", () => {
    expect(checkMessage("x".repeat(maxMessageBytes + 1)).advice).toContain("0.1 KiB over the limit");
  });

  it("say how much is left near the limit and nothing far from it", () => {
    expect(checkMessage("x".repeat(1000)).advice).toBeUndefined();
    expect(checkMessage("x".repeat(maxMessageBytes - 1024)).advice).toBe("1.0 KiB left in this message");
  });

  it("are not sent when there is nothing in them", () => {
    expect(checkMessage("").canSend).toBe(false);
    expect(checkMessage(" \n\t").canSend).toBe(false);
    expect(checkMessage(" ".repeat(maxMessageBytes)).canSend).toBe(false);
    expect(checkMessage("0").canSend).toBe(true);
  });
});

describe("names", () => {
  it("have 1 to 64 characters, counted as people do", () => {
    expect(problemWithName("")).toBeDefined();
    expect(problemWithName("a")).toBeUndefined();
    expect(problemWithName("🌳".repeat(64))).toBeUndefined();
    expect(problemWithName("🌳".repeat(65))).toBeDefined();
  });

  it("have no control characters, line separators, lone surrogates, spaces or commas", () => {
    for (const name of ["a\nb", "a\u0000b", "a\u2028b", "a\ud800b", "a,b", "a b"])
      expect(problemWithName(name)).toBeDefined();
  });

  it("are composed, in lower case, and lose the space around them", () => {
    expect(cleanName("  Zoe\u0308 ")).toBe("zo\u00eb");
  });

  it("are read from a list, without gaps and repetitions", () => {
    expect(parseNames(" bob, carol ,, bob,")).toEqual({ names: ["bob", "carol"], problem: undefined });
    expect(parseNames("").names).toEqual([]);
    expect(parseNames(`bob, ${"x".repeat(65)}`).problem).toContain("64 characters");
  });
});

describe("group names", () => {
  it("have 1 to 128 bytes", () => {
    expect(problemWithTitle("")).toBeDefined();
    expect(problemWithTitle("é".repeat(64))).toBeUndefined();
    expect(problemWithTitle("é".repeat(65))).toBeDefined();
  });
});
