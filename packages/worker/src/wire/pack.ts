/** Bytes on their way through postMessage. */

/** From this size a buffer is moved instead of copied. */
export const TRANSFER_BYTES: number = 4096;

/**
 * A copy that is safe to post: cloning a view would clone the whole buffer below it, and moving it would take the
 * buffer from its owner. From `TRANSFER_BYTES` on, the copy's buffer is added to `transfer`.
 */
export function packBytes(bytes: Uint8Array, transfer: Transferable[]): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  if (copy.length >= TRANSFER_BYTES) transfer.push(copy.buffer);
  return copy;
}
