/** Guards for callers without types. */

/**
 * Throws unless `value` is a Uint8Array, of this realm or another, and has `length` bytes if one is given.
 *
 * Copying anything else into the kernel would not fail but turn it into zeros: a string, for example.
 *
 * @throws TypeError RangeError
 */
export function checkBytes(value: Uint8Array, name: string, length?: number): void {
  if (!(value instanceof Uint8Array) && Object.prototype.toString.call(value) !== "[object Uint8Array]") {
    throw new TypeError(`${name} must be a Uint8Array`);
  }
  if (length !== undefined && value.length !== length)
    throw new RangeError(`the ${name} must have ${length.toString()} bytes`);
}

/**
 * Throws unless `value` is an integer from `low` to `high`.
 *
 * @throws RangeError
 */
export function checkRange(value: number, low: number, high: number, name: string): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new RangeError(`${name} must be an integer from ${low.toString()} to ${high.toString()}`);
}

/**
 * Throws unless HKDF-Expand gives `length` bytes.
 *
 * @throws RangeError
 */
export function checkLength(length: number, Nh: number): void {
  if (!Number.isInteger(length) || length < 0 || length > 255 * Nh) {
    throw new RangeError(`length must be an integer from 0 to ${(255 * Nh).toString()}`);
  }
}

/**
 * Throws unless `value` is a string.
 *
 * @throws TypeError
 */
export function checkText(value: unknown, name: string): void {
  if (typeof value !== "string") throw new TypeError(`${name} must be a string`);
}
