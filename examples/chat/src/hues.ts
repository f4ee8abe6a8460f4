/** Colours of avatars: one of a few for each name, and different ones for as many names as there are colours. */

/** How many colours there are (`tokens.css`). */
export const HUES = 24;

/** Apart on the wheel, and every colour is reached (7 and 24 have no common factor). */
const STEP = 7;

export class Hues {
  readonly #names = new Map<number, string>();

  /**
   * The colour that the name's hash gives, unless another name that was shown before has it: then the next that is free. Names share
   * colours once all are taken.
   */
  of(name: string): number {
    const preferred = hash(name) % HUES;
    for (let tried = 0; tried < HUES; tried++) {
      const hue = (preferred + tried * STEP) % HUES;
      const taken = this.#names.get(hue);
      if (taken === undefined) this.#names.set(hue, name);
      if (taken === undefined || taken === name) return hue;
    }
    return preferred;
  }
}

/** FNV-1a: names that differ little get numbers that differ. */
function hash(name: string): number {
  let mixed = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) {
    mixed = Math.imul(mixed ^ name.charCodeAt(index), 0x01000193);
  }
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
