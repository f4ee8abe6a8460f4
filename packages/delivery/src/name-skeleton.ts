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
 * Differs from UTS #39 §4 in that prototypes are in small letters, as names are (a zero looks like an o), and that
 * a dot above i or j does not count.
 */
export function nameSkeleton(name: string): string {
  const table = (prototypes ??= readTable());
  const alike = Array.from(name.normalize("NFD"), (character) => table.get(character) ?? character);
  return alike
    .join("")
    .replaceAll(/([ij])\u0307/g, "$1")
    .normalize("NFD");
}
