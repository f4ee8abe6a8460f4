/** The one error class of Coppice, and the codes of the protocol core. Each other package exports the union of its own. */

/**
 * Codes of the protocol core. Each names the kind of check that failed; `requirement` on the error names
 * the exact rule.
 */
export type MlsErrorCode =
  | "ERR_MLS_DECODE" // malformed bytes
  | "ERR_MLS_VERSION" // unsupported protocol version or cipher suite
  | "ERR_MLS_SIGNATURE" // a signature does not verify
  | "ERR_MLS_MAC" // a membership tag does not verify
  | "ERR_MLS_AEAD" // decryption failed
  | "ERR_MLS_CONFIRMATION" // the confirmation tag does not match
  | "ERR_MLS_EPOCH" // wrong group or epoch
  | "ERR_MLS_SENDER" // sender type or index not allowed
  | "ERR_MLS_LEAF_NODE" // a leaf node is invalid
  | "ERR_MLS_KEY_PACKAGE" // a key package is invalid
  | "ERR_MLS_CREDENTIAL" // a credential is invalid or was refused
  | "ERR_MLS_CAPABILITIES" // something is used that a member does not support
  | "ERR_MLS_PROPOSAL" // a single proposal is invalid
  | "ERR_MLS_PROPOSAL_LIST" // the proposals of a commit are invalid together
  | "ERR_MLS_PROPOSAL_REF" // a commit refers to a proposal that is not known
  | "ERR_MLS_UPDATE_PATH" // the update path is missing or wrong
  | "ERR_MLS_TREE" // the ratchet tree is not valid
  | "ERR_MLS_PSK" // a pre-shared key is missing or invalid
  | "ERR_MLS_WELCOME" // a Welcome cannot be used
  | "ERR_MLS_GROUP_INFO" // a GroupInfo cannot be used
  | "ERR_MLS_REPLAY" // the key of this message was used before
  | "ERR_MLS_ECHO" // an own message that came back, which its sender cannot open
  | "ERR_MLS_LIMIT" // a configured bound is exceeded
  | "ERR_MLS_STATE" // the operation is not allowed in this state
  | "ERR_MLS_NOT_LOADED" // a stored record is needed that was not loaded: see `recordsToSend`, `recordsToOpen`
  | "ERR_MLS_POLICY" // an application hook refused
  | "ERR_MLS_CRYPTO"; // the platform's cryptography failed or lacks an algorithm

/** Every error code has one of these prefixes. */
export type ErrorCode =
  MlsErrorCode | `ERR_STORE_${string}` | `ERR_DS_${string}` | `ERR_CLIENT_${string}` | `ERR_WORKER_${string}`;

/** Structured detail of an error: plain data, never secrets. */
export type ErrorDetail = Readonly<Record<string, string | number | bigint | boolean | readonly (string | number)[]>>;

/** What an error may carry besides its code and message. */
export interface CoppiceErrorOptions {
  /** Id of the violated rule, for example `R-7.3-4`. */
  readonly requirement?: string;
  /** Plain data that helps a program to react. */
  readonly detail?: ErrorDetail;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/** Registered, so that errors of another copy of this package are recognised. */
const BRAND: symbol = Symbol.for("coppice.error");

/**
 * Everything that Coppice refuses is thrown as a `CoppiceError` with a stable `code`.
 * Caller mistakes (wrong type, out of range) are `TypeError` and `RangeError` instead.
 *
 * Recognise it with `isCoppiceError`, not `instanceof`: an application may load two copies of the SDK.
 */
export class CoppiceError extends Error {
  override readonly name: string = "CoppiceError";
  readonly code: ErrorCode;
  readonly requirement: string | undefined;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, options: CoppiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.requirement = options.requirement;
    this.detail = options.detail ?? {};
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Whether `error` is a `CoppiceError` of this or another copy of the SDK, of the given code if one is named.
 *
 * @example
 * ```ts run
 * import { decodeMessage, isCoppiceError } from "@coppice/core";
 *
 * try {
 *   decodeMessage(new Uint8Array(0));
 * } catch (error) {
 *   if (!isCoppiceError(error)) throw error;
 *   console.assert(error.code === "ERR_MLS_DECODE");
 * }
 * ```
 */
export function isCoppiceError(error: unknown, code?: ErrorCode): error is CoppiceError {
  if (typeof error !== "object" || error === null || !(BRAND in error) || !("code" in error)) return false;
  return code === undefined || error.code === code;
}
