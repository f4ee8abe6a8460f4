/** What a user may be called. */

const MAX_NAME_CHARACTERS = 64;

/** UTF-8 bytes that the longest name needs. */
export const MAX_NAME_BYTES: number = MAX_NAME_CHARACTERS * 4;

/**
 * Whether `name` can be registered: 1 to 64 characters (code points), in Unicode normalisation form C, so that names
 * that look alike by composition are equal; no control characters, line separators or lone surrogates; no white space
 * at either end.
 */
export function isValidName(name: string): boolean {
  const length = Array.from(name.slice(0, MAX_NAME_CHARACTERS * 2 + 1)).length;
  return (
    length >= 1 &&
    length <= MAX_NAME_CHARACTERS &&
    !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name) &&
    name.trim() === name &&
    name.normalize("NFC") === name
  );
}
