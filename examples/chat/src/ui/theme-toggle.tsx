import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { theme, type Theme } from "../preferences.ts";
import { Icon } from "./icons.tsx";

const next: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

/** Goes round: as the device, light, dark. */
export function ThemeToggle(): JSX.Element {
  const [current, setCurrent] = useState(theme.current);
  return (
    <button
      type="button"
      class="icon-button theme-toggle"
      aria-label={`Theme: ${current}`}
      title={`Theme: ${current}`}
      onClick={() => {
        theme.set(next[current]);
        setCurrent(next[current]);
      }}
    >
      <Icon name={current} />
    </button>
  );
}
