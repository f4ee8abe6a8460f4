/**
 * What a name may be made of: the IdentifierClass of PRECIS (RFC 8264 §4.2) without CONTEXTJ, the Bidi Rule (RFC 5893 §2), and of
 * UTS #39 the highly restrictive level (§5.2), mixed digits (§5.3) and marks (§5.4), over the scripts that UAX #31 recommends.
 *
 * Members of a group judge each other's names, so all engines must judge alike. What is used here of an engine's Unicode
 * tables is the same since Unicode 15.0, which every supported engine has, for the code points that were assigned then; later
 * ones are refused. That is why a script here is a character's `Script`, with the few shared ones that matter named below: its
 * `Script_Extensions` do change.
 */

/** Why something is no name: `detail.reason` of `ERR_DS_NAME_INVALID`. */
export type NameFault =
  | "empty"
  | "too-long" // over 64 code points
  | "malformed" // half a surrogate pair
  | "control"
  | "space"
  | "invisible" // default-ignorable or format characters
  | "character" // neither letter, digit nor mark, nor ASCII; or one that stands for another
  | "script" // not one of those recommended
  | "mixed-scripts"
  | "mixed-digits"
  | "marks" // a mark at the beginning, twice, or too many
  | "context" // a sign that is allowed elsewhere only
  | "direction" // the Bidi Rule
  | "signs"; // neither letter nor digit in it

/** Whether there is nothing but visible ASCII. */
export function isPlain(text: string): boolean {
  return /^[!-~]*$/.test(text);
}

/** Full-width and half-width forms become what they are forms of (RFC 8265 §3.3.2). */
export function widthMapped(text: string): string {
  return text.replaceAll(/[\u3000\uff01-\uffee]/g, (form) => form.normalize("NFKC"));
}

/** Valid though neither letter nor digit: ASCII, exceptions (RFC 8264 §9.6), and those that `contextFault` looks at. */
const VALID = /[!-~\u00b7\u0375\u05f3\u05f4\u06fd\u06fe\u0f0b\u3007\u30fb]/;

/** Not valid though letters or marks: exceptions (RFC 8264 §9.6) and conjoining Hangul (§9.9). */
const INVALID = /[\u302e\u302f\u0640\u07fa\u3031-\u3035\u303b\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]/;

/** Of the recommended scripts, in the Basic Multilingual Plane, assigned after Unicode 15.0. */
const YOUNGER = /[\u0897\u088f\u0c5c\u0cdc\u1c89\u1c8a\ua7cb-\ua7cf\ua7d2\ua7d4\ua7da-\ua7dc\ua7f1]/;

/** The extensions of Han as of Unicode 15.0: what is used beyond the Basic Multilingual Plane. */
const HAN_EXTENSION =
  /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b739}\u{2b740}-\u{2b81d}\u{2b820}-\u{2cea1}\u{2ceb0}-\u{2ebe0}\u{30000}-\u{3134a}\u{31350}-\u{323af}]/u;

/** The first character that no name has, by the kind of it. */
export function characterFault(text: string): NameFault | undefined {
  if (isPlain(text)) return undefined;
  for (const character of text) {
    const fault = faultOfCharacter(character);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOfCharacter(character: string): NameFault | undefined {
  if (/\p{Cs}/u.test(character)) return "malformed";
  if (/\p{Cc}/u.test(character)) return "control";
  if (/\p{Z}/u.test(character)) return "space";
  if (/[\p{Default_Ignorable_Code_Point}\p{Cf}]/u.test(character)) return "invisible";
  if (VALID.test(character)) return undefined;
  const isLetterOrDigit = /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u.test(character);
  if (!isLetterOrDigit || INVALID.test(character) || YOUNGER.test(character)) return "character";
  // A compatibility character (RFC 8264 §9.17): it looks like what it stands for.
  if (character.normalize("NFKC") !== character) return "character";
  return character.length > 1 && !HAN_EXTENSION.test(character) ? "script" : undefined;
}

/** What is wrong with a name, other than ASCII, whose characters are valid each by itself. */
export function compositionFault(name: string): NameFault | undefined {
  // A letter that has no small form yet might get one.
  if (/\p{Lu}/u.test(name)) return "character";
  if (!/[\p{L}\p{N}]/u.test(name)) return "signs";
  return scriptFault(name) ?? digitFault(name) ?? markFault(name) ?? contextFault(name) ?? directionFault(name);
}

/** The scripts recommended by UAX #31, table 5, each with characters that it shares with others. */
const SCRIPTS = {
  Latn: "\\u00b7\\u02b9-\\u02c1",
  Arab: "\\u064b-\\u0655\\u0670",
  Armn: "",
  Beng: "",
  Bopo: "\\u02c7\\u02c9-\\u02cb",
  Cyrl: "",
  Deva: "",
  Ethi: "",
  Geor: "",
  Grek: "",
  Gujr: "",
  Guru: "",
  Hang: "",
  Hani: "\\u3006",
  Hebr: "",
  Hira: "\\u3099\\u309a\\u30fb\\u30fc",
  Kana: "\\u3099\\u309a\\u30fb\\u30fc",
  Khmr: "",
  Knda: "",
  Laoo: "",
  Mlym: "",
  Mymr: "",
  Orya: "",
  Sinh: "",
  Taml: "",
  Telu: "",
  Thaa: "\\u0660-\\u0669",
  Thai: "",
  Tibt: "",
} as const;

type Script = keyof typeof SCRIPTS;

const ALL = Object.keys(SCRIPTS) as Script[];

/** Characters of some scripts and what every script may have: ASCII without its letters, and combining marks. */
const onlyOf = (scripts: readonly Script[]): RegExp =>
  new RegExp(
    `^[!-@[-\`{-~\\u02bc\\u0300-\\u036f${scripts.map((name) => `\\p{Script=${name}}${SCRIPTS[name]}`).join("")}]*$`,
    "u",
  );

/** One script, or a combination that UTS #39 counts as highly restrictive. */
const ALLOWED: readonly RegExp[] = [
  ...ALL.map((script) => onlyOf([script])),
  onlyOf(["Latn", "Hani", "Hira", "Kana"]),
  onlyOf(["Latn", "Hani", "Bopo"]),
  onlyOf(["Latn", "Hani", "Hang"]),
];

const RECOMMENDED = onlyOf(ALL);

function scriptFault(name: string): NameFault | undefined {
  if (ALLOWED.some((scripts) => scripts.test(name))) return undefined;
  return RECOMMENDED.test(name) ? "mixed-scripts" : "script";
}

function digitFault(name: string): NameFault | undefined {
  const kinds = [/[0-9]/, /[\u0660-\u0669]/, /[\u06f0-\u06f9]/, /(?![0-9\u0660-\u0669\u06f0-\u06f9])\p{Nd}/u];
  return kinds.filter((kind) => kind.test(name)).length > 1 ? "mixed-digits" : undefined;
}

function markFault(name: string): NameFault | undefined {
  return /^\p{M}|(\p{Mn})\1|\p{Mn}{5}/u.test(name.normalize("NFD")) ? "marks" : undefined;
}

/** CONTEXTO (RFC 5892, appendix A): the middle dot of Catalan, keraia, geresh and gershayim, the middle dot of Katakana. */
function contextFault(name: string): NameFault | undefined {
  const isOutOfPlace = /(?<!l)\u00b7|\u00b7(?!l)|\u0375(?!\p{Script=Greek})|(?<!\p{Script=Hebrew})[\u05f3\u05f4]/u;
  const isAlone = /\u30fb/.test(name) && !/[\p{Script=Hira}\p{Script=Kana}\p{Script=Hani}]/u.test(name);
  return isOutOfPlace.test(name) || isAlone ? "context" : undefined;
}

/** Of the recommended scripts, what is read from right to left, without digits. */
const RIGHT = "(?:[\\u05f3\\u05f4\\u06fd\\u06fe]|(?=\\p{L})[\\p{Script=Arab}\\p{Script=Hebr}\\p{Script=Thaa}])";
const READ_FROM_RIGHT = new RegExp(`${RIGHT}|[\\u0660-\\u0669]`, "u");
const BIDI_RULE = new RegExp(
  `^(?=${RIGHT})(?:${RIGHT}|[!-@[-\`{-~\\p{Nd}\\p{Mn}])*(?<=${RIGHT}|\\p{Nd})\\p{Mn}*$`,
  "u",
);

/** The Bidi Rule (RFC 5893 §2), where it applies. Its fourth condition is `digitFault`'s. */
function directionFault(name: string): NameFault | undefined {
  return READ_FROM_RIGHT.test(name) && !BIDI_RULE.test(name) ? "direction" : undefined;
}
