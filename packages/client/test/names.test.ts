import { describe, expect, test } from "vitest";
import { checkName, checkNames, checkTitle } from "../src/names.ts";

describe("names", () => {
  test.each(["a", "Zo\u00eb", "x".repeat(64), "\u{1f600}".repeat(64), "two words"])("%j is a name", (name) => {
    expect(checkName(name)).toBe(name);
  });

  test.each(["", " ", " a", "a\t", "a\nb", "a\u2028b", "\ud800", "x".repeat(65), "e\u0301".repeat(1000)])(
    "%j is none",
    (name) => {
      expect(() => checkName(name)).toThrow(expect.objectContaining({ code: "ERR_CLIENT_NAME_INVALID" }));
    },
  );

  test("names are compared in NFC and each counts once", () => {
    expect(checkNames(["e\u0301", "\u00e9", "b"])).toEqual(["\u00e9", "b"]);
  });

  test("titles have at most 128 bytes", () => {
    expect(checkTitle("")).toBe("");
    expect(checkTitle("\u00e9".repeat(64))).toHaveLength(64);
    expect(() => checkTitle("\u00e9".repeat(65))).toThrow(
      expect.objectContaining({ code: "ERR_CLIENT_TITLE_TOO_LONG" }),
    );
    expect(() => checkTitle(7 as never)).toThrow(TypeError);
  });
});
