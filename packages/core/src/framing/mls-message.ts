/** The outermost type (RFC 9420 §6): what goes over the wire. */
import { assertBytes } from "@coppice/kit";
import { type Codec, closedEnum, decodeReceived, encodeToSend, map, select, struct, uint16 } from "../codec/codec.ts";
import type { Bytes } from "../codec/bytes.ts";
import { CoppiceError } from "../errors.ts";
import { type KeyPackage, keyPackage } from "./key-package.ts";
import { type Limits, DEFAULT_LIMITS } from "../limits.ts";
import { MLS10 } from "../extensions/capabilities.ts";
import { type GroupInfo, groupInfo } from "./group-info.ts";
import { type PrivateMessage, privateMessage } from "./private-message.ts";
import { type PublicMessage, publicMessage } from "./public-message.ts";
import { type Welcome, welcome } from "./welcome.ts";

/** Names as in the RFC's WireFormat registry (§17.2). */
export type MlsMessage =
  | { readonly wireFormat: "mls_public_message"; readonly publicMessage: PublicMessage }
  | { readonly wireFormat: "mls_private_message"; readonly privateMessage: PrivateMessage }
  | { readonly wireFormat: "mls_welcome"; readonly welcome: Welcome }
  | { readonly wireFormat: "mls_group_info"; readonly groupInfo: GroupInfo }
  | { readonly wireFormat: "mls_key_package"; readonly keyPackage: KeyPackage };

/** What an `MLSMessage` holds (§6), by the name of its wire format. */
export type WireFormat = MlsMessage["wireFormat"];

const version: Codec<typeof MLS10> = map(
  uint16,
  (value) => {
    if (value === MLS10) return MLS10;
    throw new CoppiceError("ERR_MLS_VERSION", `Protocol version ${String(value)} is not supported`, {
      requirement: "R-6-3",
      detail: { version: value },
    });
  },
  (value) => value,
);

const body: Codec<MlsMessage> = select<"wireFormat", WireFormat, MlsMessage>(
  "wireFormat",
  closedEnum(uint16, {
    mls_public_message: 1,
    mls_private_message: 2,
    mls_welcome: 3,
    mls_group_info: 4,
    mls_key_package: 5,
  }),
  {
    mls_public_message: struct({ publicMessage }),
    mls_private_message: struct({ privateMessage }),
    mls_welcome: struct({ welcome }),
    mls_group_info: struct({ groupInfo }),
    mls_key_package: struct({ keyPackage }),
  },
);

/**
 * ```tls
 * struct {
 *   ProtocolVersion version = mls10; WireFormat wire_format; select (MLSMessage.wire_format) { ... };
 * } MLSMessage;
 * ```
 */
export const mlsMessage: Codec<MlsMessage> = {
  encode: (writer, message) => {
    version.encode(writer, MLS10);
    body.encode(writer, message);
  },
  decode: (reader) => {
    version.decode(reader);
    const message = body.decode(reader);
    if (message.wireFormat === "mls_key_package" && message.keyPackage.version !== MLS10) {
      throw new CoppiceError("ERR_MLS_VERSION", "The key package's version is not that of its message", {
        requirement: "R-10-6",
      });
    }
    return message;
  },
};

/**
 * The bytes of a message, as it goes over the wire (§6). `ERR_MLS_LIMIT` for what others would not decode: more vectors than
 * messages of this protocol have in so many bytes, or more than `maxBytes`, which is unlimited by default.
 *
 * @example
 * ```ts run
 * import { decodeMessage, encodeMessage } from "@coppice/core";
 * import { alice, makeKeyPackage } from "./example-group.ts"; // docs/examples
 *
 * const { keyPackage } = await makeKeyPackage(alice);
 * const bytes = encodeMessage({ wireFormat: "mls_key_package", keyPackage });
 * console.assert(decodeMessage(bytes).wireFormat === "mls_key_package");
 * ```
 */
export function encodeMessage(message: MlsMessage, maxBytes: number = Number.POSITIVE_INFINITY): Bytes {
  return encodeToSend(mlsMessage, message, maxBytes);
}

/**
 * Decodes what came from the network. `ERR_MLS_DECODE`, `ERR_MLS_VERSION`, `ERR_MLS_LIMIT`.
 *
 * @example
 * ```ts run
 * import { decodeMessage, isCoppiceError } from "@coppice/core";
 *
 * try {
 *   decodeMessage(Uint8Array.of(1, 2, 3));
 * } catch (error) {
 *   console.assert(isCoppiceError(error));
 * }
 * ```
 */
export function decodeMessage(bytes: Uint8Array, limits: MessageLimits = DEFAULT_LIMITS): MlsMessage {
  return decodeReceived(mlsMessage, bytes, limits.messageBytes, limits.proposalsPerCommit);
}

/** What bounds a message that is decoded. */
export type MessageLimits = Pick<Limits, "messageBytes" | "proposalsPerCommit">;

/**
 * The message of this kind in `bytes`; `ERR_MLS_DECODE` for any other kind.
 *
 * @example
 * ```ts run
 * import { decodeMessageOf, encodeMessage } from "@coppice/core";
 * import { alice, makeKeyPackage } from "./example-group.ts"; // docs/examples
 *
 * const made = await makeKeyPackage(alice);
 * const bytes = encodeMessage({ wireFormat: "mls_key_package", keyPackage: made.keyPackage });
 * const { keyPackage } = decodeMessageOf("mls_key_package", bytes);
 * console.assert(keyPackage.cipherSuite === 1);
 * ```
 */
export function decodeMessageOf<F extends WireFormat>(
  format: F,
  bytes: Uint8Array,
  limits?: MessageLimits,
): Extract<MlsMessage, { wireFormat: F }> {
  const message = decodeMessage(bytes, limits);
  if (!isOf(message, format)) {
    throw new CoppiceError("ERR_MLS_DECODE", `${format} expected, ${message.wireFormat} received`, {
      detail: { expected: format, received: message.wireFormat },
    });
  }
  return message;
}

/** Whether what is to be read is decoded already, so that it has this field. `TypeError` for what are no bytes either. */
export function isDecoded<T extends object>(given: unknown, field: keyof T & string, what: string): given is T {
  if (typeof given === "object" && given !== null && field in given) return true;
  assertBytes(given, what);
  return false;
}

/** A GroupInfo: by itself, or an encoded message that holds one. */
export function groupInfoOf(given: Uint8Array | GroupInfo, limits: MessageLimits): GroupInfo {
  if (isDecoded<GroupInfo>(given, "groupContext", "groupInfo")) return given;
  return decodeMessageOf("mls_group_info", given, limits).groupInfo;
}

/** A Welcome: by itself, or an encoded message that holds one. */
export function welcomeOf(given: Uint8Array | Welcome, limits: MessageLimits): Welcome {
  if (isDecoded<Welcome>(given, "encryptedGroupInfo", "welcome")) return given;
  return decodeMessageOf("mls_welcome", given, limits).welcome;
}

function isOf<F extends WireFormat>(message: MlsMessage, format: F): message is Extract<MlsMessage, { wireFormat: F }> {
  return message.wireFormat === format;
}
