/** ECDSA signatures: DER `SEQUENCE { INTEGER r, INTEGER s }` (RFC 3279 §2.2.3) to and from the fixed-length r ‖ s of WebCrypto. */

import { type Bytes, concat } from "../codec/bytes.ts";

function integer(unsigned: Uint8Array): Bytes {
  let start = 0;
  while (start < unsigned.length - 1 && unsigned[start] === 0) start++;
  const magnitude = unsigned.subarray(start);
  const padded = ((magnitude[0] ?? 0) & 0x80) === 0 ? magnitude : concat(Uint8Array.of(0), magnitude);
  return concat(Uint8Array.of(0x02, padded.length), padded);
}

/** `raw` is r ‖ s, each half its length. */
export function signatureToDer(raw: Uint8Array): Bytes {
  const half = raw.length / 2;
  const body = concat(integer(raw.subarray(0, half)), integer(raw.subarray(half)));
  return body.length < 0x80
    ? concat(Uint8Array.of(0x30, body.length), body)
    : concat(Uint8Array.of(0x30, 0x81, body.length), body);
}

/** Strict DER to r ‖ s of `length` bytes each; undefined for anything that `signatureToDer` would not write. */
export function signatureFromDer(der: Uint8Array, length: number): Bytes | undefined {
  const header = der[1] === 0x81 ? 3 : 2;
  const raw = new Uint8Array(2 * length);
  let offset = header;
  for (const end of [length, 2 * length]) {
    const size = der[offset + 1] ?? 0;
    const value = der.subarray(offset + 2, offset + 2 + size);
    const magnitude = value[0] === 0 ? value.subarray(1) : value;
    if (magnitude.length > length) return undefined;
    raw.set(magnitude, end - magnitude.length);
    offset += 2 + size;
  }
  const canonical = signatureToDer(raw);
  if (canonical.length !== der.length) return undefined;
  return canonical.every((byte, i) => byte === der[i]) ? raw : undefined;
}
