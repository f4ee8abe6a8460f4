/** Names that look alike. */
import { describe, expect, test } from "vitest";
import { isNormalName, normalName } from "@coppice/delivery/contract";
import unhomoglyph from "unhomoglyph/data.json" with { type: "json" };
import { CONFUSABLES } from "../src/confusables.ts";
import { nameSkeleton } from "../src/name-skeleton.ts";

const skeleton = (name: string): string => nameSkeleton(normalName(name));

describe("skeletons", () => {
  test.each([
    ["alice", "ALICE"],
    ["scope", "\u0455\u0441\u043e\u0440\u0435"], // Cyrillic
    ["peco", "\u0440\u0435\u0441\u043e"],
    ["vo", "\u03bd\u03bf"], // Greek
    ["uno", "\u057d\u0578\u0585"], // Armenian
    ["\u03bf\u03c1", "\u043e\u0440"], // Greek and Cyrillic
    ["bob", "b0b"],
    ["bill", "bi11"],
    ["bill", "bi||"],
    ["mary", "rnary"],
    ["istanbul", "\u0130stanbul"],
    ["\u0131x", "ix"],
    ["th\u1ecb", "th\u1ecb\u0307"], // a dot that is drawn once, whatever mark stands below
    ["m\u012fa", "m\u012f\u0307a"],
    ["\u00ed", "\u00ed\u0307"],
    ["b\u0268", "b\u0268\u0307"],
    ["b\u0249", "b\u0249\u0307"],
    ["\u1e2d", "\u1e2d\u0307"],
    ["\u0456\u0432\u0430\u043d", "\u0456\u0307\u0432\u0430\u043d"],
    ["jo", "\u0237o"],
    ["jo", "\u0237\u0307o"],
    ["\u0249o", "\u025f\u0307o"],
    ["ivy", "l\u0307vy"],
    ["ivy", "1\u0307vy"],
    ["\u1ecbvy", "\u1e37\u0307vy"],
    ["b\u0268", "b\u019a\u0307"],
    ["o'brien", "o\u02bcbrien"],
    ["a\u0301", "\u00e1"],
    ["\u00e7a", "c\u0326a"],
    ["\u5de5", "\u30a8"], // Han and Katakana
    ["\u0643", "\u06a9"], // Arabic and Persian kaf
    ["\u0628\u0667", "\u0628\u06f7"], // the digit 7 of both
  ])("of %s and %s are the same", (name, other) => {
    expect(skeleton(name)).toBe(skeleton(other));
  });

  test.each([
    ["alice", "alicia"],
    ["bob", "bop"],
    ["anna", "\u00e1nna"],
    ["\u0430\u043d\u043d\u0430", "anna"], // a Cyrillic н is no n
    ["\u5c71\u7530", "\u5c71\u672c"],
    ["a-b", "a_b"],
    ["ivy", "lvy"],
    ["\u1ecbvy", "ivy"],
    ["\u1e37vy", "lvy"],
    ["\u017cak", "zak"],
  ])("of %s and %s differ", (name, other) => {
    expect(skeleton(name)).not.toBe(skeleton(other));
  });

  test("are made of those characters of confusables.txt that names may have", () => {
    const prototypes: Readonly<Record<string, string>> = unhomoglyph;
    const prototypeOf = (text: string): string =>
      Array.from(text, (character) => prototypes[character] ?? character).join("");
    const isInNames = (character: string): boolean =>
      ["", "a", "ب", "か"].some((before) => isNormalName(before + character));
    const expected = new Map<string, string>();
    for (const character of Object.keys(prototypes)) {
      if (Array.from(character).length !== 1 || character.normalize("NFD") !== character) continue;
      if (!isInNames(character)) continue;
      let alike = character;
      for (let i = 0; i < 4; i++) alike = prototypeOf(alike).toLowerCase().normalize("NFD");
      if (alike !== character) expected.set(character, alike);
    }
    const table = new Map<string, string>();
    const words = CONFUSABLES.split(" ");
    words.forEach((word, at) => {
      if (at % 2 === 1) for (const character of word) table.set(character, words[at - 1] ?? "");
    });
    expect(table).toEqual(expected);
    expect(table.size).toBeGreaterThan(600);
  });
});
