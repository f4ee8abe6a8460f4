/** A client whose engine lives in a worker: the newest state is here, everything else is a call. */
import type { Client, ClientEvents, Conversation, Unsubscribe } from "@coppice/client";
import { type CoppiceError, isCoppiceError, Listeners, sleep, type Time, untilAborted } from "@coppice/kit";
import { CALLS } from "../calls.ts";
import { closedError, workerError } from "../errors.ts";
import type { Opened, OpenRequest, StateChange, WireEvent } from "../protocol.ts";
import { type Connection, Link } from "./link.ts";
import { type MessageListeners, RemoteConversation } from "./remote-conversation.ts";
import { remoteMethods } from "./remote-methods.ts";

/** Milliseconds that an engine gets to close before its worker is ended all the same. */
const CLOSE_MS = 5_000;

export interface ConnectOptions {
  readonly time: Time;
  readonly signal: AbortSignal | undefined;
}

/** Opens an account on the other side of `connection`, which is released if that fails. */
export async function openRemote(
  connection: Connection,
  request: OpenRequest,
  { time, signal }: ConnectOptions,
): Promise<Client> {
  const client = new RemoteClient(connection, time);
  return client.open(request, signal);
}

/** Makes one call to the other side of `connection`, which is released afterwards. */
export async function callRemote(
  connection: Connection,
  call: (session: Link["session"]) => Promise<void>,
  { time, signal }: ConnectOptions,
): Promise<void> {
  const link = new Link(connection, { time, known: () => undefined, onState: nothing, onFailure: nothing });
  try {
    await link.greet(signal);
    await untilAborted(call(link.session), signal);
  } finally {
    link.end(closedError);
  }
}

const nothing = (): void => undefined;

class RemoteClient {
  readonly #time: Time;
  readonly #link: Link;
  readonly #listeners = new Listeners<ClientEvents>(["conversation", "message", "connection", "problem"]);
  readonly #messageListeners: MessageListeners = {
    count: () => this.#listeners.count("message"),
    tell: (value) => this.#listeners.notifyAndWait("message", value),
  };
  readonly #byId = new Map<string, RemoteConversation>();
  #conversations: readonly Conversation[] = Object.freeze([]);
  #online = false;
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, time: Time) {
    this.#time = time;
    this.#link = new Link(connection, {
      time,
      known: (id) => this.#byId.get(id)?.facade,
      onState: (state) => {
        this.#takeState(state);
      },
      onFailure: ({ code, message, detail }) => {
        this.#goOffline();
        this.#listeners.notify("problem", { code, message, conversation: undefined, detail });
      },
    });
  }

  async open(request: OpenRequest, signal: AbortSignal | undefined): Promise<Client> {
    try {
      await this.#link.greet(signal);
      const opened = await this.#link.session.open(request, signal === undefined ? {} : { signal });
      void this.#follow();
      return this.#facade(opened);
    } catch (error) {
      this.#link.end(closedError);
      throw error;
    }
  }

  /** What the application holds: frozen, without private fields and without `this`, see `RemoteConversation`. */
  #facade({ name, device }: Opened): Client {
    const isOnline = (): boolean => this.#online;
    const list = (): readonly Conversation[] => this.#conversations;
    return Object.freeze({
      ...remoteMethods(CALLS.client, (method, args) => this.#link.call("client", undefined, method, args)),
      name,
      device,
      get online() {
        return isOnline();
      },
      get conversations() {
        return list();
      },
      conversation: (id: string) => this.#byId.get(id)?.facade,
      on: <K extends keyof ClientEvents>(event: K, listener: (value: ClientEvents[K]) => unknown) =>
        this.#on(event, listener),
      close: () => {
        this.#closing ??= this.#close();
        return this.#closing;
      },
    });
  }

  #on<K extends keyof ClientEvents>(event: K, listener: (value: ClientEvents[K]) => unknown): Unsubscribe {
    const remove = this.#listeners.add(event, listener);
    if (event !== "message") return remove;
    const follow = (): void => {
      for (const conversation of this.#byId.values()) conversation.followMessages();
    };
    follow();
    return () => {
      remove();
      follow();
    };
  }

  async #close(): Promise<void> {
    this.#link.expectEnd(closedError);
    const closed = new AbortController();
    // The engine may be beyond closing; its state is durable, so it can be ended at any time.
    const patience = sleep(this.#time, CLOSE_MS, closed.signal).catch(() => undefined);
    await Promise.race([this.#link.session.close().catch(() => undefined), patience]);
    closed.abort();
    this.#link.end(closedError);
    this.#goOffline();
  }

  /** Asks for what the engine tells, until the link ends. */
  async #follow(): Promise<void> {
    try {
      for (;;) for (const event of await this.#link.session.next()) this.#tell(event);
    } catch (error) {
      this.#link.fail(() => asCoppiceError(error));
    }
  }

  /** Takes over the state, then tells the listeners: what they look at is up to date. */
  #takeState({ online, conversations, snapshots }: StateChange): void {
    this.#online = online;
    const changed: (() => void)[] = [];
    for (const snapshot of snapshots) {
      const conversation = this.#byId.get(snapshot.id);
      if (conversation === undefined) {
        this.#byId.set(snapshot.id, new RemoteConversation(this.#link, snapshot, this.#messageListeners));
      } else {
        conversation.replaceSnapshot(snapshot);
        changed.push(() => {
          conversation.notify("change", snapshot);
        });
      }
    }
    if (conversations !== undefined) this.#arrange(conversations);
    for (const notify of changed) notify();
  }

  #arrange(ids: readonly string[]): void {
    const listed = new Set(ids);
    const arranged = [...listed].map((id) => {
      const conversation = this.#byId.get(id);
      if (conversation === undefined) throw new TypeError("A conversation has no snapshot");
      return conversation.facade;
    });
    for (const id of this.#byId.keys()) if (!listed.has(id)) this.#byId.delete(id);
    this.#conversations = Object.freeze(arranged);
  }

  #goOffline(): void {
    if (!this.#online) return;
    this.#online = false;
    this.#listeners.notify("connection", { online: false, transport: undefined });
  }

  #tell(event: WireEvent): void {
    switch (event.type) {
      case "conversation":
        this.#listeners.notify("conversation", event.value);
        return;
      case "connection":
        this.#listeners.notify("connection", event.value);
        return;
      case "problem":
        this.#listeners.notify("problem", event.value);
        return;
      case "message":
        this.#byId.get(event.conversation)?.receive(event.value);
        return;
      case "item":
        this.#byId.get(event.conversation)?.notify("item", event.value);
        return;
      case "discarded":
        this.#byId.get(event.conversation)?.notify("discarded", event.value);
    }
  }
}

function asCoppiceError(error: unknown): CoppiceError {
  if (isCoppiceError(error)) return error;
  return workerError("ERR_WORKER_INTERNAL", "The worker stopped reporting events", { cause: error });
}
