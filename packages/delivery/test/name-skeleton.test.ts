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
