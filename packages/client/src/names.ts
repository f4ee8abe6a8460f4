/** Names of users and titles of conversations: what is allowed, and how they are compared. */
import { utf8 } from "@coppice/core";
import { clientError } from "./errors.ts";

const MAX_NAME_CHARACTERS = 64;
const MAX_TITLE_BYTES = 128;

/**
 * The form in which a name is compared, signed and sent: Unicode NFC. `ERR_CLIENT_NAME_INVALID` unless it has 1 to 64
 * characters, no control characters or line separators, and no white space at either end.
 */
export function checkName(name: string): string {
  if (typeof name !== "string") throw new TypeError("a name is a string");
  const normal = name.slice(0, MAX_NAME_CHARACTERS * 4).normalize("NFC");
  if (name.length > MAX_NAME_CHARACTERS * 4 || !isName(normal)) {
    throw clientError(
      "ERR_CLIENT_NAME_INVALID",
      "a name has 1 to 64 characters, without controls or outer white space",
    );
  }
  return normal;
}

/** Names of a call: valid, and each once. */
export function checkNames(names: readonly string[]): readonly string[] {
  return [...new Set(names.map(checkName))];
}

/** Whether `name` is a name in its normal form. */
export function isName(name: string): boolean {
  const length = Array.from(name).length;
  return (
    length >= 1 &&
    length <= MAX_NAME_CHARACTERS &&
    !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name) &&
    name.trim() === name &&
    name.normalize("NFC") === name
  );
}

/** A title in NFC. `ERR_CLIENT_TITLE_TOO_LONG` over 128 bytes of UTF-8. */
export function checkTitle(title: string): string {
  if (typeof title !== "string") throw new TypeError("a title is a string");
  if (title.length <= MAX_TITLE_BYTES) {
    const normal = title.normalize("NFC");
    if (utf8(normal).length <= MAX_TITLE_BYTES) return normal;
  }
  throw clientError("ERR_CLIENT_TITLE_TOO_LONG", `a title has at most ${MAX_TITLE_BYTES} bytes of UTF-8`);
}
