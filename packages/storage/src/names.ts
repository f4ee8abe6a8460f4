/** What may be a name, for every store alike. */

/** Longest name of a partition, record or lock, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 512;

/**
 * Refuses what is not 1 to 512 code units of well-formed Unicode without U+0000. Lone surrogates have no UTF-8
 * encoding, so two names could share one authenticated form; without U+0000, `name + "\0"` is a bound that no name meets.
 */
export function assertName(name: unknown, what: string): asserts name is string {
  if (typeof name !== "string") throw new TypeError(`${what} must be a string`);
  if (name.length === 0 || name.length > MAX_NAME_LENGTH) {
    throw new RangeError(`${what} must have 1 to ${MAX_NAME_LENGTH} code units, not ${name.length}`);
  }
  if (name.includes("\0")) throw new TypeError(`${what} contains U+0000`);
  if (/\p{Surrogate}/u.test(name)) throw new TypeError(`${what} contains a lone surrogate`);
}

/** Orders names by UTF-16 code units, as `<` and IndexedDB do. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
