/** What Web Locks do, within one process: for Node, and for stores in memory. */
import { abortReason, untilAborted } from "./abort.ts";

interface Held {
  readonly clientId: string;
  readonly lose: () => void;
}

interface Waiting {
  readonly clientId: string;
  readonly grant: () => void;
}

type Listed = readonly { readonly name: string; readonly clientId: string }[];

/** First come, first served; a name takes no memory while nobody holds or awaits it. Every request counts as a context. */
export class ProcessLocks {
  readonly #held = new Map<string, Held>();
  readonly #waiting = new Map<string, Set<Waiting>>();
  #last = 0;

  query(): Promise<{ readonly held: Listed; readonly pending: Listed }> {
    return Promise.resolve({
      held: [...this.#held].map(([name, { clientId }]) => ({ name, clientId })),
      pending: [...this.#waiting].flatMap(([name, queue]) => [...queue].map(({ clientId }) => ({ name, clientId }))),
    });
  }

  /**
   * Runs `task` alone under `name`. `signal` ends the wait, not the task. With `steal`, whoever holds the name loses it:
   * its request rejects with an `AbortError`, while its task goes on.
   */
  request<T>(
    name: string,
    { signal, steal = false }: { readonly signal?: AbortSignal; readonly steal?: boolean },
    task: () => Promise<T>,
  ): Promise<T> {
    if (signal?.aborted === true) return Promise.reject(abortReason(signal));
    const clientId = `process-${++this.#last}`;
    const holder = this.#held.get(name);
    if (holder !== undefined && !steal) return this.#queue(name, { signal, clientId }, task);
    holder?.lose();
    return this.#hold(name, clientId, task);
  }

  #queue<T>(
    name: string,
    { signal, clientId }: { readonly signal: AbortSignal | undefined; readonly clientId: string },
    task: () => Promise<T>,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#remove(name, waiting);
        reject(abortReason(signal));
      };
      const waiting: Waiting = {
        clientId,
        // Held at once, so that no other request, no theft and no abort comes in between.
        grant: () => {
          signal?.removeEventListener("abort", abort);
          resolve(this.#hold(name, clientId, task));
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.set(name, (this.#waiting.get(name) ?? new Set()).add(waiting));
    });
  }

  async #hold<T>(name: string, clientId: string, task: () => Promise<T>): Promise<T> {
    const stolen = new AbortController();
    const held: Held = {
      clientId,
      lose: () => {
        stolen.abort(new DOMException("The lock was stolen", "AbortError"));
      },
    };
    this.#held.set(name, held);
    try {
      return await untilAborted(task(), stolen.signal);
    } finally {
      if (this.#held.get(name) === held) this.#release(name);
    }
  }

  /** Hands the name to the one who waits longest. */
  #release(name: string): void {
    this.#held.delete(name);
    const [next] = this.#waiting.get(name) ?? [];
    if (next === undefined) return;
    this.#remove(name, next);
    next.grant();
  }

  #remove(name: string, waiting: Waiting): void {
    const queue = this.#waiting.get(name);
    queue?.delete(waiting);
    if (queue?.size === 0) this.#waiting.delete(name);
  }
}
