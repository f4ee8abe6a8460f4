/** Errors of stores. */
import { CoppiceError, type CoppiceErrorOptions } from "@coppice/kit";
import type { StoreErrorCode } from "./contract.ts";

/** A `CoppiceError` whose code is checked to be one that stores throw. */
export function storeError(code: StoreErrorCode, message: string, options?: CoppiceErrorOptions): CoppiceError {
  return new CoppiceError(code, message, options);
}

/** `ERR_STORE_CONFLICT`, without the partition's name: names are confidential and errors get logged. */
export function conflictError(index: number, expected: number, actual: number): CoppiceError {
  return storeError("ERR_STORE_CONFLICT", `Partition is at version ${actual}, the write expected ${expected}`, {
    detail: { index, expected, actual },
  });
}
