/** How errors cross the wire: an HTTP status for middle boxes, and a body with the contract's code. */
import { codec } from "@coppice/core";
import { isCoppiceError, type CoppiceError, type ErrorDetail } from "@coppice/kit";
import type { DeliveryErrorCode } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import { decode, encode, integer, text, uint64, type Bytes, type Codec } from "./codec.ts";
import { MAX_NAME_BYTES } from "../names.ts";

const STATUS: Readonly<Record<DeliveryErrorCode, number>> = {
  ERR_DS_UNREACHABLE: 503,
  ERR_DS_CLOSED: 503,
  ERR_DS_UNAUTHENTICATED: 401,
  ERR_DS_SIGN_IN: 403,
  ERR_DS_NAME_TAKEN: 409,
  ERR_DS_NAME_INVALID: 400,
  ERR_DS_FORBIDDEN: 403,
  ERR_DS_UNKNOWN_USER: 404,
  ERR_DS_GROUP_EXISTS: 409,
  ERR_DS_NO_KEY_PACKAGE: 409,
  ERR_DS_EPOCH_TOO_OLD: 409,
  ERR_DS_LOG_CHANGED: 409,
  ERR_DS_DEVICE_LOG: 409,
  ERR_DS_TOO_LARGE: 413,
  ERR_DS_RATE_LIMITED: 429,
  ERR_DS_QUOTA: 409,
  ERR_DS_BAD_REQUEST: 400,
  ERR_DS_INTERNAL: 500,
};

/** Longest message of an error, UTF-16 units: at most three bytes of UTF-8 each. */
const MESSAGE_LENGTH = 160;

/** Longest `detail.reason` and `detail.rule`. */
const WORD_BYTES = 64;

/** Details that cross the wire; a field is left out where the error has none or another type. */
interface Failure {
  readonly code: string;
  readonly message: string;
  readonly user: string | undefined;
  readonly retryAfter: number | undefined;
  readonly epoch: bigint | undefined;
  readonly length: number | undefined;
  readonly reason: string | undefined;
  readonly rule: string | undefined;
}

const { optional } = codec;

const failure: Codec<Failure> = codec.struct<Failure>({
  code: text(64),
  message: text(3 * MESSAGE_LENGTH),
  user: optional(text(MAX_NAME_BYTES)),
  retryAfter: optional(integer({ max: 86_400 })),
  epoch: optional(uint64),
  length: optional(integer()),
  reason: optional(text(WORD_BYTES)),
  rule: optional(text(WORD_BYTES)),
});

const isDeliveryCode = (code: string): code is DeliveryErrorCode => Object.hasOwn(STATUS, code);

/**
 * Status and body for an error. Anything that is no error of the contract becomes `ERR_DS_INTERNAL` without a word
 * about its cause: what failed inside a server is not the client's business.
 */
export function encodeFailure(error: unknown): {
  readonly status: number;
  readonly body: Bytes;
  readonly code: DeliveryErrorCode;
} {
  if (!isCoppiceError(error) || !isDeliveryCode(error.code)) {
    return encodeFailure(deliveryError("ERR_DS_INTERNAL", "The server failed"));
  }
  const { user, retryAfter, epoch, length, reason, rule } = error.detail;
  const body = encode(failure, {
    code: error.code,
    message: error.message.slice(0, MESSAGE_LENGTH),
    user: shortText(user, MAX_NAME_BYTES),
    retryAfter: wholeNumber(typeof retryAfter === "number" ? Math.min(Math.ceil(retryAfter), 86_400) : undefined),
    epoch: typeof epoch === "bigint" ? BigInt.asUintN(64, epoch) : undefined,
    length: wholeNumber(length),
    reason: shortText(reason, WORD_BYTES),
    rule: shortText(rule, WORD_BYTES),
  });
  return { status: STATUS[error.code], body, code: error.code };
}

const wholeNumber = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/** Text that certainly fits into `max` bytes. */
function shortText(value: unknown, max: number): string | undefined {
  return typeof value === "string" && new TextEncoder().encode(value).length <= max ? value : undefined;
}

/** The error that a failure body describes; `ERR_DS_INTERNAL` for a code that the contract does not have. */
export function decodeFailure(body: Uint8Array): CoppiceError {
  const { code, message, ...fields } = decode(failure, body);
  const detail: ErrorDetail = Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return deliveryError(isDeliveryCode(code) ? code : "ERR_DS_INTERNAL", message, { detail });
}
