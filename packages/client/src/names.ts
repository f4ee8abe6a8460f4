/** Names of users and titles of conversations, as callers give them. */
import { normalName, normalTitle } from "@coppice/delivery/contract";
import { isCoppiceError } from "@coppice/kit";
import { clientError } from "./errors.ts";

/** The normal form of a name. `ERR_CLIENT_NAME_INVALID` with `detail.reason`, a `NameFault` of the delivery contract. */
export function checkName(name: string): string {
  try {
    return normalName(name);
  } catch (error) {
    if (!isCoppiceError(error)) throw error;
    throw clientError("ERR_CLIENT_NAME_INVALID", error.message, { detail: error.detail, cause: error });
  }
}

/** Users of a call, one or several: valid, and each once. */
export function checkUsers(users: string | readonly string[]): readonly string[] {
  if (typeof users === "string") return [checkName(users)];
  if (!Array.isArray(users)) throw new TypeError("Users are named by a string or an array of strings");
  return [...new Set(users.map(checkName))];
}

/** A title in Unicode NFC. `ERR_CLIENT_TITLE_TOO_LONG` over 128 bytes of UTF-8; `TypeError` where `normalTitle` says. */
export function checkTitle(title: string): string {
  try {
    return normalTitle(title);
  } catch (error) {
    if (!isCoppiceError(error)) throw error;
    throw clientError("ERR_CLIENT_TITLE_TOO_LONG", error.message, { cause: error });
  }
}
