/**
 * Bytes from text that servers compress well; `build.mjs` writes it. A byte is the same one or two characters wherever it
 * stands, so that what repeats in the bytes repeats in the text: under gzip the kernel takes a quarter less than in base64,
 * whose characters straddle bytes. The characters are the 90 of ASCII from `#` to `~` without `<` and the backslash: nothing
 * in a string literal needs escaping, and nothing ends a script element.
 */

/** Bytes below this are one character. The characters from here on come before another one, for the bytes that are left. */
const SINGLE = 88;
const CHARACTERS = 90;

/** Position among the 90 characters. */
function indexOf(code: number): number {
  return code - 35 - (code > 60 ? 1 : 0) - (code > 92 ? 1 : 0);
}

export function decodeBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const index = indexOf(text.charCodeAt(i));
    bytes[length++] = index < SINGLE ? index : SINGLE + (index - SINGLE) * CHARACTERS + indexOf(text.charCodeAt(++i));
  }
  return bytes.slice(0, length);
}
