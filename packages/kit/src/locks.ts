/**
 * Exclusive sections by name, across contexts (Web Locks) or within one process. A lock orders work; it is no proof that
 * nobody else works, since a silent holder is passed by. What must not happen twice is guarded by a compare-and-swap.
 */
import { abortReason, untilAborted } from "./abort.ts";
import type { Time } from "./time.ts";

/** The part of the Web Locks API that is used here. */
export interface LockProvider {
  request<T>(
    name: string,
    options: { readonly signal?: AbortSignal; readonly steal?: boolean },
    task: () => Promise<T>,
  ): Promise<T>;
  query(): Promise<{ readonly held?: readonly { readonly name?: string; readonly clientId?: string }[] }>;
}

/** A wait that lasted longer than it should. */
export interface Overdue {
  readonly lock: string;
  /** Milliseconds waited. */
  readonly waited: number;
  /** The context that holds the lock, as the platform calls it. */
  readonly holder: string;
}

export interface LockOptions {
  /** Ends the wait for the lock, not the task. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds after which a holder that did not change is passed by: its lock is taken from it, and its `lost` signal
   * aborts. Default: wait without limit.
   */
  readonly patience?: number;
  /** Told when a holder is passed by. */
  readonly onOverdue?: (overdue: Overdue) => void;
}

/** Runs tasks alone under a name. */
export class Locks {
  readonly #provider: LockProvider;
  readonly #time: Time;

  constructor(provider: LockProvider, time: Time) {
    this.#provider = provider;
    this.#time = time;
  }

  /**
   * Runs `task` while nobody else runs one under `name`, first come, first served. Not reentrant. `lost` aborts if the lock
   * was taken away meanwhile; the task goes on, and what it returns is returned all the same.
   */
  async run<T>(
    name: string,
    task: (lost: AbortSignal) => Promise<T>,
    { signal, patience, onOverdue }: LockOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    if (patience === undefined) return this.#request(name, { signal }, task);
    const waiting = new AbortController();
    const passedBy = new AbortController();
    const grant = { given: false };
    const began = this.#time.elapsed();
    const stopWatching = this.#watch(name, patience, (holder) => {
      if (grant.given) return;
      waiting.abort(passedBy);
      onOverdue?.({ lock: name, waited: this.#time.elapsed() - began, holder });
    });
    const abort = (): void => {
      if (signal !== undefined) waiting.abort(abortReason(signal));
    };
    signal?.addEventListener("abort", abort);
    const whenGranted = (lost: AbortSignal): Promise<T> => {
      grant.given = true;
      stopWatching();
      signal?.removeEventListener("abort", abort);
      return task(lost);
    };
    try {
      return await this.#request(name, { signal: waiting.signal }, whenGranted);
    } catch (error) {
      if (grant.given || error !== passedBy) throw error;
      return await this.#request(name, { steal: true }, whenGranted);
    } finally {
      stopWatching();
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Calls back when the same context has held `name` for a whole `patience`. */
  #watch(name: string, patience: number, onSilent: (holder: string) => void): () => void {
    let stopped = false;
    let cancel = (): void => undefined;
    const look = async (before: string | undefined): Promise<void> => {
      const holder = await this.#holder(name);
      if (stopped) return;
      if (holder !== undefined && holder === before) onSilent(holder);
      else {
        cancel = this.#time.after(patience, () => {
          void look(holder);
        });
      }
    };
    void look(undefined);
    return () => {
      stopped = true;
      cancel();
    };
  }

  async #holder(name: string): Promise<string | undefined> {
    try {
      const { held = [] } = await this.#provider.query();
      return held.find((lock) => lock.name === name)?.clientId;
    } catch {
      // A platform that cannot say who holds the lock: nobody is passed by.
      return undefined;
    }
  }

  /** A stolen lock rejects its request with a `DOMException` while the task goes on: here the task's outcome counts. */
  async #request<T>(
    name: string,
    { signal, steal = false }: { readonly signal?: AbortSignal | undefined; readonly steal?: boolean },
    task: (lost: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const lost = new AbortController();
    let running: Promise<T> | undefined;
    const start = (): Promise<T> => {
      running = task(lost.signal);
      return running;
    };
    try {
      // Both at once are refused by the platform. A request with a signal may be granted after the signal aborted.
      const request = steal
        ? this.#provider.request(name, { steal: true }, start)
        : this.#provider.request(name, signal === undefined ? {} : { signal }, start);
      return await request;
    } catch (error) {
      if (running === undefined) throw error;
      lost.abort(error);
      return await running;
    }
  }
}

/** What Web Locks do, within one process: for Node, and for stores in memory. */
export class ProcessLocks implements LockProvider {
  readonly #held = new Map<string, { readonly clientId: string; readonly lose: (reason: Error) => void }>();
  /** What gives the name to each of those who wait for it. */
  readonly #queues = new Map<string, Set<() => void>>();
  #last = 0;

  query(): Promise<{ readonly held: readonly { readonly name: string; readonly clientId: string }[] }> {
    return Promise.resolve({ held: [...this.#held].map(([name, { clientId }]) => ({ name, clientId })) });
  }

  async request<T>(
    name: string,
    { signal, steal = false }: { readonly signal?: AbortSignal; readonly steal?: boolean },
    task: () => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const former = this.#held.get(name);
    if (former !== undefined && !steal) return this.#queue(name, signal, () => this.#hold(name, task));
    this.#held.delete(name);
    former?.lose(new DOMException("The lock was stolen", "AbortError"));
    return this.#hold(name, task);
  }

  /** Waits for the name, then calls `hold` in the same moment: nothing can come in between and keep it from being released. */
  #queue<T>(name: string, signal: AbortSignal | undefined, hold: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(name) ?? new Set();
    this.#queues.set(name, queue);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        signal?.removeEventListener("abort", giveUp);
        queue.delete(grant);
        if (queue.size === 0) this.#queues.delete(name);
      };
      const grant = (): void => {
        leave();
        resolve(hold());
      };
      const giveUp = (): void => {
        leave();
        reject(abortReason(signal));
      };
      queue.add(grant);
      signal?.addEventListener("abort", giveUp);
    });
  }

  async #hold<T>(name: string, task: () => Promise<T>): Promise<T> {
    const stolen = new AbortController();
    const holder = {
      clientId: `process-${String(++this.#last)}`,
      lose: (reason: Error): void => {
        stolen.abort(reason);
      },
    };
    this.#held.set(name, holder);
    try {
      return await untilAborted(task(), stolen.signal);
    } finally {
      if (this.#held.get(name) === holder) this.#release(name);
    }
  }

  /** Hands the name to the one who waits longest. */
  #release(name: string): void {
    this.#held.delete(name);
    const [grant] = this.#queues.get(name) ?? [];
    grant?.();
  }
}

const processLocks = new ProcessLocks();

/** Web Locks where there are any. Where there are none, there are no other contexts either: one set for the process. */
export function platformLocks(): LockProvider {
  const { navigator } = globalThis as { readonly navigator?: { readonly locks?: LockProvider } };
  return navigator?.locks ?? processLocks;
}
