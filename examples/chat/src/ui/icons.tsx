import type { JSX } from "preact";

/** Drawings of the buttons: decoration, since every button has a name. */
const paths = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  details: "M12 11v6M12 7.5v.01M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0-17 0",
  plus: "M12 5v14M5 12h14",
  send: "M5 12h13M12.5 6.5L18 12l-5.5 5.5",
  down: "M12 5v13M6.5 12.5L12 18l5.5-5.5",
  light:
    "M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  dark: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
  system: "M4 5.5h16v10.5H4zM9 20h6M12 16v4",
  sent: "M5 12.5l4.5 4.5L19 7.5",
  leaf: "M7 20h10M12 20v-8M12 14.5c-4 0-6-2-6-6 4 0 6 2 6 6zM12 12c0-4.5 2.2-7 7-7 0 4.8-2.5 7-7 7z",
} as const;

export function Icon({ name }: { readonly name: keyof typeof paths }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
