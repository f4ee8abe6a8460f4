/** Asking the application: its hooks may throw, and answer with anything. */
import { describe } from "@coppice/kit";
import { type ErrorDetail, type MlsErrorCode, CoppiceError } from "./errors.ts";

interface Refusal {
  readonly code: MlsErrorCode;
  readonly message: string;
  readonly requirement: string;
  readonly detail?: ErrorDetail;
}

/**
 * Asks a hook that may refuse. It agrees by resolving with undefined and in no other way: `false` is no agreement, and neither is
 * what one forgot to await.
 */
export async function ask(hook: () => Promise<unknown>, { code, message, ...options }: Refusal): Promise<void> {
  let answer: unknown;
  try {
    answer = await hook();
  } catch (cause) {
    throw new CoppiceError(code, message, { ...options, cause });
  }
  if (answer === undefined) return;
  throw new CoppiceError(code, `${message}: it resolved with ${describe(answer)}, and only undefined agrees`, options);
}

/** What a hook says that is asked yes or no. `ERR_MLS_POLICY` for anything else: a promise would be taken for a yes. */
export function yesOrNo(name: string, hook: () => boolean): boolean {
  let answer: unknown;
  try {
    answer = hook();
  } catch (cause) {
    throw new CoppiceError("ERR_MLS_POLICY", `${name} failed`, { cause });
  }
  if (typeof answer === "boolean") return answer;
  throw new CoppiceError("ERR_MLS_POLICY", `${name} must return true or false, not ${describe(answer)}`);
}
