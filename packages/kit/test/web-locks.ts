/** Web Locks of several contexts, as browsers have them: a context may ask for a lock many times. */
import { abortReason, type LockInfo, type LockProvider } from "../src/index.ts";

interface Request {
  readonly name: string;
  readonly clientId: string;
  readonly grant: () => void;
  readonly steal: () => void;
}

export class WebLocks {
  readonly #held: Request[] = [];
  readonly #pending: Request[] = [];
  /** An abort does not reach the queue: what was asked for is granted all the same, later. */
  grantsAborted = false;
  queries = 0;

  context(clientId: string): LockProvider {
    return {
      request: (name, { signal, steal = false }, task) => {
        if (signal !== undefined && steal) {
          return Promise.reject(new DOMException("steal and signal", "NotSupportedError"));
        }
        return this.#request({ name, clientId, signal, steal }, task);
      },
      query: () => {
        this.queries++;
        const listed = (requests: readonly Request[]): readonly LockInfo[] =>
          requests.map((request) => ({ name: request.name, clientId: request.clientId, mode: "exclusive" }));
        return Promise.resolve({ held: listed(this.#held), pending: listed(this.#pending) });
      },
    };
  }

  /** The holder ends, and the browser forgets to pass its lock on: seen in Chromium when a page was led away. */
  lose(name: string): void {
    const held = this.#held.find((request) => request.name === name);
    if (held !== undefined) remove(this.#held, held);
  }

  #request<T>(
    {
      name,
      clientId,
      signal,
      steal,
    }: {
      readonly name: string;
      readonly clientId: string;
      readonly signal: AbortSignal | undefined;
      readonly steal: boolean;
    },
    task: () => Promise<T>,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        if (!this.grantsAborted) remove(this.#pending, request);
        reject(abortReason(signal));
      };
      const release = (): void => {
        if (remove(this.#held, request)) this.#grantNext(name);
      };
      const request: Request = {
        name,
        clientId,
        // The callback runs in a later turn, in its own context.
        grant: () =>
          queueMicrotask(() => {
            signal?.removeEventListener("abort", abort);
            const running = new Promise<T>((start) => start(task()));
            running.then(resolve, reject).finally(release);
          }),
        steal: () => {
          remove(this.#held, request);
          reject(new DOMException("Lock broken by another request with the 'steal' option.", "AbortError"));
        },
      };
      if (steal) {
        for (const held of this.#held.filter((other) => other.name === name)) held.steal();
        this.#held.push(request);
        request.grant();
        return;
      }
      signal?.addEventListener("abort", abort, { once: true });
      this.#pending.push(request);
      this.#grantNext(name);
    });
  }

  #grantNext(name: string): void {
    if (this.#held.some((held) => held.name === name)) return;
    const next = this.#pending.find((pending) => pending.name === name);
    if (next === undefined) return;
    remove(this.#pending, next);
    this.#held.push(next);
    next.grant();
  }
}

function remove<T>(list: T[], item: T): boolean {
  const at = list.indexOf(item);
  if (at === -1) return false;
  list.splice(at, 1);
  return true;
}
