/**
 * Noticing the end of another context. Nothing announces that a worker was terminated or a page closed, but the browser
 * then releases its Web Locks: whoever waits for one is told at once, without a heartbeat.
 */

/** Random name of a connection: 32 hex digits. */
export function connectionName(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Holds a lock until the signal aborts or this context ends. Resolves with whether it is held; it is not where there
 * are no Web Locks (Node, insecure origins).
 */
export function holdLock(name: string, signal: AbortSignal): Promise<boolean> {
  const locks = webLocks();
  if (locks === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    locks
      .request(name, () => {
        resolve(true);
        return new Promise<void>((release) => {
          if (signal.aborted) release();
          else
            signal.addEventListener(
              "abort",
              () => {
                release();
              },
              { once: true },
            );
        });
      })
      .catch(() => {
        resolve(false);
      });
  });
}

/** Calls `onEnd` when the lock that another context holds is released. The signal ends the watch. */
export function watchLock(name: string, signal: AbortSignal, onEnd: () => void): void {
  webLocks()
    ?.request(name, { signal }, () => {
      if (!signal.aborted) onEnd();
    })
    .catch(() => undefined); // the watch was ended
}

/** The DOM library declares what insecure origins and Node lack. */
function webLocks(): LockManager | undefined {
  const { navigator } = globalThis as { readonly navigator?: { readonly locks?: LockManager } };
  return navigator?.locks;
}
