import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { cleanName, problemWithName } from "../limits.ts";
import { useFocusOnMount } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Problem, Spinner } from "./pieces.tsx";
import { ThemeToggle } from "./theme-toggle.tsx";

interface SignInProps {
  readonly initialName: string;
  readonly opening: boolean;
  /** Why the last attempt failed, in words. */
  readonly problem: string | undefined;
  readonly onSignIn: (name: string) => void;
}

export function SignIn({ initialName, opening, problem, onSignIn }: SignInProps): JSX.Element {
  const [name, setName] = useState(initialName);
  const [nameProblem, setNameProblem] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  useFocusOnMount(field);
  // Words about an earlier attempt would contradict the newer one.
  useEffect(() => {
    if (problem !== undefined) setNameProblem(undefined);
  }, [problem]);

  const submit = (event: Event): void => {
    event.preventDefault();
    const clean = cleanName(name);
    const found = problemWithName(clean);
    setNameProblem(found);
    if (found === undefined) onSignIn(clean);
    else field.current?.focus();
  };

  const shown = nameProblem ?? problem;
  return (
    <main class="sign-in">
      <ThemeToggle />
      <form class="card" onSubmit={submit} noValidate aria-busy={opening}>
        <span class="brand-mark">
          <Icon name="leaf" />
        </span>
        <h1>Coppice chat</h1>
        <p class="lead">Group chat that only its members can read.</p>
        <label class="field">
          <span>Your name</span>
          <input
            ref={field}
            type="text"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            value={name}
            readOnly={opening}
            aria-invalid={shown !== undefined}
            aria-describedby="sign-in-problem sign-in-help"
            onInput={(event) => {
              setName(event.currentTarget.value);
            }}
          />
        </label>
        {shown !== undefined && <Problem id="sign-in-problem">{shown}</Problem>}
        <button type="submit" class="button primary wide" aria-disabled={opening}>
          {opening && <Spinner />}
          {opening ? "Opening…" : "Sign in"}
        </button>
        <p class="help" id="sign-in-help">
          There is no password. Your keys are made in this browser and never leave it, so the name belongs to this
          browser from the first time you use it.
        </p>
      </form>
    </main>
  );
}
