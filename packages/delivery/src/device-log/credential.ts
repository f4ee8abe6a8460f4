/** What a leaf's basic credential says (RFC 9420 §5.3): which device of which user, by which state of the user's log. */
import { codec, equalBytes, type Bytes, type Codec, type CoppiceError } from "@coppice/core";
import type { ClientId } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import { normalName } from "../names.ts";
import { deviceId, logPosition, restricted, userName } from "./codec.ts";
import type { DeviceLog } from "./log.ts";

/** The identity in a leaf's basic credential. */
export interface LeafIdentity {
  readonly client: ClientId;
  /** An entry of the user's device log from which on the leaf's signature key is listed: the newest one that the device knew. */
  readonly position: number;
}

/**
 * How a leaf's identity stands by a device log.
 *
 * - `listed`: the log lists this key for this device, now and at the identity's position.
 * - `replaced`, `removed`: it did at that position; later the device got another key, or was removed. A member that has not
 *   been removed yet stands so in the tree.
 * - `ahead`: the position is after the log's head. Read on, then ask again.
 * - `unlisted`: the log did not list the device at that position.
 * - `other-key`: the log listed another key for it.
 * - `other-user`: the log is of someone else.
 */
export type IdentityStanding = "listed" | "replaced" | "removed" | "ahead" | "unlisted" | "other-key" | "other-user";

/** Bytes of another version mean something else and are refused. */
const VERSION = 1;

/**
 * ```tls
 * struct {
 *   uint8 version = 1;
 *   opaque user<1..256>;    // UTF-8, in the normal form of names
 *   DeviceId device;
 *   uint32 position;
 * } LeafIdentity;
 * ```
 */
const identity: Codec<LeafIdentity> = codec.map(
  codec.struct({
    version: restricted(codec.uint8, (version) => version === VERSION, "the identity is of another version"),
    user: restricted(userName, (user) => normalName(user) === user, "the user name is not in its normal form"),
    device: deviceId,
    position: logPosition,
  }),
  ({ user, device, position }) => ({ client: { user, device }, position }),
  ({ client: { user, device }, position }) => ({ version: VERSION, user, device, position }),
);

/**
 * The identity for a leaf's `basicCredential`. `RangeError` or `ERR_DS_NAME_INVALID` for what is no client.
 *
 * @example
 * ```ts run
 * import { decodeIdentity, encodeIdentity } from "@coppice/delivery/contract";
 *
 * const bytes = encodeIdentity({ client: { user: "alice", device: "00".repeat(16) }, position: 3 });
 * console.assert(decodeIdentity(bytes).position === 3);
 * ```
 */
export function encodeIdentity(value: LeafIdentity): Bytes {
  return codec.encode(identity, value);
}

/**
 * The identity that a leaf's credential carries. `ERR_DS_DEVICE_LOG` with `detail.reason` `malformed` for anything but the one
 * encoding of a valid identity.
 *
 * @example
 * ```ts run
 * import { decodeIdentity, encodeIdentity } from "@coppice/delivery/contract";
 *
 * const client = { user: "alice", device: "00".repeat(16) };
 * console.assert(decodeIdentity(encodeIdentity({ client, position: 0 })).client.user === "alice");
 * ```
 */
export function decodeIdentity(bytes: Uint8Array): LeafIdentity {
  try {
    return codec.decode(identity, bytes);
  } catch (cause) {
    throw deliveryError("ERR_DS_DEVICE_LOG", "The leaf's credential does not name a device of a user", {
      detail: { reason: "malformed" },
      cause,
    });
  }
}

/**
 * How a leaf with this identity and signature key stands by its user's log.
 *
 * @example
 * ```ts check
 * import { decodeIdentity, identityStanding, type DeviceLog } from "@coppice/delivery/contract";
 *
 * declare const log: DeviceLog;
 * declare const leaf: { identity: Uint8Array; signatureKey: Uint8Array };
 * if (identityStanding(log, decodeIdentity(leaf.identity), leaf.signatureKey) === "removed") console.log("Remove the leaf");
 * ```
 */
export function identityStanding(
  log: DeviceLog,
  { client, position }: LeafIdentity,
  signatureKey: Uint8Array,
): IdentityStanding {
  if (client.user !== log.user) return "other-user";
  if (position > log.position) return "ahead";
  const keys = log.devices.get(client.device) ?? [];
  const then = keys.find(({ since, until }) => since <= position && (until === undefined || position < until));
  if (then === undefined) return "unlisted";
  if (!equalBytes(then.key.publicKey, signatureKey)) return "other-key";
  if (then.until === undefined) return "listed";
  return keys.at(-1)?.until === undefined ? "replaced" : "removed";
}

const WORDS: Readonly<Record<Exclude<IdentityStanding, "listed">, string>> = {
  replaced: "The device has another signature key now",
  removed: "The device was removed from the user's device log",
  ahead: "The leaf names an entry that the known device log does not have yet: read on",
  unlisted: "The user's device log does not list the leaf's device",
  "other-key": "The user's device log lists another signature key for the leaf's device",
  "other-user": "The leaf is of another user than the device log",
};

/**
 * Refuses a leaf that its user's log does not list now, at the identity's position and ever since: `ERR_DS_DEVICE_LOG` with
 * `detail.reason`, an `IdentityStanding`.
 *
 * @example
 * ```ts check
 * import { checkIdentity, decodeIdentity, type DeviceLog } from "@coppice/delivery/contract";
 *
 * declare const log: DeviceLog;
 * declare const leaf: { identity: Uint8Array; signatureKey: Uint8Array };
 * checkIdentity(log, decodeIdentity(leaf.identity), leaf.signatureKey);
 * ```
 */
export function checkIdentity(log: DeviceLog, leaf: LeafIdentity, signatureKey: Uint8Array): void {
  const standing = identityStanding(log, leaf, signatureKey);
  if (standing === "listed") return;
  throw refused(standing, leaf);
}

function refused(
  reason: Exclude<IdentityStanding, "listed">,
  { client: { user, device }, position }: LeafIdentity,
): CoppiceError {
  return deliveryError("ERR_DS_DEVICE_LOG", WORDS[reason], { detail: { reason, user, device, position } });
}
