/** Byte strings as keys of maps. */

/** The bytes as a string of the same length: equal exactly if the bytes are. */
export function toKey(bytes: Uint8Array): string {
  let key = "";
  for (const byte of bytes) key += String.fromCharCode(byte);
  return key;
}
