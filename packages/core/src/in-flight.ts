/** Many public-key operations, some of them at a time. */

/** At once: engines gain from some work in flight, not from all of it. */
const IN_FLIGHT = 32;

/** How a long operation is watched and stopped. */
export interface Progress {
  /**
   * Stops the operation, which then rejects at once with the signal's reason and has changed nothing: also while it waits for a hook
   * that never settles.
   */
  readonly signal?: AbortSignal;
  /**
   * Called between batches with the items that are done, from 0, and their number. It is awaited: a thread that has more to
   * do than this can see to it there.
   */
  readonly onProgress?: (done: number, total: number) => void | Promise<void>;
}

/** How often progress is reported, in items. */
const REPORT_EVERY = 64;

/** Runs `task` for all items. After a failure no more are begun; rejects with the error of the first item that failed. */
export async function inFlight<T>(
  items: readonly T[],
  task: (item: T) => Promise<void>,
  { signal, onProgress }: Progress = {},
): Promise<void> {
  const queue = items.entries();
  const failures = new Map<number, unknown>();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failures.size > 0) return;
      try {
        signal?.throwIfAborted();
        if (index % REPORT_EVERY === 0) await onProgress?.(index, items.length);
        await task(item);
      } catch (error) {
        failures.set(index, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, items.length) }, lane));
  if (failures.size > 0) throw failures.get(Math.min(...failures.keys()));
  signal?.throwIfAborted();
  await onProgress?.(items.length, items.length);
}
