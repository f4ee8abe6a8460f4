/**
 * The one region of memory that the caller writes to and reads from.
 *
 * Input starts at `ARENA`. Output ends there, so that input and output are one range that the caller erases with one
 * fill. Nothing is ever allocated: every function checks that what it was told to read and write lies inside, before it
 * touches anything, and traps when it does not.
 */

/** Bytes of input. */
export const CAPACITY: u32 = 131072;
/** Bytes of output: the longest that HKDF-Expand may give, 255 · 64. */
export const OUTPUT: u32 = 16320;

const REGION = memory.data(147456, 16);

/** Where input starts. */
export const ARENA: usize = REGION + 16384;

/** Traps unless `length` bytes of input fit. Takes 64 bits, so that a sum of lengths cannot wrap. */
export function checkInput(length: u64): void {
  if (length > CAPACITY) unreachable();
}
