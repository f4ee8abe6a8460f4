/** Names: the profile of README.md, case by case. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isNormalName, MAX_NAME_BYTES, type NameFault, normalName, normalTitle } from "@coppice/delivery/contract";

const invalid = (reason: NameFault): Error =>
  expect.objectContaining({ code: "ERR_DS_NAME_INVALID", detail: { reason } }) as Error;

describe("the normal form", () => {
  test.each([
    ["alice", "alice"],
    ["ALICE", "alice"],
    ["Zoe\u0308", "zo\u00eb"],
    ["Stra\u00dfe", "stra\u00dfe"],
    ["\uff21\uff4c\uff11", "al1"], // full width
    ["\uff76\uff9e", "\u30ac"], // half-width ka and its voicing
    ["\u0391\u03a3", "\u03b1\u03c2"], // final sigma
    ["o'Brien-Smith_3.b@c", "o'brien-smith_3.b@c"],
  ])("of %j is %j", (input, name) => {
    expect(normalName(input)).toBe(name);
    expect(isNormalName(name)).toBe(true);
    if (input !== name) expect(isNormalName(input)).toBe(false);
  });

  test.each([
    ...["алиса", "ελένη", "հայկ", "იოანე", "سلمى", "سلمى١", "شیرین", "שלום", "ז׳וז", "ޢަލީ"],
    ...["नमस्ते", "हिन्दी२", "বাংলা", "ਪੰਜਾਬ", "ગુજરાત", "ଓଡ଼ିଆ", "தமிழ்", "తెలుగు", "ಕನ್ನಡ", "മലയാളം", "සිංහල"],
    ...["ไทยแลนด์", "ລາວ", "བོད་ཡིག", "မြန်မာ", "ខ្មែរ", "አማርኛ"],
    ...["山田", "山田taro", "ひらがなとカタカナabc", "アー・ベー", "한국어abc漢字", "ㄅㄆㄇa漢", "二〇二六"],
    ...["col\u00b7lecci\u00f3", "\u02bbokina", "nguy\u1ec5n", "h\u0325"],
    ...["x".repeat(64), "漢".repeat(64), "\u{20000}".repeat(64)],
  ])("%s is a name", (name) => {
    const normal = normalName(name);
    expect(isNormalName(normal)).toBe(true);
    expect(new TextEncoder().encode(normal).length).toBeLessThanOrEqual(MAX_NAME_BYTES);
  });

  test("is the same of a normal form, whatever it was made of", () => {
    const scripts = [
      "abcxyzABC019._-'İßſ",
      "\u0430\u0431\u0412",
      "αβΣς",
      "שלא",
      "سلم١۲",
      "漢字かカ・ー",
      "한국",
      "\u0300\u0308\u0345",
    ];
    const unit = fc.oneof(
      ...scripts.map((characters) => fc.constantFrom(...Array.from(characters))),
      fc.string({ minLength: 1, maxLength: 1, unit: "binary" }),
      fc.integer({ min: 0xff01, max: 0xffee }).map((code) => String.fromCodePoint(code)),
    );
    const text = fc.oneof(
      fc.array(unit, { maxLength: 12 }).map((units) => units.join("")),
      ...scripts.map((characters) =>
        fc
          .array(fc.constantFrom(...Array.from(characters)), { minLength: 1, maxLength: 12 })
          .map((units) => units.join("")),
      ),
    );
    let names = 0;
    fc.assert(
      fc.property(text, (input) => {
        let name: string;
        try {
          name = normalName(input);
        } catch (error) {
          expect(error).toEqual(expect.objectContaining({ code: "ERR_DS_NAME_INVALID" }));
          expect(isNormalName(input)).toBe(false);
          return;
        }
        names++;
        expect(normalName(name)).toBe(name);
        expect(isNormalName(name)).toBe(true);
        expect(isNormalName(input)).toBe(name === input);
        expect(name.normalize("NFC")).toBe(name);
        expect(name).not.toMatch(/[\p{Lu}\p{Cf}\p{Default_Ignorable_Code_Point}]/u);
      }),
      { numRuns: 300 },
    );
    expect(names).toBeGreaterThan(30);
  });
});

describe("what is no name", () => {
  test.each<[NameFault, string[]]>([
    ["empty", [""]],
    ["too-long", ["x".repeat(65), "漢".repeat(65), "e\u0301".repeat(1000), "x".repeat(10_000_000)]],
    ["malformed", ["\ud800", "a\udc00b"]],
    ["control", ["a\u0000", "a\nb", "a\tb", "\u0085a"]],
    ["space", [" ", " a", "a ", "two words", "a\u00a0b", "a\u2028b", "a\u3000b"]],
    // Zero width, word joiner, soft hyphen, Hangul filler, bidi controls, joiners, variation selectors, tags.
    ["invisible", ["alice\u200b", "al\u2060ice", "al\u00adice", "alice\u3164", "alice\uffa0", "\ufeffalice"]],
    ["invisible", ["\u202ealice", "alice\u200e", "al\u2066ice\u2069", "al\u061cice", "al\u200dice", "al\u200cice"]],
    ["invisible", ["a\ufe0f", "a\u{e0041}", "a\u034f", "\u115fa", "\u180ea"]],
    ["character", ["\u{1f600}", "a\u2764", "alice\u2122", "\ufb01sh", "\u2160", "\u212b", "\u2800", "a\u2010b"]],
    ["character", ["\u0640", "\u1100\u1161", "\u{1d400}", "\ua7cb", "\u{10ffff}", "\ue000", "\u0378"]],
    ["script", ["\u13a0\u13a1", "\u{10400}a", "\u{1e900}", "\u2c80", "\ua000", "\u{16fe0}"]],
    [
      "mixed-scripts",
      ["\u0430lice", "alic\u0435", "\u03b1lice", "a\u0561", "αа", "かа", "한か", "aשלום", "สa", "a\u0660"],
    ],
    ["mixed-digits", ["سلام1١", "س١۱", "नम1२"]],
    ["marks", ["\u0301a", "a\u0301\u0301", "a\u0301\u0302\u0303\u0304\u0305", "\u093eक"]],
    ["context", ["a\u00b7b", "l\u00b7", "a\u30fb漢a".replace("漢", ""), "α\u0375", "\u05f3ש"]],
    ["direction", ["1שלום", "-שלום", "שלום-", "١سلام", "سلام.", "שלוםʼ"]],
    ["signs", [".", "..", "___", "@", "'\u0301"]],
  ])("%s", (fault, names) => {
    for (const name of names) {
      expect(() => normalName(name), JSON.stringify(name.slice(0, 40))).toThrow(invalid(fault));
      expect(isNormalName(name)).toBe(false);
    }
  });

  test("names that look like another are that one or are refused", () => {
    expect(normalName("ALICE")).toBe(normalName("alice"));
    for (const alike of [
      "alice\u200b",
      "alice\u2060",
      "ali\u00adce",
      "alice\u3164",
      "\u202aalice\u202c",
      "\u0430lice",
    ]) {
      expect(() => normalName(alike)).toThrow(expect.objectContaining({ code: "ERR_DS_NAME_INVALID" }) as Error);
    }
  });

  test("the error says why in words, and nothing of the name", () => {
    expect(() => normalName("mallory\u200b")).toThrow("A name has no characters that cannot be seen");
    expect(() => normalName("mallory\u200b")).not.toThrow(/mallory/);
  });

  test.each([undefined, null, 7, {}, ["a"]])("%j is a mistake of the caller", (value) => {
    expect(() => normalName(value as never)).toThrow(TypeError);
  });
});

describe("titles", () => {
  test("have at most 128 bytes, in NFC", () => {
    expect(normalTitle("")).toBe("");
    expect(normalTitle("e\u0301")).toBe("\u00e9");
    expect(normalTitle("\u00e9".repeat(64))).toHaveLength(64);
    expect(normalTitle("e\u0301".repeat(64))).toHaveLength(64);
    expect(normalTitle(" Lunch \u{1f35c}\u200d\n")).toBe(" Lunch \u{1f35c}\u200d\n");
    const tooLarge = expect.objectContaining({ code: "ERR_DS_TOO_LARGE" }) as Error;
    expect(() => normalTitle("\u00e9".repeat(65))).toThrow(tooLarge);
    expect(() => normalTitle("x".repeat(129))).toThrow(tooLarge);
    expect(() => normalTitle("x".repeat(10_000_000))).toThrow(tooLarge);
    expect(() => normalTitle(7 as never)).toThrow(TypeError);
  });

  test("are what their UTF-8 says, and a TypeError tells why others are none", () => {
    expect(normalTitle("\ufeffTeam")).toBe("\ufeffTeam");
    expect(normalTitle("a\0b")).toBe("a\0b");
    for (const half of ["Party \ud83c", "\udf55 Party", "\udf55\ud83c"])
      expect(() => normalTitle(half)).toThrow(
        new TypeError("A title is well-formed Unicode, without half a character"),
      );
    expect(() => normalTitle("x\0")).toThrow(new TypeError("A title does not end in a null character"));
  });
});
