/** Waiting for time to pass. */
import { abortReason } from "./abort.ts";
import type { Time } from "./time.ts";

/** Resolves after `milliseconds`, or rejects with a signal's reason as soon as it aborts. */
export function sleep(
  time: Time,
  milliseconds: number,
  ...signals: readonly (AbortSignal | undefined)[]
): Promise<void> {
  return new Promise((resolve, reject) => {
    const given = signals.filter((signal) => signal !== undefined);
    const finish = (): void => {
      cancel();
      for (const signal of given) signal.removeEventListener("abort", onAbort);
    };
    const onAbort = (): void => {
      finish();
      reject(abortReason(given.find(({ aborted }) => aborted)));
    };
    const cancel = time.after(milliseconds, () => {
      finish();
      resolve();
    });
    for (const signal of given) signal.addEventListener("abort", onAbort);
    if (given.some(({ aborted }) => aborted)) onAbort();
  });
}
