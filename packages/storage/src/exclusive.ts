/** `Store.exclusive` over the locks of the ground floor: the waits end with the store, and only coded errors come out. */
import { anySignal, type LockOptions, type Locks } from "@coppice/kit";
import type { Lifetime } from "./lifetime.ts";

export interface ExclusiveParts<T> {
  readonly locks: Locks;
  readonly lifetime: Lifetime;
  /** What the caller calls the lock. */
  readonly name: string;
  /** What the platform calls it. */
  readonly lock: string;
  readonly task: (lost: AbortSignal) => Promise<T>;
  readonly options: LockOptions;
  /** Turns what the platform's locks fail with into an error of the contract. */
  readonly platformFailure: (error: unknown) => unknown;
}

/** Runs `task` alone under the lock. What it throws is passed on as it is, and so are the signal's reason and the store's end. */
export async function runExclusive<T>(parts: ExclusiveParts<T>): Promise<T> {
  const { locks, lifetime, name, lock, task, options, platformFailure } = parts;
  const { signal, patience, onOverdue } = options;
  const waiting = anySignal(signal, lifetime.signal);
  const grant = { given: false };
  const run = (lost: AbortSignal): Promise<T> => {
    grant.given = true;
    waiting.release();
    return task(lost);
  };
  try {
    return await locks.run(lock, run, {
      signal: waiting.signal,
      ...(patience === undefined ? {} : { patience }),
      ...(onOverdue === undefined
        ? {}
        : {
            onOverdue: (overdue) => {
              onOverdue({ ...overdue, lock: name });
            },
          }),
    });
  } catch (error) {
    throw grant.given || waiting.signal.aborted ? error : platformFailure(error);
  } finally {
    waiting.release();
  }
}
