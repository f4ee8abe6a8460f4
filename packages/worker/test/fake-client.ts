/** A client without cryptography or server, to see what the boundary makes of one. */
import { CoppiceError } from "@coppice/kit";
import type {
  CallOptions,
  Client,
  ClientEvents,
  Conversation,
  ConversationEvents,
  ConversationSnapshot,
  HistoryItem,
  MembersPage,
  PruneQuery,
  Unsubscribe,
} from "../src/index.ts";

type Sets<Events> = { readonly [K in keyof Events]: Set<(value: Events[K]) => unknown> };

export type Message = Extract<HistoryItem, { kind: "message" }>;

/** Waits for the signal; what a call that never ends does. */
export function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason as Error));
  });
}

export class FakeConversation implements Conversation {
  readonly id: string;
  readonly items: HistoryItem[] = [];
  /** Items whose messages were reported. */
  handedOver = 0;
  /** Messages whose listeners have all settled. */
  readonly acknowledged: number[] = [];
  /** Listeners to the messages of all conversations. */
  all: Set<(value: ClientEvents["message"]) => unknown> = new Set();
  readonly calls: unknown[][] = [];
  users: readonly string[] = ["alice"];
  /** Replaces what the next calls do. */
  behaviour: ((method: string, options: CallOptions | undefined) => Promise<void>) | undefined;
  readonly listeners: Sets<ConversationEvents> = {
    message: new Set(),
    item: new Set(),
    discarded: new Set(),
    change: new Set(),
  };
  snapshot: ConversationSnapshot;

  constructor(id: string, title = "") {
    this.id = id;
    this.snapshot = {
      id,
      title,
      status: "active",
      problem: undefined,
      epoch: 0n,
      memberCount: 1,
      invitedBy: undefined,
      pending: undefined,
      lastItem: 0,
    };
  }

  change(changes: Partial<ConversationSnapshot>): void {
    this.snapshot = { ...this.snapshot, ...changes };
    this.emit("change", this.snapshot);
  }

  emit<K extends keyof ConversationEvents>(event: K, value: ConversationEvents[K]): void {
    for (const listener of [...this.listeners[event]]) listener(value);
  }

  /** A message of another member: into the history, to the listeners. */
  receive(data: Uint8Array<ArrayBuffer>): Message {
    const message = this.message(data, { sender: "bob", isSelf: false, state: "sent" });
    this.emit("item", message);
    this.handOver();
    return message;
  }

  /** Reports the messages that nobody was told of, as long as somebody listens. */
  handOver(): void {
    while (this.listeners.message.size + this.all.size > 0) {
      const item = this.items[this.handedOver];
      if (item === undefined) return;
      this.handedOver += 1;
      if (item.kind !== "message" || item.isSelf) continue;
      const own = [...this.listeners.message].map((listener) => listener(item));
      const all = [...this.all].map((listener) => listener({ conversation: this.id, message: item }));
      void Promise.all([...own, ...all]).then(() => this.acknowledged.push(item.seq));
    }
  }

  message(data: Uint8Array<ArrayBuffer>, rest: Pick<Message, "sender" | "isSelf" | "state">): Message {
    const seq = this.items.length + 1;
    const id = `${seq}`.padStart(32, "0");
    const item: Message = { seq, kind: "message", id, data, at: 1000 + seq, epoch: 1n, problem: undefined, ...rest };
    this.items.push(item);
    return item;
  }

  on<K extends keyof ConversationEvents>(event: K, listener: (value: ConversationEvents[K]) => unknown): Unsubscribe {
    this.listeners[event].add(listener);
    if (event === "message") queueMicrotask(() => this.handOver());
    return () => this.listeners[event].delete(listener);
  }

  async history(
    query: { before?: number; limit?: number } = {},
    options?: CallOptions,
  ): Promise<readonly HistoryItem[]> {
    await this.#run("history", [query], options);
    const { before = Infinity, limit = 100 } = query;
    return this.items.filter(({ seq }) => seq < before).slice(-limit);
  }

  async members(
    query: { readonly after?: string; readonly limit?: number } = {},
    options?: CallOptions,
  ): Promise<MembersPage> {
    await this.#run("members", [query], options);
    const start = query.after === undefined ? 0 : Number(query.after);
    const end = start + (query.limit ?? 100);
    const members = this.users.slice(start, end).map((user, index) => ({
      user,
      isSelf: user === "alice",
      devices: [{ device: "00".repeat(16), leafIndex: start + index }],
    }));
    return { members, next: end < this.users.length ? String(end) : undefined };
  }

  async safetyNumber(options?: CallOptions): Promise<string> {
    await this.#run("safetyNumber", [], options);
    return "12345 ".repeat(12).trim();
  }

  async add(users: string | readonly string[], options?: CallOptions): Promise<void> {
    await this.#run("add", [users], options);
    this.users = [...this.users, ...(typeof users === "string" ? [users] : users)];
    this.change({ epoch: this.snapshot.epoch + 1n, memberCount: this.users.length });
  }

  async prune(query: PruneQuery, options?: CallOptions): Promise<number> {
    await this.#run("prune", [query], options);
    return 3;
  }

  acknowledge = (seq: number, options?: CallOptions): Promise<void> => this.#run("acknowledge", [seq], options);
  remove = (users: string | readonly string[], options?: CallOptions): Promise<void> =>
    this.#run("remove", [users], options);
  leave = (options?: CallOptions): Promise<void> => this.#run("leave", [], options);
  update = (options?: CallOptions): Promise<void> => this.#run("update", [], options);
  resend = (seq: number, options?: CallOptions): Promise<void> => this.#run("resend", [seq], options);
  discard = (seq: number, options?: CallOptions): Promise<void> => this.#run("discard", [seq], options);
  rejoin = (options?: CallOptions): Promise<void> => this.#run("rejoin", [], options);
  forget = (options?: CallOptions): Promise<void> => this.#run("forget", [], options);

  async rename(title: string, options?: CallOptions): Promise<void> {
    await this.#run("rename", [title], options);
    this.change({ title });
  }

  async send(data: Uint8Array | string, options?: CallOptions): Promise<HistoryItem> {
    await this.#run("send", [data], options);
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data);
    const item = this.message(bytes, { sender: "alice", isSelf: true, state: "sending" });
    this.emit("item", item);
    return item;
  }

  async exportSecret(label: string, context: Uint8Array, length: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.#run("exportSecret", [label, context, length], undefined);
    return new Uint8Array(length).fill(7);
  }

  async epochAuthenticator(options?: CallOptions): Promise<Uint8Array<ArrayBuffer>> {
    await this.#run("epochAuthenticator", [], options);
    return new Uint8Array(32).fill(8);
  }

  async #run(method: string, args: unknown[], options: CallOptions | undefined): Promise<void> {
    this.calls.push([method, ...args]);
    await this.behaviour?.(method, options);
  }
}

export class FakeClient implements Client {
  readonly name: string;
  readonly device: string = "d0".repeat(16);
  online = true;
  closed = 0;
  conversations: readonly FakeConversation[] = [];
  syncBehaviour: ((options: CallOptions | undefined) => Promise<void>) | undefined;
  readonly listeners: Sets<ClientEvents> = {
    conversation: new Set(),
    message: new Set(),
    connection: new Set(),
    problem: new Set(),
  };

  constructor(name: string) {
    this.name = name;
  }

  emit<K extends keyof ClientEvents>(event: K, value: ClientEvents[K]): void {
    for (const listener of this.listeners[event]) listener(value);
  }

  setOnline(online: boolean): void {
    this.online = online;
    this.emit("connection", { online, transport: online ? "websocket" : undefined });
  }

  appear(conversation: FakeConversation, invitedBy?: string): FakeConversation {
    conversation.all = this.listeners.message;
    this.conversations = [...this.conversations, conversation];
    this.emit("conversation", { id: conversation.id, invitedBy });
    return conversation;
  }

  conversation(id: string): FakeConversation | undefined {
    return this.conversations.find((conversation) => conversation.id === id);
  }

  on<K extends keyof ClientEvents>(event: K, listener: (value: ClientEvents[K]) => unknown): Unsubscribe {
    this.listeners[event].add(listener);
    if (event === "message")
      queueMicrotask(() => this.conversations.forEach((conversation) => conversation.handOver()));
    return () => this.listeners[event].delete(listener);
  }

  async createGroup({ title = "" }: { title?: string } & CallOptions = {}): Promise<FakeConversation> {
    return this.appear(new FakeConversation(`${this.conversations.length + 1}`.padStart(2, "0"), title));
  }

  async sync(options?: CallOptions): Promise<void> {
    if (this.closed > 0) throw new CoppiceError("ERR_CLIENT_CLOSED", "this client was closed");
    await this.syncBehaviour?.(options);
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}
