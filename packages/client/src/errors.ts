/** The engine's errors in one place, so that their codes are checked by the compiler. */
import { CoppiceError, isCoppiceError, type CoppiceErrorOptions } from "@coppice/core";
import type { ClientErrorCode } from "./api.ts";

/** Builds a `CoppiceError` with one of the client's codes. */
export function clientError(code: ClientErrorCode, message: string, options?: CoppiceErrorOptions): CoppiceError {
  return new CoppiceError(code, message, options);
}

export const closedError = (): CoppiceError => clientError("ERR_CLIENT_CLOSED", "this client was closed");

/** The code to show for any failure; what is not ours is `fallback`. */
export function codeOf(error: unknown, fallback: string): string {
  return isCoppiceError(error) ? error.code : fallback;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown failure";
}
