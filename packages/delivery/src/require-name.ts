/** Names where they enter: what is sent, signed and stored is the normal form. */
import { deliveryError } from "./errors.ts";
import { normalName } from "./names.ts";

/** `ERR_DS_NAME_INVALID`, with `detail.reason`, for anything but a name in its normal form. */
export function requireNormalName(name: string): void {
  if (normalName(name) !== name) {
    throw deliveryError("ERR_DS_NAME_INVALID", "The name is not in its normal form: use normalName", {
      detail: { reason: "form" },
    });
  }
}
