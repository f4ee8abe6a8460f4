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
  if (text === undefined) throw new TypeError("the JWK lacks a field");
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
