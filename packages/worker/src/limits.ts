/** Bounds on what crosses the boundary. What the engine allows is below most of them. */

/** UTF-16 code units of any text. */
export const MAX_TEXT: number = 1 << 20;
/** Items of any list. */
export const MAX_LIST: number = 1 << 20;
/** Bytes of any value. */
export const MAX_BYTES: number = 1 << 24;
/** Bytes of a piece of a file. */
export const MAX_PIECE: number = 1 << 18;
/** From this size on a buffer is moved instead of copied. */
export const TRANSFER_BYTES: number = 4096;
/** Most events of one batch, and bytes from which on it is full: what the main thread handles at once. */
export const BATCH_EVENTS: number = 64;
export const BATCH_BYTES: number = 256 * 1024;
/** Calls of one page that may wait at once. */
export const MAX_CALLS: number = 8_192;
