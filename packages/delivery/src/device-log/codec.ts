/** Device log entries as bytes: what is sent, hashed and signed. Every field is bounded, every value has one encoding. */
import { codec, fromHex, toHex, utf8, type Bytes, type Codec } from "@coppice/core";
import { bytes, malformed, text } from "../wire/codec.ts";
import type { DeviceLogChange, DeviceLogEntry, LogKey } from "./entry.ts";

/** Entries that a log may have. */
export const MAX_DEVICE_LOG_ENTRIES: number = 10_000;

/** Longest user name in a log or credential, bytes of UTF-8. */
const MAX_USER_BYTES = 256;

/** Longest public key and signature of a registered suite: 133 and 139 bytes (P-521). */
const MAX_KEY_BYTES = 256;
const MAX_SIGNATURE_BYTES = 256;

/** Bytes of SHA-256. */
export const HASH_BYTES = 32;

/** Narrows a type, both ways: malformed when it is read, `RangeError` when it is written. */
export const restricted = <T>(type: Codec<T>, isAllowed: (value: T) => boolean, rule: string): Codec<T> =>
  codec.map(
    type,
    (value) => {
      if (!isAllowed(value)) throw malformed(rule);
      return value;
    },
    (value) => {
      if (!isAllowed(value)) throw new RangeError(rule);
      return value;
    },
  );

/** UTF-8 has no bytes for half a surrogate pair: several such strings would have one encoding. */
export const userName: Codec<string> = restricted(
  text(MAX_USER_BYTES),
  (user) => user !== "" && !/\p{Cs}/u.test(user),
  "a user name is well-formed Unicode and not empty",
);

/** 32 lower-case hex digits as 16 bytes. */
export const deviceId: Codec<string> = codec.map(codec.fixed(16), toHex, (device) => {
  if (!/^[0-9a-f]{32}$/.test(device)) throw new RangeError("a device id has 32 lower-case hex digits");
  return fromHex(device);
});

export const logPosition: Codec<number> = restricted(
  codec.uint32,
  (position) => position < MAX_DEVICE_LOG_ENTRIES,
  `a position is below ${MAX_DEVICE_LOG_ENTRIES}`,
);

export const logKey: Codec<LogKey> = codec.struct<LogKey>({
  suite: codec.uint16,
  publicKey: bytes({ min: 1, max: MAX_KEY_BYTES }),
});

const change = codec.select<"action", DeviceLogChange["action"], DeviceLogChange>(
  "action",
  codec.closedEnum(codec.uint8, { create: 1, add: 2, remove: 3, replace: 4, recovery: 5 }),
  {
    create: codec.struct({ device: deviceId, key: logKey, nonce: codec.fixed(32) }),
    add: codec.struct({ device: deviceId, key: logKey }),
    remove: codec.struct({ device: deviceId }),
    replace: codec.struct({ device: deviceId, key: logKey }),
    recovery: codec.struct({ key: logKey }),
  },
);

const signer = codec.map(
  codec.optional(deviceId),
  (device) => device ?? "recovery",
  (name: string) => (name === "recovery" ? undefined : name),
);

const signature = bytes({ max: MAX_SIGNATURE_BYTES });

type DeviceLogContent = Omit<DeviceLogEntry, "signature">;

const content = codec.struct<DeviceLogContent>({
  user: userName,
  position: logPosition,
  previous: restricted(
    bytes({ max: HASH_BYTES }),
    ({ length }) => length === 0 || length === HASH_BYTES,
    "the hash of the entry before is a SHA-256 or empty",
  ),
  change,
  signer,
});

/**
 * ```tls
 * struct { CipherSuite suite; opaque public_key<1..256>; } LogKey;
 * enum { create(1), add(2), remove(3), replace(4), recovery(5), (255) } Action;
 * opaque DeviceId[16];
 *
 * struct {
 *   opaque user<1..256>;          // UTF-8
 *   uint32 position;
 *   opaque previous<V>;           // empty, or SHA-256 of the DeviceLogEntry before
 *   Action action;
 *   select (action) {
 *     case create:   DeviceId device; LogKey key; opaque nonce[32];
 *     case add:      DeviceId device; LogKey key;
 *     case remove:   DeviceId device;
 *     case replace:  DeviceId device; LogKey key;
 *     case recovery: LogKey key;
 *   };
 *   optional<DeviceId> signer;    // absent: the recovery key
 * } DeviceLogContent;
 *
 * struct { DeviceLogContent content; opaque signature<0..256>; } DeviceLogEntry;
 * ```
 */
export const deviceLogEntry: Codec<DeviceLogEntry> = {
  encode: (writer, entry) => {
    content.encode(writer, entry);
    signature.encode(writer, entry.signature);
  },
  decode: (reader) => ({ ...content.decode(reader), signature: signature.decode(reader) }),
};

/** Keeps these signatures apart from those of MLS ("MLS 1.0 …") and of signing in. */
const LABEL: Bytes = utf8("Coppice device log 1");

const signed = codec.struct<{ label: Bytes; content: DeviceLogContent }>({
  label: codec.opaque,
  content,
});

/**
 * What an entry's signature is over.
 *
 * ```tls
 * struct { opaque label<V> = "Coppice device log 1"; DeviceLogContent content; } SignedDeviceLogContent;
 * ```
 */
export function signedContent(entry: DeviceLogContent): Bytes {
  return codec.encode(signed, { label: LABEL, content: entry });
}
