/** Outcomes of work on many items, where the refusal of one is no failure of the others. */
import type { CoppiceError } from "./errors.ts";
import { isCoppiceError } from "./errors.ts";

/** What was asked for, or why it was refused. */
export type Result<T> = T | CoppiceError;

export const succeeded = <T>(result: T): result is Exclude<T, CoppiceError> => !isCoppiceError(result);

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
