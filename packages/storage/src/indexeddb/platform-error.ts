/** What IndexedDB reports, as codes of the store contract. */
import { type CoppiceError, isCoppiceError } from "@coppice/kit";
import type { StoreErrorCode } from "../contract.ts";
import { storeError } from "../errors.ts";

const CODES: Readonly<Record<string, StoreErrorCode>> = {
  QuotaExceededError: "ERR_STORE_QUOTA",
  VersionError: "ERR_STORE_NEWER_SCHEMA",
  SecurityError: "ERR_STORE_UNAVAILABLE",
  NotAllowedError: "ERR_STORE_UNAVAILABLE",
};

/** Wraps a platform's error, which stays the `cause`; Coppice's own errors pass unchanged. */
export function platformError(error: unknown, doing: string): CoppiceError {
  if (isCoppiceError(error)) return error;
  const name = error instanceof Error ? error.name : "unknown error";
  return storeError(CODES[name] ?? "ERR_STORE_IO", `The browser failed ${doing} (${name})`, { cause: error });
}

/** As `platformError`, for opening: private modes of some browsers answer `InvalidStateError`. */
export function openingError(error: unknown): CoppiceError {
  if (error instanceof Error && error.name === "InvalidStateError") {
    return storeError("ERR_STORE_UNAVAILABLE", "This browser mode has no IndexedDB", { cause: error });
  }
  return platformError(error, "to open the database");
}
