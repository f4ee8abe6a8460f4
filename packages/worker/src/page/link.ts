/** The page's side of one connection: calls that always settle. */
import type { CallOptions } from "@coppice/client";
import type { CoppiceError } from "@coppice/core/errors";
import { expose, wrap } from "comlink";
import { Channel, type Port } from "../channel.ts";
import { registerErrorHandler, workerError } from "../errors.ts";
import { connectionName, holdLock, watchLock } from "../liveness.ts";
import {
  type Hostile,
  PAGE_METHODS,
  type PageFacade,
  pageLock,
  PROTOCOL_VERSION,
  type Remote,
  type WorkerFacade,
  workerLock,
} from "../protocol.ts";
import { count, flag, record } from "../wire/primitives.ts";
import { untilAborted } from "./abort.ts";

/** Milliseconds in which a worker must load and answer. */
const GREETING_MS = 60_000;

/** A worker or a port to one, and how to let go of it. */
export interface Connection {
  readonly port: Port;
  /** Where `error`, `messageerror` and `close` are reported: the worker or the port. */
  readonly errors: readonly Pick<Port, "addEventListener" | "removeEventListener">[];
  /** Ends a dedicated worker, closes the port to a shared one. */
  readonly release: () => void;
}

/** Who is told of what the worker reports. */
export interface LinkEvents {
  /** A batch that nobody has checked; what this throws ends the link with `ERR_WORKER_MESSAGE`. */
  readonly onBatch: (batch: unknown) => void;
  /** The link failed: nothing will come any more. */
  readonly onFailure: (error: CoppiceError) => void;
}

export class Link {
  readonly #connection: Connection;
  readonly #channel: Channel;
  readonly #worker: Remote<WorkerFacade>;
  readonly #onFailure: LinkEvents["onFailure"];
  readonly #ended = new AbortController();
  /** Rejections of the calls that wait. */
  readonly #pending = new Set<(error: Error) => void>();
  #failure: (() => CoppiceError) | undefined;
  #expected: (() => CoppiceError) | undefined;
  #lastCall = 0;

  constructor(connection: Connection, { onBatch, onFailure }: LinkEvents) {
    registerErrorHandler();
    this.#connection = connection;
    this.#onFailure = onFailure;
    for (const source of connection.errors) {
      for (const type of ["error", "messageerror", "close"]) source.addEventListener(type, this.#onEvent);
    }
    this.#channel = new Channel(connection.port, PAGE_METHODS);
    this.#worker = wrap<WorkerFacade>(this.#channel.replies);
    const facade: Hostile<PageFacade> = {
      deliver: (batch) => {
        try {
          onBatch(batch);
        } catch (error) {
          this.fail(() => malformed(error));
        }
        return Promise.resolve();
      },
    };
    expose(Object.freeze(facade), this.#channel.requests);
  }

  /** Waits for the worker's first reply. `ERR_WORKER_VERSION` for one of another build, `ERR_WORKER_DIED` for none. */
  async greet({ signal }: CallOptions = {}): Promise<void> {
    const connection = connectionName();
    const locked = await holdLock(pageLock(connection), this.#ended.signal);
    const silent = setTimeout(() => {
      this.fail(() => workerError("ERR_WORKER_DIED", "The worker did not answer"));
    }, GREETING_MS);
    try {
      const reply = record(
        await this.call(signal, (worker) => worker.greet({ version: PROTOCOL_VERSION, connection, locked })),
      );
      const version = parseReply(reply["version"], count);
      if (version !== PROTOCOL_VERSION) {
        throw workerError("ERR_WORKER_VERSION", "Page and worker are of different builds of Coppice", {
          detail: { page: PROTOCOL_VERSION, worker: version },
        });
      }
      if (parseReply(reply["locked"], flag)) {
        watchLock(workerLock(connection), this.#ended.signal, () => {
          this.fail(died);
        });
      }
    } finally {
      clearTimeout(silent);
    }
  }

  /**
   * Calls the worker; the number names the call in `abort`. Rejects with the worker's error, with the signal's reason as
   * soon as it aborts, with why the link failed.
   */
  async call(
    signal: AbortSignal | undefined,
    start: (worker: Remote<WorkerFacade>, call: number) => Promise<unknown>,
  ): Promise<unknown> {
    if (this.#failure !== undefined) throw this.#failure();
    signal?.throwIfAborted();
    const call = ++this.#lastCall;
    return untilAborted(
      new Promise<unknown>((resolve, reject) => {
        this.#pending.add(reject);
        const work = async (): Promise<unknown> => start(this.#worker, call);
        void work()
          .then(resolve, reject)
          .finally(() => this.#pending.delete(reject));
      }),
      signal,
      () => {
        this.post((worker) => worker.abort(call));
      },
    );
  }

  /** Calls the worker where nobody waits for the outcome. */
  post(start: (worker: Remote<WorkerFacade>) => Promise<unknown>): void {
    if (this.#failure === undefined) start(this.#worker).catch(() => undefined);
  }

  /** The worker was asked to end: when it does, that is no failure, and what still waits rejects with `reason`. */
  expectEnd(reason: () => CoppiceError): void {
    this.#expected = reason;
  }

  /** Ends the link for an unexpected reason: what waits rejects, the worker is let go. */
  fail(failure: () => CoppiceError): void {
    if (this.end(this.#expected ?? failure) && this.#expected === undefined) this.#onFailure(failure());
  }

  /** Ends the link; calls reject with `failure` from now on. False if it had ended before. */
  end(failure: () => CoppiceError): boolean {
    if (this.#failure !== undefined) return false;
    this.#failure = failure;
    for (const source of this.#connection.errors) {
      for (const type of ["error", "messageerror", "close"]) source.removeEventListener(type, this.#onEvent);
    }
    this.#channel.close();
    this.#connection.release();
    this.#ended.abort();
    for (const reject of this.#pending) reject(failure());
    this.#pending.clear();
    return true;
  }

  readonly #onEvent = (event: Event): void => {
    // What the worker's code threw may quote what it worked on: it is not repeated here.
    const failures: Readonly<Record<string, () => CoppiceError>> = {
      messageerror: () => workerError("ERR_WORKER_MESSAGE", "A message of the worker was lost"),
      close: () => workerError("ERR_WORKER_CLOSED", "The port to the worker was closed"),
    };
    this.fail(failures[event.type] ?? died);
  };
}

/** Checks what the worker answered. A reply of the wrong shape is `ERR_WORKER_MESSAGE`. */
export function parseReply<T>(value: unknown, parse: (value: unknown) => T): T {
  try {
    return parse(value);
  } catch (error) {
    throw malformed(error);
  }
}

const died = (): CoppiceError => workerError("ERR_WORKER_DIED", "The worker ended; open the client again");
const malformed = (cause: unknown): CoppiceError =>
  workerError("ERR_WORKER_MESSAGE", "The worker sent a malformed message", { cause });
