/**
 * Exclusive sections by name, across contexts (Web Locks) or within one process. A lock orders work; it is no proof that
 * nobody else works, since a silent holder is passed by. What must not happen twice is guarded by a compare-and-swap.
 */
import { reportUncaught } from "./listeners.ts";
import { ProcessLocks } from "./process-locks.ts";
import { jitter, type Time } from "./time.ts";

/** A lock that is held or asked for. */
export interface LockInfo {
  readonly name?: string;
  /** The context that holds it or asks for it. */
  readonly clientId?: string;
}

/** The part of the Web Locks API that is used here. */
export interface LockProvider {
  request<T>(
    name: string,
    options: { readonly signal?: AbortSignal; readonly steal?: boolean },
    task: () => Promise<T>,
  ): Promise<T>;
  query(): Promise<{ readonly held?: readonly LockInfo[]; readonly pending?: readonly LockInfo[] }>;
}

/** A wait that lasted longer than it should. */
export interface Overdue {
  readonly lock: string;
  /** Milliseconds waited. */
  readonly waited: number;
  /** The context that holds the lock, as the platform calls it; `nobody` if the platform lost it. */
  readonly holder: string;
}

export interface LockOptions {
  /** Ends the wait for the lock, not the task. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds in the last eighth of which a holder is passed by that all who wait stand behind as they did before: its lock is
   * taken from it, and its `lost` signal aborts. A quarter of that if another holder was passed by in the ten seconds before.
   * Default: wait without limit.
   */
  readonly patience?: number | undefined;
  /** Told when a holder is passed by. */
  readonly onOverdue?: ((overdue: Overdue) => void) | undefined;
}

/** Who holds a lock, then who waits for it, in their order, by context. */
type Queue = readonly string[];

/** What one that waits saw last; undefined if somebody of this context has had the lock since. */
interface Watch {
  seen: Queue | undefined;
}

/** Milliseconds for which patience is short after a silent holder was met: contexts that freeze hold several locks at once. */
const ALERT = 10_000;

/** What is left of the patience then. */
const SHORT = 1 / 4;

/** Stands in a queue for the holder that a browser lost. */
const NOBODY = "nobody";

/** Runs tasks alone under a name. */
export class Locks {
  readonly #provider: LockProvider;
  readonly #time: Time;
  /** Those who wait with patience, by the name of the lock. */
  readonly #watches = new Map<string, Set<Watch>>();
  /** Until when patience is short. */
  #alertedUntil = -Infinity;

  constructor(provider: LockProvider, time: Time) {
    this.#provider = provider;
    this.#time = time;
  }

  /**
   * Runs `task` while nobody else runs one under `name`, first come, first served. Not reentrant. `lost` aborts if the lock
   * was taken away meanwhile; the task goes on, and what it returns is returned all the same. Rejects with the signal's reason
   * if it aborts before the task starts.
   */
  async run<T>(
    name: string,
    task: (lost: AbortSignal) => Promise<T>,
    { signal, patience, onOverdue }: LockOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    const wait = { started: false, passesBy: false };
    const waiting = new AbortController();
    const began = this.#time.elapsed();
    const abort = (): void => {
      waiting.abort();
    };
    const passBy = (holder: string): void => {
      wait.passesBy = true;
      waiting.abort();
      this.#alertedUntil = this.#time.elapsed() + ALERT;
      if (onOverdue !== undefined) told(onOverdue, { lock: name, waited: this.#time.elapsed() - began, holder });
    };
    const stopWatching = patience === undefined ? () => undefined : this.#watch(name, patience, passBy);
    const stop = (): void => {
      stopWatching();
      signal?.removeEventListener("abort", abort);
    };
    const start = (lost: AbortSignal): Promise<T> => {
      wait.started = true;
      stop();
      this.#noteGrant(name);
      return task(lost);
    };
    signal?.addEventListener("abort", abort);
    try {
      return await this.#request(name, { signal: waiting.signal }, (lost) => {
        // The grant may have been on its way when the wait ended.
        waiting.signal.throwIfAborted();
        return start(lost);
      });
    } catch (error) {
      if (wait.started) throw error;
      signal?.throwIfAborted();
      if (!wait.passesBy) throw error;
      return await this.#request(name, { steal: true }, start);
    } finally {
      stop();
    }
  }

  /** Calls back towards the end of the patience if nobody has moved up in the queue since its beginning. */
  #watch(name: string, wanted: number, onSilent: (holder: string) => void): () => void {
    const patience = this.#time.elapsed() < this.#alertedUntil ? wanted * SHORT : wanted;
    const watch: Watch = { seen: undefined };
    const watches = this.#watches.get(name) ?? new Set();
    this.#watches.set(name, watches.add(watch));
    let cancel = (): void => undefined;
    const lookAfter = (milliseconds: number): void => {
      cancel = this.#time.after(milliseconds, () => {
        void look();
      });
    };
    const look = async (): Promise<void> => {
      const queue = await this.#queue(name);
      if (!watches.has(watch)) return;
      const [holder] = queue;
      if (holder !== undefined && isStuck(watch.seen, queue)) {
        onSilent(holder);
      } else {
        watch.seen = queue;
        // Spread out: of several who lose patience, one takes the lock, and the others see a new holder.
        lookAfter((patience * 3) / 4 + jitter(this.#time, patience / 8));
      }
    };
    // Most locks are free, or soon are: asking who holds them would cost more than they do.
    lookAfter(patience / 8);
    return () => {
      cancel();
      watches.delete(watch);
      if (watches.size === 0 && this.#watches.get(name) === watches) this.#watches.delete(name);
    };
  }

  /** Between two looks somebody of this context had the lock: with its neighbours the queue may look the same. */
  #noteGrant(name: string): void {
    for (const watch of this.#watches.get(name) ?? []) watch.seen = undefined;
  }

  async #queue(name: string): Promise<Queue> {
    try {
      const { held = [], pending = [] } = await this.#provider.query();
      const ofName = (locks: readonly LockInfo[]): Queue =>
        locks.filter((lock) => lock.name === name).map(({ clientId = "" }) => clientId);
      const [holders, waiting] = [ofName(held), ofName(pending)];
      // Chromium can forget to pass on the lock of a page that was led away: all wait, and nobody holds it.
      return holders.length === 0 && waiting.length > 0 ? [NOBODY, ...waiting] : [...holders, ...waiting];
    } catch {
      // Who cannot be seen is not silent: look again.
      return [];
    }
  }

  /** A stolen lock rejects its request with a `DOMException` while the task goes on: here the task's outcome counts. */
  async #request<T>(
    name: string,
    options: { readonly signal?: AbortSignal; readonly steal?: boolean },
    task: (lost: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const lost = new AbortController();
    const hold: { running: Promise<T> | undefined; ended: boolean } = { running: undefined, ended: false };
    const end = (): void => {
      hold.ended = true;
    };
    try {
      return await this.#provider.request(name, options, () => {
        hold.running = task(lost.signal);
        hold.running.then(end, end);
        return hold.running;
      });
    } catch (error) {
      if (hold.running === undefined) throw error;
      if (!hold.ended) lost.abort(error);
      return await hold.running;
    }
  }
}

/** Whether nobody has moved up: all stand where they stood, and others at most behind them. */
function isStuck(before: Queue | undefined, now: Queue): boolean {
  return before !== undefined && before.length > 0 && before.every((clientId, i) => clientId === now[i]);
}

function told(onOverdue: (overdue: Overdue) => void, overdue: Overdue): void {
  try {
    onOverdue(overdue);
  } catch (error) {
    reportUncaught(error);
  }
}

const processLocks = new ProcessLocks();

/** Web Locks where there are any. Where there are none, there are no other contexts either: one set for the process. */
export function platformLocks(): LockProvider {
  const { navigator } = globalThis as { readonly navigator?: { readonly locks?: LockProvider } };
  return navigator?.locks ?? processLocks;
}
