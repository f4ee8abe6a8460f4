/** Waiting with an `AbortSignal`. */

/** Settles like `work`, or rejects with the signal's reason as soon as it aborts, after `onAbort`. `work` goes on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, onAbort: () => void): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      onAbort();
      reject(reasonOf(signal));
    };
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", stop);
    });
  });
}

/** What the signal's owner gave as the reason: an `Error`, unless they chose another value. */
function reasonOf(signal: AbortSignal): Error {
  return signal.reason as Error;
}
