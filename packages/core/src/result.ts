/** Outcomes of work on many items, where the refusal of one is no failure of the others. */
import { CoppiceError, isCoppiceError } from "./errors.ts";

/** What was asked for, or why it was refused. */
export type Result<T> = T | CoppiceError;

export const succeeded = <T>(result: T): result is Exclude<T, CoppiceError> => !isCoppiceError(result);

/** `ERR_MLS_NOT_LOADED`: a mistake of the caller, not a refusal of what was received. See `restoreMessaging`. */
export const notLoaded = (detail: CoppiceError["detail"] = {}): CoppiceError =>
  new CoppiceError("ERR_MLS_NOT_LOADED", "A record of the group is needed that was not loaded", { detail });

/** Whether an error says that an item was refused. A record that was not loaded says nothing about the item. */
export const isRefusal = (error: unknown): error is CoppiceError =>
  isCoppiceError(error) && error.code !== "ERR_MLS_NOT_LOADED";

/** Runs a step; a refusal is its result. */
export function attempt<T>(step: () => T): Result<T> {
  try {
    return step();
  } catch (error) {
    if (isRefusal(error)) return error;
    throw error;
  }
}
