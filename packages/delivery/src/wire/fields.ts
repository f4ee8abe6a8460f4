/** Fields that several calls and frames have. */
import { codec } from "@coppice/core";
import type { ClientId, LogEntry, LogPosition } from "../contract.ts";
import { WIRE_LIMITS } from "./call.ts";
import { bytes, hex16, integer, text, uint64, type Bytes, type Codec } from "./codec.ts";
import { MAX_NAME_BYTES } from "../names.ts";
const { closedEnum, struct, uint8 } = codec;

/** Upper bound of a public key of any suite, bytes. */
export const MAX_KEY_BYTES = 256;

/** Upper bound of a signature of any suite, bytes. */
export const MAX_SIGNATURE_BYTES = 256;

/** Requests take any `Uint8Array`, decoding yields own copies. */
export const input = (type: Codec<Bytes>): Codec<Uint8Array> => type as Codec<Uint8Array>;

export const user: Codec<string> = text(MAX_NAME_BYTES);

/** `opaque groupId<V>`, 1 to 255 bytes. */
export const groupId: Codec<Bytes> = bytes({ min: 1, max: WIRE_LIMITS.groupIdBytes });

/** An encoded `MLSMessage`. */
export const message: Codec<Bytes> = bytes({ min: 1, max: WIRE_LIMITS.messageBytes });

export const publicKey: Codec<Bytes> = bytes({ min: 1, max: MAX_KEY_BYTES });

export const client: Codec<ClientId> = struct<ClientId>({ user, device: hex16 });

export const position: Codec<LogPosition> = struct<LogPosition>({ incarnation: hex16, seq: integer() });

/** A log entry whose message has at most `max` bytes. */
export const logEntry = (max: number): Codec<LogEntry> =>
  struct<LogEntry>({
    seq: integer({ min: 1 }),
    kind: closedEnum(uint8, { commit: 1, message: 2 }),
    epoch: uint64,
    message: bytes({ min: 1, max }),
    receivedAt: integer(),
  });
