/** The page's side of one connection: calls that always settle. */
import { type CoppiceError, type Time, untilAborted } from "@coppice/kit";
import { transfer, wrap } from "comlink";
import { type AnyCall, CALLS, findCall, PROTOCOL } from "../calls.ts";
import { type Channel, type Port, repliesOnly } from "../channel.ts";
import { workerError } from "../errors.ts";
import { connectionName, holdLock, watchLock } from "../liveness.ts";
import {
  pageLock,
  parseReply,
  parseState,
  type Request,
  type SessionApi,
  type StateChange,
  workerLock,
} from "../protocol.ts";
import { isRecord, type Known, within } from "../wire/codec.ts";
import { remoteMethods, type RemoteMethods } from "./remote-methods.ts";

/** Milliseconds in which a worker must load and answer. */
const GREETING_MS = 60_000;

/** A worker or a port to one, and how to let go of it. */
export interface Connection {
  readonly port: Port;
  /** Where `error`, `messageerror` and `close` are reported: the worker or the port. */
  readonly errors: readonly Pick<Port, "addEventListener" | "removeEventListener">[];
  /** Where the script is, if this package started it. */
  readonly url: string | undefined;
  /** Ends a dedicated worker, closes the port to a shared one. */
  readonly release: () => void;
}

export interface LinkOptions {
  readonly time: Time;
  readonly known: Known;
  /** Told of each new state, before the call that brought it settles. What it throws ends the link. */
  readonly onState: (state: StateChange) => void;
  /** The link failed: nothing will come any more. */
  readonly onFailure: (error: CoppiceError) => void;
}

export class Link {
  /** The session's own calls. */
  readonly session: RemoteMethods<SessionApi>;
  readonly #connection: Connection;
  readonly #options: LinkOptions;
  readonly #channel: Channel;
  readonly #worker: (request: Request) => Promise<unknown>;
  readonly #ended = new AbortController();
  /** Rejections of the calls that wait. */
  readonly #pending = new Set<(error: Error) => void>();
  #failure: (() => CoppiceError) | undefined;
  #expected: (() => CoppiceError) | undefined;
  #greeted = false;
  #lastCall = 0;

  constructor(connection: Connection, options: LinkOptions) {
    this.#connection = connection;
    this.#options = options;
    for (const source of connection.errors) {
      for (const type of ["error", "messageerror", "close"]) source.addEventListener(type, this.#onEvent);
    }
    this.#channel = repliesOnly(connection.port);
    const worker = wrap<(request: Request) => unknown>(this.#channel);
    this.#worker = (request) => worker(request);
    this.session = remoteMethods(CALLS.session, (method, args) => this.call("session", undefined, method, args));
  }

  /** Waits for the worker's first reply. `ERR_WORKER_VERSION` for one of another build, `ERR_WORKER_DIED` for none. */
  async greet(signal: AbortSignal | undefined): Promise<void> {
    const connection = connectionName();
    const greeting = {
      protocol: PROTOCOL,
      connection,
      locked: await holdLock(pageLock(connection), this.#ended.signal),
    };
    const stop = this.#options.time.after(GREETING_MS, () => {
      this.fail(() => workerError("ERR_WORKER_DIED", "The worker did not answer"));
    });
    try {
      const { protocol, locked } = await untilAborted(this.session.greet(greeting), signal);
      if (protocol !== PROTOCOL) {
        throw workerError("ERR_WORKER_VERSION", "Page and worker are of different builds of Coppice; reload the page", {
          detail: { page: PROTOCOL, worker: protocol },
        });
      }
      this.#greeted = true;
      if (locked) {
        watchLock(workerLock(connection), this.#ended.signal, () => {
          this.fail(died);
        });
      }
    } finally {
      stop();
    }
  }

  /**
   * Calls a method of the worker's with what the application handed in. Rejects with the worker's error, with the reason of
   * a signal among the arguments as soon as it aborts, with why the link failed.
   */
  async call(
    target: Request["target"],
    conversation: string | undefined,
    method: string,
    given: readonly unknown[],
  ): Promise<unknown> {
    if (this.#failure !== undefined) throw this.#failure();
    const spec = findCall(target, method);
    if (spec === undefined) throw new RangeError(`There is no call ${method}`);
    const buffers: Transferable[] = [];
    const args = spec.args.map((codec, index) =>
      within(`Argument ${index + 1} of ${method}`, () => codec.pack(given[index], buffers)),
    );
    const signal = spec.takesSignal ? signalOf(given[spec.args.length - 1]) : undefined;
    signal?.throwIfAborted();
    const call = ++this.#lastCall;
    const reply = this.#settled(spec, transfer({ call, target, conversation, method, args }, buffers));
    return untilAborted(reply, signal, () => {
      this.#post(this.session.abort(call));
    });
  }

  /** Asks the worker to report an event, where nobody waits for the outcome. */
  listen(...args: Parameters<SessionApi["listen"]>): void {
    this.#post(this.session.listen(...args));
  }

  /** Asks the worker to report an event no longer. */
  unlisten(...args: Parameters<SessionApi["unlisten"]>): void {
    this.#post(this.session.unlisten(...args));
  }

  #post(call: Promise<void>): void {
    call.catch(() => undefined);
  }

  /** The worker was asked to end: when it does, that is no failure, and what still waits rejects with `reason`. */
  expectEnd(reason: () => CoppiceError): void {
    this.#expected = reason;
  }

  /** Ends the link for an unexpected reason: what waits rejects, the worker is let go. */
  fail(failure: () => CoppiceError): void {
    if (this.end(this.#expected ?? failure) && this.#expected === undefined) this.#options.onFailure(failure());
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

  /** Settles with the reply's outcome, or with why the link failed. */
  #settled(spec: AnyCall, request: Request): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      this.#exchange(spec, request)
        .then(resolve, reject)
        .finally(() => this.#pending.delete(reject));
    });
  }

  async #exchange(spec: AnyCall, request: Request): Promise<unknown> {
    const received = await this.#worker(request);
    if (this.#failure !== undefined) throw this.#failure();
    const { state, error, value } = checked(() => parseReply(received));
    if (state !== undefined) this.#takeState(state);
    if (error !== undefined) throw error;
    return checked(() => spec.result.parse(value, this.#options.known));
  }

  /** A state that cannot be taken is missing from now on: the link ends. */
  #takeState(state: unknown): void {
    try {
      this.#options.onState(parseState(state));
    } catch (error) {
      this.fail(() => malformed(error));
      throw malformed(error);
    }
  }

  readonly #onEvent = (event: Event): void => {
    // What the worker's code threw may quote what it worked on: it is not repeated here.
    const failures: Readonly<Record<string, () => CoppiceError>> = {
      messageerror: () => workerError("ERR_WORKER_MESSAGE", "A message of the worker was lost"),
      close: () => workerError("ERR_WORKER_CLOSED", "The port to the worker was closed"),
      error: () => (this.#greeted || "message" in event ? died() : notLoaded(this.#connection.url)),
    };
    this.fail(failures[event.type] ?? died);
  };
}

/** What the worker said, checked. Anything of the wrong shape is `ERR_WORKER_MESSAGE`. */
function checked<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw malformed(error);
  }
}

function signalOf(options: unknown): AbortSignal | undefined {
  const signal = isRecord(options) ? options["signal"] : undefined;
  return signal instanceof AbortSignal ? signal : undefined;
}

const died = (): CoppiceError => workerError("ERR_WORKER_DIED", "The worker ended; open the client again");

const malformed = (cause: unknown): CoppiceError =>
  workerError("ERR_WORKER_MESSAGE", "The worker sent a malformed message", { cause });

function notLoaded(url: string | undefined): CoppiceError {
  const script = url === undefined ? "that the option worker starts" : url;
  return workerError(
    "ERR_WORKER_NOT_LOADED",
    `The worker's script could not be loaded: ${script}. See "Bundlers" and "Content security policy" in the README of coppice`,
    url === undefined ? {} : { detail: { url } },
  );
}
