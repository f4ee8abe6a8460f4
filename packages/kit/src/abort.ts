/** Waiting with an `AbortSignal`. */

/** What the signal's owner gave as the reason: an `Error`, unless they chose another value. */
export function abortReason(signal: AbortSignal | undefined): Error {
  return signal?.reason as Error;
}

/** `TypeError` for anything but an `AbortSignal` or undefined, before somebody waits with it. */
export function assertSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined) return;
  const isSignal = typeof signal === "object" && signal !== null && "aborted" in signal;
  if (!isSignal || typeof signal.aborted !== "boolean") throw new TypeError("signal: an AbortSignal is expected");
}

/** Settles like `work`, or rejects with the signal's reason as soon as it aborts, after `onAbort`. `work` goes on. */
export function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort: () => void = () => undefined,
): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      onAbort();
      reject(abortReason(signal));
    };
    const release = (): void => {
      signal.removeEventListener("abort", stop);
    };
    work.then(resolve, reject).finally(release);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/**
 * A signal that aborts with the first of `signals`, as `AbortSignal.any` does where there is one (not in Safari before
 * 17.4). Call `release` when the work is over: until then the given signals keep it alive.
 */
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): {
  readonly signal: AbortSignal;
  readonly release: () => void;
} {
  const given = signals.filter((signal) => signal !== undefined);
  const controller = new AbortController();
  const release = (): void => {
    for (const signal of given) signal.removeEventListener("abort", abort);
  };
  const abort = (): void => {
    release();
    controller.abort(given.find(({ aborted }) => aborted)?.reason);
  };
  for (const signal of given) signal.addEventListener("abort", abort);
  if (given.some(({ aborted }) => aborted)) abort();
  return { signal: controller.signal, release };
}
