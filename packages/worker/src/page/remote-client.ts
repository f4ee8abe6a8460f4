/** A client whose engine lives in a worker: the newest state is here, everything else is a call. */
import type { CallOptions, Client, ClientEvents, Conversation, Unsubscribe } from "@coppice/client";
import { CoppiceError } from "@coppice/core/errors";
import { workerError } from "../errors.ts";
import { MAX_TEXT, type OpenRequest, type WireEvent } from "../protocol.ts";
import { parseBatch } from "../wire/batch.ts";
import { text } from "../wire/primitives.ts";
import { type Connection, Link, parseReply } from "./link.ts";
import { Listeners } from "./listeners.ts";
import { RemoteConversation } from "./remote-conversation.ts";

/** Milliseconds that an engine gets to close before its worker is ended all the same. */
const CLOSE_MS = 5_000;

export class RemoteClient implements Client {
  readonly #link: Link;
  readonly #listeners = new Listeners<ClientEvents>({
    conversation: new Set(),
    connection: new Set(),
    problem: new Set(),
  });
  readonly #byId = new Map<string, RemoteConversation>();
  #conversations: readonly RemoteConversation[] = Object.freeze([]);
  #name = "";
  #online = false;
  #closing: Promise<void> | undefined;

  private constructor(connection: Connection) {
    this.#link = new Link(connection, {
      onBatch: (batch) => {
        this.#apply(batch);
      },
      onFailure: (error) => {
        this.#setOnline(false);
        this.#listeners.notify("problem", { code: error.code, message: error.message, conversation: undefined });
      },
    });
  }

  /** Opens an engine on the other side of `connection`, which is released if that fails. */
  static async open(connection: Connection, request: OpenRequest, { signal }: CallOptions): Promise<RemoteClient> {
    const client = new RemoteClient(connection);
    try {
      await client.#link.greet(signal === undefined ? {} : { signal });
      const name = await client.#link.call(signal, (worker, call) => worker.open(call, request));
      client.#name = parseReply(name, (value) => text(value, MAX_TEXT));
      return client;
    } catch (error) {
      client.#link.end(closed);
      throw error;
    }
  }

  get name(): string {
    return this.#name;
  }

  get online(): boolean {
    return this.#online;
  }

  get conversations(): readonly Conversation[] {
    return this.#conversations;
  }

  conversation(id: string): Conversation | undefined {
    return this.#byId.get(id);
  }

  on<K extends keyof ClientEvents>(event: K, listener: (value: ClientEvents[K]) => void): Unsubscribe {
    return this.#listeners.add(event, listener);
  }

  async createGroup({ title, signal }: { readonly title?: string } & CallOptions = {}): Promise<Conversation> {
    const reply = await this.#link.call(signal, (worker, call) => worker.createGroup(call, title));
    const id = parseReply(reply, (value) => text(value, MAX_TEXT));
    const conversation = this.#byId.get(id);
    if (conversation === undefined) throw workerError("ERR_WORKER_MESSAGE", "The worker named an unknown conversation");
    return conversation;
  }

  async sync({ signal }: CallOptions = {}): Promise<void> {
    await this.#link.call(signal, (worker, call) => worker.sync(call));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#link.expectEnd(closed);
    const patience = new AbortController();
    const timer = setTimeout(() => {
      patience.abort();
    }, CLOSE_MS);
    // The engine may be beyond closing; its state is durable, so it can be ended at any time.
    await this.#link.call(patience.signal, (worker) => worker.close()).catch(() => undefined);
    clearTimeout(timer);
    this.#link.end(closed);
    this.#setOnline(false);
  }

  /** Takes over the state, then tells the listeners: what they look at is up to date. */
  #apply(received: unknown): void {
    const { state, events } = parseBatch(received, (id) => this.#byId.get(id)?.snapshot.members);
    const changed: RemoteConversation[] = [];
    for (const snapshot of state.snapshots) {
      const conversation = this.#byId.get(snapshot.id);
      if (conversation === undefined) {
        this.#byId.set(snapshot.id, new RemoteConversation(this.#link, snapshot));
      } else {
        conversation.replaceSnapshot(snapshot);
        changed.push(conversation);
      }
    }
    if (state.conversations !== undefined) this.#arrange(state.conversations);
    for (const conversation of changed) conversation.notify("change", conversation.snapshot);
    this.#setOnline(state.online);
    for (const event of events) this.#tell(event);
  }

  #arrange(ids: readonly string[]): void {
    const listed = new Map(
      ids.map((id) => {
        const conversation = this.#byId.get(id);
        if (conversation === undefined) throw new TypeError("a conversation without a snapshot");
        return [id, conversation];
      }),
    );
    for (const id of this.#byId.keys()) if (!listed.has(id)) this.#byId.delete(id);
    this.#conversations = Object.freeze([...listed.values()]);
  }

  #setOnline(online: boolean): void {
    if (online === this.#online) return;
    this.#online = online;
    this.#listeners.notify("connection", { online });
  }

  #tell(event: WireEvent): void {
    switch (event.type) {
      case "conversation":
        this.#listeners.notify("conversation", event.value);
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

const closed = (): CoppiceError => new CoppiceError("ERR_CLIENT_CLOSED", "This client was closed");
