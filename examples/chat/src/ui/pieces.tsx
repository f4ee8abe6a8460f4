/** Small pieces that several screens share. */
import type { ComponentChildren, JSX } from "preact";
import type { Phrase } from "../wording.ts";

/** A sentence whose names cannot rearrange the text around them, whatever characters they have. */
export function PhraseText({ phrase }: { readonly phrase: Phrase }): JSX.Element {
  return <>{phrase.map((part) => (typeof part === "string" ? part : <bdi>{part.name}</bdi>))}</>;
}

/** First letter of a name on the name's colour: decoration beside the name. */
export function Avatar({ name, large = false }: { readonly name: string; readonly large?: boolean }): JSX.Element {
  // Invisible characters that steer direction are no letters.
  const [first = "?"] = Array.from(name.replace(/[\p{Cf}\s]/gu, ""));
  return (
    <span class={`avatar hue-${hueOf(name)} ${large ? "large" : ""}`} aria-hidden="true">
      {first.toUpperCase()}
    </span>
  );
}

/** A message under a field or in a form that says what is wrong. */
export function Problem({ id, children }: { readonly id?: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <p class="problem" role="alert" id={id}>
      {children}
    </p>
  );
}

/** Something is being worked on; the words beside it say what. */
export function Spinner(): JSX.Element {
  return <span class="spinner" aria-hidden="true" />;
}

/** How many colours there are (`tokens.css`). */
const hues = 24;

/** One of the colours, the same for a name everywhere. FNV-1a: names that differ little get colours that differ. */
function hueOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return ((hash ^ (hash >>> 15)) >>> 0) % hues;
}
