/** What one page holds of an engine: a client with listeners of its own, told of everything once. */
import { Listeners, Scope } from "@coppice/kit";
import type { CallOptions, Client, ClientEvents, Conversation, Problem, Unsubscribe } from "../api.ts";
import { checkOptions } from "../call-options.ts";
import type { EngineConversation } from "../conversation/conversation.ts";
import { clientError, closedError, problemOf } from "../errors.ts";
import { SessionConversation } from "./session-conversation.ts";

/** What a session needs of its engine. */
export interface SessionHost {
  readonly user: string;
  readonly device: string;
  readonly online: boolean;
  readonly conversations: Iterable<EngineConversation>;
  readonly events: Listeners<HostEvents>;
  createGroup(title: string | undefined, signal: AbortSignal | undefined): Promise<EngineConversation>;
  sync(signal: AbortSignal | undefined): Promise<void>;
  /** Problems that nobody was told of: handed out once. */
  takeProblems(): readonly Problem[];
}

/** What an engine tells its sessions. */
export interface HostEvents {
  appeared: EngineConversation;
  gone: EngineConversation;
  connection: ClientEvents["connection"];
  problem: Problem;
}

export class Session implements Client {
  readonly #host: SessionHost;
  readonly #scope = new Scope();
  readonly #listeners: Listeners<ClientEvents>;
  readonly #conversations = new Map<string, SessionConversation>();
  readonly #releases: (() => void)[];
  readonly #onClose: (session: Session) => Promise<void>;
  #list: readonly Conversation[] = [];
  #closed: Promise<void> | undefined;
  #reportingListener = false;

  /** `onClose` ends what the session kept alive. */
  constructor(host: SessionHost, onClose: (session: Session) => Promise<void>) {
    this.#host = host;
    this.#onClose = onClose;
    this.#listeners = new Listeners<ClientEvents>(["conversation", "message", "connection", "problem"], (error) => {
      this.#listenerFailed(error);
    });
    const { events } = host;
    this.#releases = [
      events.add("appeared", (conversation) => {
        this.#add(conversation);
        const { id, snapshot } = conversation;
        this.#listeners.notify("conversation", { id, invitedBy: snapshot.invitedBy });
      }),
      events.add("gone", ({ id }) => {
        this.#drop(id);
      }),
      events.add("connection", (connection) => {
        this.#listeners.notify("connection", connection);
      }),
      events.add("problem", (problem) => {
        this.#listeners.notify("problem", problem);
      }),
    ];
    for (const conversation of host.conversations) this.#add(conversation);
  }

  get name(): string {
    return this.#host.user;
  }

  get device(): string {
    return this.#host.device;
  }

  get online(): boolean {
    return this.#host.online && !this.#scope.ended;
  }

  get conversations(): readonly Conversation[] {
    return this.#list;
  }

  /** Whether somebody is told of problems. */
  get hearsProblems(): boolean {
    return this.#listeners.count("problem") > 0;
  }

  conversation(id: string): Conversation | undefined {
    return this.#conversations.get(id);
  }

  on<K extends keyof ClientEvents>(event: K, listener: (value: ClientEvents[K]) => unknown): Unsubscribe {
    const release = this.#listeners.add(event, listener);
    if (event === "message") for (const conversation of this.#conversations.values()) conversation.handOver();
    if (event === "problem") {
      // Not before `on` has returned.
      queueMicrotask(() => {
        for (const problem of this.#host.takeProblems()) this.#listeners.notify("problem", problem);
      });
    }
    return release;
  }

  async createGroup(options: { readonly title?: string } & CallOptions = {}): Promise<Conversation> {
    checkOptions(options, '{ title: "Lunch" }');
    const { title, signal } = options;
    return this.#call(async () => {
      const { id } = await this.#host.createGroup(title, signal);
      const conversation = this.#conversations.get(id);
      if (conversation === undefined) throw new RangeError("A conversation that was created is there");
      return conversation;
    }, signal);
  }

  async sync(options: CallOptions = {}): Promise<void> {
    checkOptions(options);
    const { signal } = options;
    return this.#call(() => this.#host.sync(signal), signal);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Ends the session: calls reject from now on. */
  end(): void {
    for (const release of this.#releases.splice(0)) release();
    this.#scope.end(closedError());
    for (const conversation of this.#conversations.values()) conversation.release();
    this.#listeners.clear();
  }

  async #close(): Promise<void> {
    await this.#onClose(this);
    this.end();
  }

  /** Settles at the latest when the session is closed or the caller gives up. */
  async #call<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    this.#scope.throwIfEnded();
    signal?.throwIfAborted();
    return this.#scope.run(work(), signal);
  }

  #add(conversation: EngineConversation): void {
    const own = new SessionConversation(conversation, {
      scope: this.#scope,
      listenerFailed: (error) => {
        this.#listenerFailed(error);
      },
      hearsMessages: () => this.#listeners.count("message") > 0,
      onMessage: (value) => this.#listeners.notifyAndWait("message", value),
    });
    this.#conversations.set(conversation.id, own);
    if (this.#listeners.count("message") > 0) own.handOver();
    this.#list = Object.freeze([...this.#conversations.values()]);
  }

  #drop(id: string): void {
    this.#conversations.get(id)?.release();
    this.#conversations.delete(id);
    this.#list = Object.freeze([...this.#conversations.values()]);
  }

  /** Told once, not again if the listener of that event is the one that throws. */
  #listenerFailed(cause: unknown): void {
    if (this.#reportingListener) return;
    this.#reportingListener = true;
    const thrown = cause instanceof Error ? `${cause.name}: ${cause.message}` : "something that is no Error";
    const error = clientError("ERR_CLIENT_LISTENER", `A listener of the application threw ${thrown}`, {
      ...{ cause, detail: { thrown } },
    });
    this.#listeners.notify("problem", problemOf(error, undefined));
    this.#reportingListener = false;
  }
}
