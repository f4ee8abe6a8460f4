/**
 * Names of users and titles of groups.
 *
 * A name is a userpart by the PRECIS profile `UsernameCaseMapped` (RFC 8265 §3.3), narrowed by UTS #39: see `name-rules.ts`, and
 * README.md for the whole profile.
 */
import { utf8, type CoppiceError } from "@coppice/core";
import { deliveryError } from "./errors.ts";
import { characterFault, compositionFault, isPlain, widthMapped, type NameFault } from "./name-rules.ts";

export type { NameFault };

/** Code points of the longest name. */
const MAX_NAME_CHARACTERS = 64;

/** UTF-8 bytes of the longest name. */
export const MAX_NAME_BYTES: number = MAX_NAME_CHARACTERS * 4;

/** UTF-8 bytes of the longest title. */
const MAX_TITLE_BYTES = 128;

/** Most rounds until mapping settles (RFC 8264 §7). */
const MAX_ROUNDS = 4;

/** UTF-16 units of the longest input that is looked at: composing leaves fewer. */
const longestInput = (units: number): number => units * 4;

const WORDS: Readonly<Record<NameFault, string>> = {
  empty: "A name has at least one character",
  "too-long": `A name has at most ${MAX_NAME_CHARACTERS} characters`,
  malformed: "A name is well-formed Unicode",
  control: "A name has no control characters",
  space: "A name has no spaces",
  invisible: "A name has no characters that cannot be seen",
  character: "A name has letters, digits and the signs of ASCII only",
  script: "A name uses scripts that are in wide use",
  "mixed-scripts": "A name uses one script, or Latin with those of Chinese, Japanese or Korean",
  "mixed-digits": "A name uses digits of one kind",
  marks: "A name does not begin with a mark, repeat one at once, or heap up more than four",
  context: "A name has this sign only where its language puts it",
  direction: "A name that is read from right to left begins and ends with what is read so",
  signs: "A name has at least one letter or digit",
};

/**
 * The form in which a name is registered, compared, signed and sent: width, case and composition do not count.
 * `ERR_DS_NAME_INVALID` with `detail.reason`, a `NameFault`; `TypeError` for anything but a string.
 *
 * @example
 * ```ts run
 * import { normalName } from "@coppice/delivery/contract";
 *
 * console.assert(normalName("ALICE") === "alice");
 * ```
 */
export function normalName(input: string): string {
  if (typeof input !== "string") throw new TypeError("A name is a string");
  const examined = examine(input);
  if ("fault" in examined) throw invalid(examined.fault);
  return examined.name;
}

/**
 * Whether `name` is a name in its normal form.
 *
 * @example
 * ```ts run
 * import { isNormalName } from "@coppice/delivery/contract";
 *
 * console.assert(isNormalName("alice") && !isNormalName("Alice"));
 * ```
 */
export function isNormalName(name: string): boolean {
  const examined = examine(name);
  return "name" in examined && examined.name === name;
}

/**
 * A title in Unicode NFC. `ERR_DS_TOO_LARGE` over 128 bytes of UTF-8; `TypeError` for anything but a string, and for one that
 * does not come out of UTF-8, padded with zeros, as it went in: half a surrogate pair, or U+0000 at its end.
 *
 * @example
 * ```ts run
 * import { normalTitle } from "@coppice/delivery/contract";
 *
 * console.assert(normalTitle("Cafe\u0301") === "Café");
 * ```
 */
export function normalTitle(title: string): string {
  if (typeof title !== "string") throw new TypeError("A title is a string");
  if (title.length <= longestInput(MAX_TITLE_BYTES)) {
    if (/\p{Cs}/u.test(title)) throw new TypeError("A title is well-formed Unicode, without half a character");
    if (title.endsWith("\0")) throw new TypeError("A title does not end in a null character");
    const normal = title.normalize("NFC");
    if (utf8(normal).length <= MAX_TITLE_BYTES) return normal;
  }
  throw deliveryError("ERR_DS_TOO_LARGE", `A title has at most ${MAX_TITLE_BYTES} bytes of UTF-8`);
}

const invalid = (reason: NameFault): CoppiceError =>
  deliveryError("ERR_DS_NAME_INVALID", WORDS[reason], { detail: { reason } });

type Examined = { readonly name: string } | { readonly fault: NameFault };

function examine(input: string): Examined {
  if (input.length > longestInput(MAX_NAME_CHARACTERS)) return { fault: "too-long" };
  const mapped = mapUntilSettled(input);
  if ("fault" in mapped) return mapped;
  const fault = faultOf(mapped.name);
  return fault === undefined ? mapped : { fault };
}

/** The rules of preparation and enforcement (RFC 8265 §3.3.2, §3.3.3), repeated as RFC 8264 §7 advises. */
function mapUntilSettled(input: string): Examined {
  let name = input;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const prepared = widthMapped(name);
    const fault = characterFault(prepared);
    if (fault !== undefined) return { fault };
    const enforced = prepared.toLowerCase().normalize("NFC");
    if (enforced === name) return { name };
    name = enforced;
  }
  return { fault: "character" };
}

function faultOf(name: string): NameFault | undefined {
  if (name === "") return "empty";
  if (Array.from(name).length > MAX_NAME_CHARACTERS) return "too-long";
  if (!isPlain(name)) return compositionFault(name);
  return /[a-z0-9]/.test(name) ? undefined : "signs";
}
