/** Clients as keys of maps. */
import type { ClientId } from "../contract.ts";

/** Equal exactly for equal clients: a device id has a fixed length. */
export const clientKey = ({ user, device }: ClientId): string => device + user;

/** Byte strings as keys of maps: equal exactly if the bytes are. */
export function bytesKey(bytes: Uint8Array): string {
  let key = "";
  for (const byte of bytes) key += String.fromCharCode(byte);
  return key;
}
