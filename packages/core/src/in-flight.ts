/** Many public-key operations, some of them at a time. */

/** At once: engines gain from some work in flight, not from all of it. */
const IN_FLIGHT = 32;

/** How a long operation is watched and stopped. */
export interface Progress {
  /** Stops the operation, which then rejects with the signal's reason and has changed nothing. */
  readonly signal?: AbortSignal;
  /**
   * Called between batches with the items that are done, from 0, and their number. It is awaited: a thread that has more to
   * do than this can see to it there.
   */
  readonly onProgress?: (done: number, total: number) => void | Promise<void>;
}

/** Runs `task` for all items. Rejects with the error of the first item that has one; later batches are not begun then. */
export async function inFlight<T>(
  items: readonly T[],
  task: (item: T) => Promise<void>,
  { signal, onProgress }: Progress = {},
): Promise<void> {
  for (let done = 0; done < items.length; done += IN_FLIGHT) {
    signal?.throwIfAborted();
    await onProgress?.(done, items.length);
    const outcomes = await Promise.allSettled(items.slice(done, done + IN_FLIGHT).map(task));
    const failure = outcomes.find((outcome) => outcome.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }
  signal?.throwIfAborted();
  await onProgress?.(items.length, items.length);
}
