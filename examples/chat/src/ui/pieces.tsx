/** Small pieces that several screens share. */
import type { ComponentChildren, JSX } from "preact";
import { Hues } from "../hues.ts";
import type { Phrase } from "../wording.ts";

/** Of people, and of groups, which are shown larger. */
const [people, groups] = [new Hues(), new Hues()];

/** A sentence whose names cannot rearrange the text around them, whatever characters they have. */
export function PhraseText({ phrase }: { readonly phrase: Phrase }): JSX.Element {
  return <>{phrase.map((part) => (typeof part === "string" ? part : <bdi>{part.name}</bdi>))}</>;
}

/** First letter of a name on the name's colour: decoration beside the name. `large`: of a group. */
export function Avatar({ name, large = false }: { readonly name: string; readonly large?: boolean }): JSX.Element {
  // Invisible characters that steer direction are no letters.
  const [first = "?"] = Array.from(name.replace(/[\p{Cf}\s]/gu, ""));
  return (
    <span class={`avatar hue-${(large ? groups : people).of(name)} ${large ? "large" : ""}`} aria-hidden="true">
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
