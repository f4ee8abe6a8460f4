/** A safety number as a picture: twelve tiles, one for each group of five digits, so that a glance compares much of it. */

/** One tile; every field is a digit of the group, so the picture holds the whole number. */
export interface Tile {
  /** Colour of the ground, 0-9. */
  readonly ground: number;
  /** Shape in the middle, 0-9. */
  readonly shape: number;
  /** Colour of the shape, 0-9. */
  readonly ink: number;
  /** Where the dot sits on its circle, in tenths of a turn, 0-9. */
  readonly dotAt: number;
  /** Colour of the dot, 0-9. */
  readonly dotInk: number;
}

/** The groups of a safety number: 60 digits in twelve groups of five, however they are separated. */
export function groupsOf(safetyNumber: string): readonly string[] {
  return safetyNumber.replace(/\D/gu, "").match(/\d{5}/gu) ?? [];
}

/** The tiles of a safety number, in the order of its groups. */
export function tilesOf(safetyNumber: string): readonly Tile[] {
  return groupsOf(safetyNumber).map((group) => {
    const [ground = 0, shape = 0, ink = 0, dotAt = 0, dotInk = 0] = Array.from(group, Number);
    return { ground, shape, ink, dotAt, dotInk };
  });
}

/** Ten shapes that differ in outline, not only in detail: SVG paths in a square of 24 around the origin. */
export const shapes: readonly string[] = [
  "M0-7a7 7 0 1 0 0 14a7 7 0 1 0 0-14z", // disc
  "M-6-6h12v12h-12z", // square
  "M0-8L8 0L0 8L-8 0z", // diamond
  "M0-7.5L7.5 6h-15z", // triangle up
  "M0 7.5L7.5-6h-15z", // triangle down
  "M-2.5-7.5h5v5h5v5h-5v5h-5v-5h-5v-5h5z", // plus
  "M0-8a8 8 0 1 0 0 16a8 8 0 1 0 0-16zM0-4a4 4 0 1 1 0 8a4 4 0 1 1 0-8z", // ring
  "M-7.5-6.5h15v4.5h-15zM-7.5 2h15v4.5h-15z", // two bars
  "M-8 4a8 8 0 0 1 16 0z", // half disc
  "M0-8.5l2.2 5.6l6 .4l-4.6 3.9l1.5 5.8l-5.1-3.2l-5.1 3.2l1.5-5.8l-4.6-3.9l6-.4z", // star
];

/** Centre of a tile's dot, around the origin. */
export function dotPosition(dotAt: number): { readonly x: string; readonly y: string } {
  const angle = (dotAt / 10) * 2 * Math.PI - Math.PI / 2;
  return { x: (10 * Math.cos(angle)).toFixed(2), y: (10 * Math.sin(angle)).toFixed(2) };
}
