/** What an application message carries: the application's data with the sender's id of the message. */
import { codec, type Bytes } from "@coppice/core";
import { CoppiceError } from "@coppice/kit";
import { boolean, id128 } from "../records/primitives.ts";

export interface Envelope {
  /** 16 random bytes of the sender, as 32 hex digits: the same when it is sealed again. */
  readonly id: string;
  /** Sealed before, under keys that members may have deleted: one of both may arrive, or both. */
  readonly resent: boolean;
  readonly data: Bytes;
}

const VERSION = 1;

/**
 * ```tls
 * struct {
 *   uint8 version = 1;
 *   opaque id[16];
 *   uint8 resent;
 *   opaque data<V>;
 * } Envelope;
 * ```
 */
const envelope = codec.struct<Envelope & { version: number }>({
  version: codec.uint8,
  id: id128,
  resent: boolean,
  data: codec.opaque,
});

export function encodeEnvelope(value: Envelope): Bytes {
  return codec.encode(envelope, { version: VERSION, ...value });
}

/** `ERR_MLS_VERSION` for another version than this one, `ERR_MLS_DECODE` for malformed bytes. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes[0] !== VERSION) {
    throw new CoppiceError("ERR_MLS_VERSION", "A message has an envelope of another version of Coppice");
  }
  const { id, resent, data } = codec.decode(envelope, bytes);
  return { id, resent, data };
}
