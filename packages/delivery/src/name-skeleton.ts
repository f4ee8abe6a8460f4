/** Names that look alike (UTS #39 §4). For those who register names: clients have no need of it. */
import { CONFUSABLES } from "./confusables.ts";

let prototypes: ReadonlyMap<string, string> | undefined;

function readTable(): ReadonlyMap<string, string> {
  const table = new Map<string, string>();
  const words = CONFUSABLES.split(" ");
  for (let at = 0; at + 1 < words.length; at += 2) {
    for (const character of words[at + 1] ?? "") table.set(character, words[at] ?? "");
  }
  return table;
}

/**
 * What is left of a name in normal form when characters that look alike are made one. Two names with the same skeleton
 * cannot both be registered. Nothing to be shown, and no name itself.
 *
 * Differs from UTS #39 §4 in that prototypes are in small letters, as names are (a zero looks like an o), and in dots above: on a
 * letter that has one of its own a second does not count, a j without its dot is a j, and an l with a dot is an i.
 */
export function nameSkeleton(name: string): string {
  const table = (prototypes ??= readTable());
  const alike = Array.from(name.normalize("NFD"), (character) => table.get(character) ?? character);
  return alike.join("").normalize("NFD").replaceAll(LETTER_WITH_MARKS, withoutDot);
}

/** A dot above may stand between other marks: where depends on their classes and on the order in which they were given. */
const LETTER_WITH_MARKS = /([\p{Soft_Dotted}l\u0237\u025f])(\p{M}*)/gu;

/** What letters without a dot look like with one; the table has dotless i. */
const DOTTED: Readonly<Record<string, string>> = { "\u0237": "j", "\u025f": "j\u0335" };

function withoutDot(_all: string, letter: string, marks: string): string {
  const others = marks.replaceAll("\u0307", "");
  if (letter === "l") return others === marks ? letter + marks : `i${others}`;
  return (DOTTED[letter] ?? letter) + others;
}
