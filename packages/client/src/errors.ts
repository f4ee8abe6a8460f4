/** The engine's errors in one place, so that their codes are checked by the compiler. */
import { CoppiceError, isCoppiceError, type CoppiceErrorOptions, type ErrorDetail } from "@coppice/kit";
import type { ClientErrorCode, Problem } from "./api.ts";

/** Builds a `CoppiceError` with one of the client's codes. */
export function clientError(code: ClientErrorCode, message: string, options?: CoppiceErrorOptions): CoppiceError {
  return new CoppiceError(code, message, options);
}

export const closedError = (): CoppiceError => clientError("ERR_CLIENT_CLOSED", "This client was closed");

export const goneError = (): CoppiceError =>
  clientError("ERR_CLIENT_UNKNOWN_CONVERSATION", "The conversation was deleted from this device");

/**
 * An own message or Commit that this store knows nothing of: it is older than what this device did, and nothing may be sent before
 * this device has new keys.
 */
export const rolledBackError = (): CoppiceError =>
  clientError(
    "ERR_CLIENT_ROLLED_BACK",
    "This device has done more than its stored state knows, as after a backup was restored: it joins again under new keys",
  );

/** The code to show for any failure; what is not ours is `fallback`. */
export function codeOf(error: unknown, fallback: string): string {
  return isCoppiceError(error) ? error.code : fallback;
}

/** A failure as a person is told of it. */
export function problemOf(error: unknown, conversation: string | undefined): Problem {
  const code = codeOf(error, "ERR_CLIENT_INTERNAL");
  const message = error instanceof Error ? error.message : "The engine failed in a way it does not know";
  const detail: ErrorDetail = isCoppiceError(error) ? error.detail : {};
  return { code, message, conversation, detail };
}

const TRANSIENT = ["ERR_DS_UNREACHABLE", "ERR_DS_INTERNAL", "ERR_DS_RATE_LIMITED", "ERR_DS_UNAUTHENTICATED"] as const;

/** Whether trying again later may succeed; whether the request was carried out is then not known. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT.some((code) => isCoppiceError(error, code));
}

/** The longest wait that the Delivery Service may ask for, seconds. */
const LONGEST_WAIT = 300;

/** Milliseconds to wait at least before trying again; undefined if that is of no use. */
export function retryAfter(error: unknown): number | undefined {
  if (!isTransient(error)) return undefined;
  const seconds = isCoppiceError(error, "ERR_DS_RATE_LIMITED") ? error.detail["retryAfter"] : undefined;
  return typeof seconds === "number" && seconds > 0 ? Math.min(seconds, LONGEST_WAIT) * 1000 : 0;
}

/** Rules of `detail.rule` by which a device log is shorter than it has to be; all others say that it is forged or forked. */
const WITHHELD: readonly unknown[] = ["length", "DL-15"];

/** Whether the directory does not show all of a device log: it may do so later, so that what depends on it waits; see `patience.ts`. */
export function isWithheld(error: unknown): error is CoppiceError {
  return isCoppiceError(error, "ERR_CLIENT_DEVICE_LOG") && WITHHELD.includes(error.detail["rule"]);
}

/** As `retryAfter`, for work that nobody waits for: it also goes on where a device log is withheld. */
export function retryInBackgroundAfter(error: unknown): number | undefined {
  return isWithheld(error) ? 0 : retryAfter(error);
}
