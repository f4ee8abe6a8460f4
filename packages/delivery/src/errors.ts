/** Delivery Service errors in one place, so that codes are checked by the compiler. */
import { CoppiceError, type CoppiceErrorOptions } from "@coppice/kit";
import type { DeliveryErrorCode } from "./contract.ts";

/** Builds a `CoppiceError` with a code of the Delivery Service contract. */
export function deliveryError(code: DeliveryErrorCode, message: string, options?: CoppiceErrorOptions): CoppiceError {
  return new CoppiceError(code, message, options);
}
