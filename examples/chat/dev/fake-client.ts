/** A client without cryptography or server that behaves as the real one does towards a page. */
import type {
  Client,
  ClientEvents,
  Conversation,
  ConversationEvents,
  ConversationSnapshot,
  DeliveryState,
  ErrorDetail,
  HistoryItem,
  Member,
  MembersPage,
  Unsubscribe,
} from "coppice";

/** Looks like a `CoppiceError`. */
export class FakeError extends Error {
  override readonly name = "CoppiceError";
  readonly code: string;
  readonly detail: ErrorDetail;

  constructor(code: string, detail: ErrorDetail = {}) {
    super(code);
    this.code = code;
    this.detail = detail;
  }
}

export function isFakeError(error: unknown): error is FakeError {
  return error instanceof FakeError;
}

type Listeners<Events> = { [K in keyof Events]?: Set<(value: Events[K]) => void> };

class Emitter<Events> {
  readonly #listeners: Listeners<Events> = {};

  on<K extends keyof Events>(event: K, listener: (value: Events[K]) => void): Unsubscribe {
    const listeners = (this.#listeners[event] ??= new Set());
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  emit<K extends keyof Events>(event: K, value: Events[K]): void {
    for (const listener of [...(this.#listeners[event] ?? [])]) listener(value);
  }
}

type Message = Extract<HistoryItem, { kind: "message" }>;
type Change = Extract<HistoryItem, { kind: "change" }>;
type Pending = NonNullable<ConversationSnapshot["pending"]>;

/** How the fake network behaves. */
export interface FakeWorld {
  online: boolean;
  /** How long the server takes, milliseconds. */
  delay: number;
  clock: () => number;
}

export class FakeConversation extends Emitter<ConversationEvents> implements Conversation {
  readonly id: string;
  readonly #self: string;
  readonly #world: FakeWorld;
  #items: readonly HistoryItem[] = [];
  #snapshot: ConversationSnapshot;
  #members: readonly Member[];
  #nextSeq = 1;
  onForget: () => void = () => undefined;

  constructor(options: {
    readonly id: string;
    readonly title: string;
    readonly self: string;
    readonly others?: readonly string[];
    readonly invitedBy?: string;
    readonly world: FakeWorld;
  }) {
    super();
    this.id = options.id;
    this.#self = options.self;
    this.#world = options.world;
    this.#members = [options.self, ...(options.others ?? [])].map((user, leafIndex) => ({
      user,
      isSelf: user === options.self,
      devices: [{ device: leafIndex.toString(16).padStart(32, "0"), leafIndex }],
    }));
    this.#snapshot = {
      id: options.id,
      title: options.title,
      status: "active",
      problem: undefined,
      epoch: 0n,
      memberCount: this.#members.length,
      invitedBy: options.invitedBy,
      pending: undefined,
      lastItem: 0,
    };
  }

  get snapshot(): ConversationSnapshot {
    return this.#snapshot;
  }

  /** Names of the members. */
  get names(): readonly string[] {
    return this.#members.map(({ user }) => user);
  }

  patch(change: Partial<ConversationSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    this.emit("change", this.#snapshot);
  }

  /** Another member's message arrives. */
  receive(sender: string, text: string | Uint8Array<ArrayBuffer>, at: number = this.#world.clock()): Message {
    const item = this.#message({ sender, data: bytesOf(text), at, state: "sent" });
    this.emit("message", item);
    return item;
  }

  /** A message of one's own with a given outcome. */
  wrote(text: string, at: number = this.#world.clock(), state: DeliveryState = "sent", problem?: string): Message {
    return this.#message({ sender: this.#self, data: bytesOf(text), at, state, problem });
  }

  /** A member's commit arrives. */
  changed(
    actor: string,
    what: Partial<Pick<Change, "added" | "removed" | "left" | "renamedTo" | "joined" | "at">> = {},
  ): void {
    const epoch = this.#snapshot.epoch + 1n;
    const { added = [], removed = [], left = [], renamedTo, joined = false, at = this.#world.clock() } = what;
    const gone = [...removed, ...left];
    const kept = this.#members.filter(({ user }) => !gone.includes(user));
    let free = Math.max(-1, ...kept.flatMap(({ devices }) => devices.map(({ leafIndex }) => leafIndex))) + 1;
    const isNew = (name: string): boolean => kept.every(({ user }) => user !== name);
    const joining = added.filter(isNew).map((user) => {
      const leafIndex = free++;
      return { user, isSelf: false, devices: [{ device: leafIndex.toString(16).padStart(32, "0"), leafIndex }] };
    });
    this.#members = [...kept, ...joining];
    this.#add({ seq: this.#nextSeq++, kind: "change", at, epoch, actor, added, removed, left, renamedTo, joined });
    this.patch({
      epoch,
      memberCount: this.#members.length,
      title: renamedTo ?? this.#snapshot.title,
      pending: undefined,
      ...(gone.includes(this.#self) ? { status: "removed" as const } : {}),
    });
  }

  undecryptable(problem: string, at: number = this.#world.clock()): void {
    this.#add({ seq: this.#nextSeq++, kind: "undecryptable", at, epoch: this.#snapshot.epoch, problem });
  }

  async members(query: { readonly after?: string; readonly limit?: number } = {}): Promise<MembersPage> {
    const { after, limit = 100 } = query;
    const start = after === undefined ? 0 : this.#members.findIndex(({ user }) => user === after) + 1;
    const members = this.#members.slice(start, start + limit);
    await Promise.resolve();
    return { members, next: start + limit < this.#members.length ? members.at(-1)?.user : undefined };
  }

  safetyNumber(): Promise<string> {
    return Promise.resolve(safetyNumberOf([...this.names].sort().join()));
  }

  epochAuthenticator(): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.resolve(new Uint8Array(32).fill(Number(this.snapshot.epoch)));
  }

  async history(query: { readonly before?: number; readonly limit?: number } = {}): Promise<readonly HistoryItem[]> {
    const { before = Infinity, limit = 100 } = query;
    const page = this.#items.filter(({ seq }) => seq < before).slice(-limit);
    await this.#wait();
    return page;
  }

  async add(users: string | readonly string[]): Promise<void> {
    const names = [users].flat();
    const member = names.find((name) => this.names.includes(name));
    if (member !== undefined) throw new FakeError("ERR_CLIENT_ALREADY_MEMBER", { user: member });
    const unknown = names.find((name) => name.startsWith("nobody"));
    await this.#commit("add", unknown === undefined ? 2 : 1);
    if (unknown !== undefined) {
      this.patch({ pending: undefined });
      throw new FakeError("ERR_DS_UNKNOWN_USER", { user: unknown });
    }
    this.changed(this.#self, { added: names });
  }

  async remove(users: string | readonly string[]): Promise<void> {
    await this.#commit("remove", 1);
    this.changed(this.#self, { removed: [users].flat() });
  }

  async leave(): Promise<void> {
    await this.#commit("leave", 1);
    this.changed(this.names.find((name) => name !== this.#self) ?? this.#self, { left: [this.#self] });
  }

  async rename(title: string): Promise<void> {
    await this.#commit("rename", 1);
    this.changed(this.#self, { renamedTo: title });
  }

  async update(): Promise<void> {
    await this.#commit("update", 1);
    this.changed(this.#self);
  }

  /** A text that starts with "fail" is given up. */
  async send(data: Uint8Array | string): Promise<HistoryItem> {
    await Promise.resolve();
    if (data.length === 0) throw new FakeError("ERR_CLIENT_EMPTY_MESSAGE");
    const bytes = bytesOf(data);
    const item = this.#message({ sender: this.#self, data: bytes, at: this.#world.clock(), state: "sending" });
    void this.#deliver(item, !new TextDecoder().decode(bytes).startsWith("fail"));
    return item;
  }

  async resend(seq: number): Promise<void> {
    const item = this.#items.find((candidate) => candidate.seq === seq);
    if (item?.kind !== "message" || item.state !== "failed") throw new FakeError("ERR_CLIENT_UNKNOWN_ITEM");
    const again: Message = { ...item, state: "sending", problem: undefined };
    this.#replace(again);
    await this.#deliver(again, true);
  }

  async prune(): Promise<number> {
    return Promise.resolve(0);
  }

  async acknowledge(): Promise<void> {
    await Promise.resolve();
  }

  async discard(seq: number): Promise<void> {
    await Promise.resolve();
    this.#items = this.#items.filter((item) => item.seq !== seq);
    this.emit("discarded", { seq });
  }

  exportSecret(_label: string, _context: Uint8Array, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.resolve(new Uint8Array(length));
  }

  async rejoin(): Promise<void> {
    this.patch({ status: "recovering" });
    await this.#wait();
    const { epoch } = this.#snapshot;
    this.#add({ seq: this.#nextSeq++, kind: "gap", at: this.#world.clock(), epoch, problem: "ERR_MLS_EPOCH" });
    this.patch({ status: "active", problem: undefined });
  }

  async forget(): Promise<void> {
    await Promise.resolve();
    this.onForget();
  }

  async #commit(operation: Pending["operation"], attempts: number): Promise<void> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      this.patch({ pending: { operation, attempt } });
      await this.#wait();
    }
    while (!this.#world.online) await this.#wait();
  }

  async #deliver(item: Message, succeeds: boolean): Promise<void> {
    do await this.#wait();
    while (!this.#world.online);
    this.#replace(succeeds ? { ...item, state: "sent" } : { ...item, state: "failed", problem: "ERR_DS_RATE_LIMITED" });
  }

  #message(
    options: Pick<Message, "sender" | "data" | "at" | "state"> & { readonly problem?: string | undefined },
  ): Message {
    const { sender, problem } = options;
    const epoch = this.#snapshot.epoch;
    const isSelf = sender === this.#self;
    const seq = this.#nextSeq++;
    const id = seq.toString(16).padStart(32, "0");
    const item: Message = { ...options, seq, id, kind: "message", isSelf, epoch, problem };
    this.#add(item);
    return item;
  }

  #add(item: HistoryItem): void {
    this.#items = [...this.#items, item];
    this.#snapshot = { ...this.#snapshot, lastItem: item.seq };
    this.emit("item", item);
    this.emit("change", this.#snapshot);
  }

  #replace(item: HistoryItem): void {
    this.#items = this.#items.map((existing) => (existing.seq === item.seq ? item : existing));
    this.emit("item", item);
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#world.delay));
  }
}

export class FakeClient extends Emitter<ClientEvents> implements Client {
  readonly name: string;
  readonly device = "f".repeat(32);
  readonly world: FakeWorld;
  conversations: readonly FakeConversation[] = [];

  constructor(name: string, world: FakeWorld = { online: true, delay: 0, clock: () => Date.now() }) {
    super();
    this.name = name;
    this.world = world;
  }

  get online(): boolean {
    return this.world.online;
  }

  setOnline(online: boolean): void {
    this.world.online = online;
    this.emit("connection", { online, transport: online ? "websocket" : undefined });
  }

  conversation(id: string): FakeConversation | undefined {
    return this.conversations.find((conversation) => conversation.id === id);
  }

  /** A conversation appears: created here or, with `invitedBy`, joined. */
  appear(title: string, others: readonly string[] = [], invitedBy?: string): FakeConversation {
    const id = (this.conversations.length + 0xa1).toString(16).repeat(16);
    const options = { id, title, self: this.name, others, world: this.world };
    const conversation = new FakeConversation(invitedBy === undefined ? options : { ...options, invitedBy });
    conversation.onForget = () => {
      this.conversations = this.conversations.filter((other) => other !== conversation);
    };
    this.conversations = [...this.conversations, conversation];
    this.emit("conversation", { id, invitedBy });
    return conversation;
  }

  async createGroup(options: { readonly title?: string } = {}): Promise<FakeConversation> {
    await new Promise((resolve) => setTimeout(resolve, this.world.delay));
    return this.appear(options.title ?? "");
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function bytesOf(data: Uint8Array | string): Uint8Array<ArrayBuffer> {
  return typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data);
}

/** Twelve groups of digits that look random and are the same for the same seed. */
function safetyNumberOf(seed: string): string {
  let state = 7;
  for (const character of seed) state = (state * 31 + character.charCodeAt(0)) % 2_147_483_647;
  const groups = Array.from({ length: 12 }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state % 100_000).toString().padStart(5, "0");
  });
  return groups.join(" ");
}
