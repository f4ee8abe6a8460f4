/** A message as callers give it. */
import { erase, utf8, type Bytes } from "@coppice/core";
import { copyBytes } from "@coppice/kit";
import { clientError } from "../errors.ts";

const MAX_MESSAGE_BYTES = 64 * 1024;

/** A copy of 1 byte to 64 KiB. `ERR_CLIENT_EMPTY_MESSAGE`, `ERR_CLIENT_MESSAGE_TOO_LARGE`. */
export function messageBytes(data: Uint8Array | string): Bytes {
  // No character takes less than a byte.
  if (typeof data === "string" && data.length > MAX_MESSAGE_BYTES) throw tooLarge();
  const bytes = typeof data === "string" ? utf8(data) : copyBytes(data, "A message");
  if (bytes.length === 0) throw clientError("ERR_CLIENT_EMPTY_MESSAGE", "A message has at least one byte");
  if (bytes.length > MAX_MESSAGE_BYTES) {
    erase(bytes);
    throw tooLarge();
  }
  return bytes;
}

const tooLarge = (): Error =>
  clientError("ERR_CLIENT_MESSAGE_TOO_LARGE", `A message has at most ${MAX_MESSAGE_BYTES} bytes`);
