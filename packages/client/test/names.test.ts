import { describe, expect, test } from "vitest";
import { checkName, checkTitle, checkUsers } from "../src/names.ts";

describe("names", () => {
  test.each(["a", "zo\u00eb", "x".repeat(64)])("%j is a name", (name) => {
    expect(checkName(name)).toBe(name);
  });

  test.each(["", " ", " a", "a\t", "a\nb", "a\u2028b", "\ud800", "x".repeat(65), "e\u0301".repeat(1000), "a\u200b"])(
    "%j is none, and the error says why",
    (name) => {
      expect(() => checkName(name)).toThrow(
        expect.objectContaining({ code: "ERR_CLIENT_NAME_INVALID", detail: { reason: expect.any(String) as unknown } }),
      );
    },
  );

  test("names are compared in their normal form and each counts once", () => {
    expect(checkUsers(["e\u0301", "\u00e9", "B"])).toEqual(["\u00e9", "b"]);
    expect(checkUsers("Bob")).toEqual(["bob"]);
  });

  test("anything but strings is a TypeError", () => {
    for (const nonsense of [undefined, 7, {}, [7], null])
      expect(() => checkUsers(nonsense as never)).toThrow(TypeError);
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
