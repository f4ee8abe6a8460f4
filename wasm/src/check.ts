/** Guards for callers without types. */

/**
 * Throws unless `value` is a Uint8Array, of this realm or another.
 *
 * Copying anything else into the kernel would not fail but turn it into zeros: a string, for example.
 *
 * @throws TypeError
 */
export function checkBytes(value: Uint8Array, name: string): void {
  if (value instanceof Uint8Array || Object.prototype.toString.call(value) === "[object Uint8Array]") return;
  throw new TypeError(`${name} must be a Uint8Array`);
}
