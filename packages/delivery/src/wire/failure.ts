/** How errors cross the wire: an HTTP status for middle boxes, and a body with the contract's code. */
import { codec, CoppiceError, type ErrorDetail } from "@coppice/core";
import type { DeliveryErrorCode } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import { decode, encode, integer, text, type Bytes, type Codec } from "./codec.ts";
import { MAX_NAME_BYTES } from "./names.ts";

const STATUS: Readonly<Record<DeliveryErrorCode, number>> = {
  ERR_DS_UNREACHABLE: 503,
  ERR_DS_CLOSED: 503,
  ERR_DS_UNAUTHENTICATED: 401,
  ERR_DS_SIGN_IN: 403,
  ERR_DS_NAME_TAKEN: 409,
  ERR_DS_NAME_INVALID: 400,
  ERR_DS_FORBIDDEN: 403,
  ERR_DS_UNKNOWN_USER: 404,
  ERR_DS_UNKNOWN_GROUP: 404,
  ERR_DS_GROUP_EXISTS: 409,
  ERR_DS_NO_KEY_PACKAGE: 409,
  ERR_DS_EPOCH_CONFLICT: 409,
  ERR_DS_TOO_LARGE: 413,
  ERR_DS_RATE_LIMITED: 429,
  ERR_DS_QUOTA: 409,
  ERR_DS_BAD_REQUEST: 400,
  ERR_DS_INTERNAL: 500,
};

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly user: string | undefined;
  readonly retryAfter: number | undefined;
}

const failure: Codec<Failure> = codec.struct({
  code: text(64),
  message: text(512),
  user: codec.optional(text(MAX_NAME_BYTES)),
  retryAfter: codec.optional(integer({ max: 86_400 })),
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
  if (!(error instanceof CoppiceError) || !isDeliveryCode(error.code)) {
    return encodeFailure(deliveryError("ERR_DS_INTERNAL", "the server failed"));
  }
  const { user, retryAfter } = error.detail;
  const body = encode(failure, {
    code: error.code,
    message: error.message.slice(0, 128),
    user: typeof user === "string" ? user : undefined,
    retryAfter: typeof retryAfter === "number" ? retryAfter : undefined,
  });
  return { status: STATUS[error.code], body, code: error.code };
}

/** The error that a failure body describes; `ERR_DS_INTERNAL` for a code that the contract does not have. */
export function decodeFailure(body: Uint8Array): CoppiceError {
  const { code, message, user, retryAfter } = decode(failure, body);
  const detail: ErrorDetail = {
    ...(user === undefined ? {} : { user }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
  return deliveryError(isDeliveryCode(code) ? code : "ERR_DS_INTERNAL", message, { detail });
}
