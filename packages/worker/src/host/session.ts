/** The worker's side of one connection: a page's calls on its client, and what the engine has to tell. */
import type { CallOptions, Client, Conversation } from "@coppice/client";
import type { BackupProgress } from "@coppice/client/backup";
import { CoppiceError, type Time } from "@coppice/kit";
import { transfer } from "comlink";
import { findCall, PROTOCOL } from "../calls.ts";
import { closedError, workerError } from "../errors.ts";
import { MAX_CALLS } from "../limits.ts";
import { holdLock, watchLock } from "../liveness.ts";
import {
  type AccountRequest,
  type BackupRequest,
  type FilePiece,
  type Greeting,
  type GreetingReply,
  type ItemEvent,
  type KeyChange,
  type Opened,
  type OpenRequest,
  type Outcome,
  pageLock,
  type Reply,
  type Request,
  request as requestCodec,
  type SessionApi,
  stateChange,
  type WireEvent,
  workerLock,
} from "../protocol.ts";
import { isRecord, within } from "../wire/codec.ts";
import { encodeError } from "../wire/error.ts";
import type { Engines, Lease } from "./engines.ts";
import type { Incoming, Outgoing } from "./transfer.ts";
import { Reporter } from "./reporter.ts";

/** What a session has once its account is open. */
interface Open {
  readonly lease: Lease;
  readonly reporter: Reporter;
}

export class Session implements SessionApi {
  readonly #engines: Engines;
  readonly #time: Time;
  readonly #onEnd: () => void;
  readonly #ended = new AbortController();
  /** After the engine has closed: until then the page must not take this worker for dead and terminate it. */
  readonly #gone = new AbortController();
  readonly #calls = new Map<number, AbortController>();
  #opening = false;
  #outgoing: Outgoing | undefined;
  #incoming: Incoming | undefined;
  #open: Open | undefined;

  /** `onEnd` is called when the session has ended and nothing will be said any more. */
  constructor(engines: Engines, time: Time, onEnd: () => void) {
    this.#engines = engines;
    this.#time = time;
    this.#onEnd = onEnd;
  }

  /** The one function that a page can call. It never rejects; what changed comes first in its reply. */
  readonly call = async (received: unknown): Promise<Reply> => {
    const buffers: Transferable[] = [];
    const outcome = await this.#outcome(received, buffers);
    // Nothing may come between taking the state and returning it: states arrive in the order in which they were taken.
    const state = this.#open?.reporter.takeState();
    return transfer({ ...outcome, state: state && stateChange.pack(state, buffers) }, buffers);
  };

  async #outcome(received: unknown, buffers: Transferable[]): Promise<Outcome> {
    try {
      return { ok: true, value: await this.#run(requestCodec.parse(received, this.#known), buffers) };
    } catch (error) {
      buffers.length = 0;
      return { ok: false, error: encodeError(error) };
    }
  }

  async #run({ call, target, conversation, method, args }: Request, buffers: Transferable[]): Promise<unknown> {
    const spec = findCall(target, method);
    if (spec === undefined) throw new TypeError("There is no such call");
    this.#ended.signal.throwIfAborted();
    const values = spec.args.map((codec, index) =>
      within(`Argument ${index + 1} of ${method}`, () => codec.parse(args[index], this.#known)),
    );
    const receiver = this.#receiver(target, conversation);
    const run = async (): Promise<unknown> => {
      const implementation: unknown = Reflect.get(receiver, method);
      if (typeof implementation !== "function") throw new TypeError("There is no such call");
      const result: unknown = await Reflect.apply(implementation, receiver, values);
      return packed(() => spec.result.pack(result, buffers));
    };
    if (!spec.takesSignal) return run();
    const signal = this.#begin(call);
    const options = values.pop();
    values.push({ ...(isRecord(options) ? options : {}), signal });
    try {
      return await run();
    } finally {
      this.#calls.delete(call);
    }
  }

  #receiver(target: Request["target"], conversation: string | undefined): object {
    switch (target) {
      case "session":
        return this;
      case "client":
        return this.#client();
      case "conversation":
        return this.#conversation(conversation ?? "");
    }
  }

  /** The signal of a call that has a number to abort it by. */
  #begin(call: number): AbortSignal {
    if (this.#calls.size >= MAX_CALLS) {
      throw new CoppiceError("ERR_CLIENT_QUEUE_FULL", "Too many calls wait at once; wait for some of them", {
        detail: { limit: MAX_CALLS },
      });
    }
    if (this.#calls.has(call)) throw new TypeError("A call of this number is running");
    const controller = new AbortController();
    this.#calls.set(call, controller);
    return controller.signal;
  }

  async greet({ connection, locked: pageLocked }: Greeting): Promise<GreetingReply> {
    const locked = await holdLock(workerLock(connection), this.#gone.signal);
    if (pageLocked) watchLock(pageLock(connection), this.#ended.signal, () => void this.end());
    return { protocol: PROTOCOL, locked };
  }

  async open(request: OpenRequest, { signal }: CallOptions = {}): Promise<Opened> {
    if (this.#opening) throw new TypeError("This connection has an account already");
    this.#opening = true;
    const lease = await this.#engines.open(request, signal ?? this.#ended.signal, (reason) => void this.end(reason));
    if (this.#ended.signal.aborted || signal?.aborted === true) {
      await lease.release();
      signal?.throwIfAborted();
      this.#ended.signal.throwIfAborted();
    }
    this.#open = { lease, reporter: new Reporter(lease.client, this.#time) };
    const { name, device } = lease.client;
    return { name, device };
  }

  async wipe(request: AccountRequest): Promise<void> {
    await this.#engines.wipe(request);
  }

  async changeKey(change: KeyChange): Promise<void> {
    await this.#engines.changeKey(change);
  }

  async backup(request: BackupRequest): Promise<void> {
    this.#beginTransfer();
    this.#outgoing = await this.#engines.backUp(request);
    await this.#unlessEnded();
  }

  async backupNext(): Promise<FilePiece> {
    if (this.#outgoing === undefined) throw new TypeError("This connection makes no backup");
    return this.#outgoing.next();
  }

  async restore(request: BackupRequest): Promise<void> {
    this.#beginTransfer();
    this.#incoming = await this.#engines.restore(request);
    await this.#unlessEnded();
  }

  async restorePiece(bytes: Uint8Array<ArrayBuffer>): Promise<BackupProgress> {
    if (this.#incoming === undefined) throw new TypeError("This connection restores no backup");
    return this.#incoming.push(bytes);
  }

  async restoreEnd(): Promise<void> {
    if (this.#incoming === undefined) throw new TypeError("This connection restores no backup");
    await this.#incoming.end();
  }

  async next(): Promise<readonly WireEvent[]> {
    return this.#reporter().next();
  }

  abort(call: number): Promise<void> {
    this.#calls.get(call)?.abort();
    return Promise.resolve();
  }

  async listen(conversation: string, event: ItemEvent): Promise<void> {
    this.#reporter().listen(this.#conversation(conversation), event);
    return Promise.resolve();
  }

  async unlisten(conversation: string, event: ItemEvent): Promise<void> {
    this.#reporter().unlisten(conversation, event);
    return Promise.resolve();
  }

  told(conversation: string, seq: number): Promise<void> {
    this.#reporter().told(conversation, seq);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.end();
  }

  /** Ends the session: the page is gone, has asked for it, or the engine ends. Never rejects. */
  async end(reason: CoppiceError = closedError()): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(reason);
    for (const call of this.#calls.values()) call.abort(reason);
    const open = this.#open;
    this.#open = undefined;
    open?.reporter.end(reason);
    await Promise.all([open?.lease.release(), this.#endTransfer(reason)]);
    this.#gone.abort();
    this.#onEnd();
  }

  #beginTransfer(): void {
    if (this.#opening) throw new TypeError("This connection has an account already");
    this.#opening = true;
  }

  /** The page may have gone while the transfer began. */
  async #unlessEnded(): Promise<void> {
    if (!this.#ended.signal.aborted) return;
    await this.#endTransfer(closedError());
    this.#ended.signal.throwIfAborted();
  }

  async #endTransfer(reason: CoppiceError): Promise<void> {
    await Promise.all([this.#outgoing?.end().catch(() => undefined), this.#incoming?.abort(reason)]);
  }

  readonly #known = (id: string): Conversation | undefined => this.#open?.lease.client.conversation(id);

  #client(): Client {
    return this.#session().lease.client;
  }

  #reporter(): Reporter {
    return this.#session().reporter;
  }

  #session(): Open {
    if (this.#open === undefined) throw new TypeError("This connection has no account");
    return this.#open;
  }

  #conversation(id: string): Conversation {
    const conversation = this.#client().conversation(id);
    if (conversation === undefined) {
      throw new CoppiceError("ERR_CLIENT_UNKNOWN_CONVERSATION", "There is no such conversation on this device");
    }
    return conversation;
  }
}

/** A result that is not what the engine's types promise is no mistake of the caller's. */
function packed(pack: () => unknown): unknown {
  try {
    return pack();
  } catch (error) {
    throw workerError("ERR_WORKER_INTERNAL", "The engine gave an impossible result; see the cause", { cause: error });
  }
}
