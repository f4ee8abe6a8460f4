/** Outcomes of work on many items, where the refusal of one is no failure of the others. */
import type { CoppiceError } from "./errors.ts";
import { isCoppiceError } from "./errors.ts";

/** What was asked for, or why it was refused. */
export type Result<T> = T | CoppiceError;

export const succeeded = <T>(result: T): result is Exclude<T, CoppiceError> => !isCoppiceError(result);

/** Runs a step; a refusal is its result. */
export function attempt<T>(step: () => T): Result<T> {
  try {
    return step();
  } catch (error) {
    if (isCoppiceError(error)) return error;
    throw error;
  }
}
