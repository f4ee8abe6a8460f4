/** KDFLabel (RFC 9420 §8), for what the kernel does not put together itself. */
import type { Bytes } from "./kernel.ts";

/** Lengths from here on have no encoding as a vector (RFC 9420 §2.1.2). */
const VECTOR_LIMIT = 2 ** 30;
const LABEL_PREFIX = "MLS 1.0 ";

/**
 * The encoded structure; `label` comes without its prefix.
 *
 * @throws RangeError when label or context have no encoding
 */
export function kdfLabel(label: string, context: Uint8Array, length: number): Bytes {
  const labelBytes = new TextEncoder().encode(LABEL_PREFIX + label);
  const parts = [
    Uint8Array.of(length >> 8, length & 0xff),
    varint(labelBytes.length),
    labelBytes,
    varint(context.length),
    context,
  ];
  const output = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    output.set(part, at);
    at += part.length;
  }
  return output;
}

function varint(value: number): Bytes {
  if (value < 0x40) return Uint8Array.of(value);
  if (value < 0x4000) return Uint8Array.of(0x40 | (value >> 8), value & 0xff);
  if (value >= VECTOR_LIMIT) throw new RangeError("label and context must be shorter than 2^30 bytes");
  return Uint8Array.of(0x80 | (value >> 24), (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff);
}
