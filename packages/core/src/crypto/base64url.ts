/** Base64url without padding (RFC 7515), for keys in JWKs. */
import type { Bytes } from "../codec/bytes.ts";

export function toBase64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** `TypeError` for a missing field: WebCrypto leaves out what a key does not have. */
export function fromBase64url(text: string | undefined): Bytes {
  if (text === undefined) throw new TypeError("The JWK lacks a field");
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
