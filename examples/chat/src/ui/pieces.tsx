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

/** One of ten colours, the same for a name everywhere. */
function hueOf(name: string): number {
  let hash = 7;
  for (let index = 0; index < name.length; index++) hash = (hash * 31 + name.charCodeAt(index)) % 1_000_003;
  return hash % 10;
}
