/** The engine: one account, its conversations, and the connection to the Delivery Service. */
import { CoppiceError, isCoppiceError, toHex } from "@coppice/core";
import type { DeliveryEvent, DeliveryService, InboxEntry } from "@coppice/delivery";
import type { StoreChange } from "@coppice/storage";
import type { Account } from "./account/account.ts";
import { refillPool } from "./account/key-packages.ts";
import type { CallOptions, Client, ClientEvents, Conversation, Unsubscribe } from "./api.ts";
import { EngineConversation } from "./conversation/conversation.ts";
import { storeNewGroup } from "./conversation/create.ts";
import { readHeld } from "./conversation/held.ts";
import { Emitter } from "./emitter.ts";
import { clientError, closedError, codeOf, messageOf } from "./errors.ts";
import { join } from "./join.ts";
import { checkTitle } from "./names.ts";
import { CONVERSATION } from "./records/conversation.ts";
import { Retrying } from "./retrying.ts";
import { Scope, type Pace } from "./waiting.ts";

export interface EngineOptions {
  readonly account: Account;
  readonly delivery: DeliveryService;
  readonly clock: () => number;
  readonly pace: Pace;
  readonly keyPackages: number;
}

export class Engine implements Client {
  readonly #options: EngineOptions;
  readonly #scope = new Scope();
  readonly #emitter = new Emitter<ClientEvents>((error) => {
    this.#listenerFailed(error);
  });
  readonly #conversations = new Map<string, EngineConversation>();
  /** Invitations and key packages. */
  readonly #mail: Retrying;
  readonly #releases: (() => void)[] = [];
  #list: readonly Conversation[] = [];
  #online = false;
  #closed: Promise<void> | undefined;
  #reportingListener = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#mail = new Retrying({
      work: () => this.#readInbox(),
      report: (error) => {
        this.#report(error, undefined);
      },
      pace: options.pace,
      scope: this.#scope,
    });
  }

  get name(): string {
    return this.#options.account.name;
  }

  get online(): boolean {
    return this.#online;
  }

  get conversations(): readonly Conversation[] {
    return this.#list;
  }

  conversation(id: string): Conversation | undefined {
    return this.#conversations.get(id);
  }

  on<K extends keyof ClientEvents>(event: K, listener: (value: ClientEvents[K]) => void): Unsubscribe {
    return this.#emitter.on(event, listener);
  }

  /** Loads what is stored and starts to follow the store and the Delivery Service. */
  async start(): Promise<void> {
    const { account, delivery } = this.#options;
    this.#releases.push(
      account.store.subscribe((change) => {
        void this.#followStore(change);
      }),
    );
    for (const partition of await account.store.partitions()) {
      if (partition.startsWith(CONVERSATION)) await this.#open(partition.slice(CONVERSATION.length));
    }
    this.#releases.push(
      delivery.subscribe((event) => {
        this.#followDelivery(event);
      }),
    );
    for (const conversation of this.#conversations.values()) conversation.background.kick();
    this.#mail.kick();
  }

  createGroup({ title = "", signal }: { readonly title?: string } & CallOptions = {}): Promise<Conversation> {
    const checked = checkTitle(title);
    return this.#call(async () => {
      const { account, clock } = this.#options;
      const id = await storeNewGroup(checked, { account, clock, signal });
      const conversation = await this.#open(id);
      if (conversation === undefined) throw new RangeError("a conversation that was just stored is there");
      conversation.background.kick();
      return conversation;
    });
  }

  sync({ signal }: CallOptions = {}): Promise<void> {
    return this.#call(async () => {
      await this.#mail.run();
      await Promise.all([...this.#conversations.values()].map(({ background }) => background.run()));
    }, signal);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const release of this.#releases) release();
    const { account, delivery } = this.#options;
    const stored = [...this.#conversations.values()].map((conversation) => conversation.settleHandOver());
    // Another context may hold a lock and be frozen: what is not stored now is handed over again.
    await Promise.race([Promise.allSettled(stored), this.#scope.sleep(CLOSE_PATIENCE)]);
    this.#scope.end(closedError());
    for (const conversation of this.#conversations.values()) conversation.release();
    this.#emitter.clear();
    await Promise.allSettled([delivery.close(), account.store.close()]);
  }

  /** Settles at the latest when the client is closed or the caller gives up. */
  async #call<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#scope.throwIfEnded();
    signal?.throwIfAborted();
    return this.#scope.run(work(), signal);
  }

  /** Takes a stored conversation up; the one that is there already, if it is. */
  async #open(id: string): Promise<EngineConversation | undefined> {
    const { account, delivery, clock, pace } = this.#options;
    const held = await readHeld(account.store, id, undefined);
    const known = this.#conversations.get(id);
    if (known !== undefined || held === undefined) return known;
    const conversation = new EngineConversation(
      {
        id,
        account,
        delivery,
        clock,
        pace,
        scope: this.#scope,
        report: (error) => {
          if (!isForgotten(error)) this.#report(error, id);
        },
        listenerFailed: (error) => {
          this.#listenerFailed(error);
        },
        onGone: () => {
          this.#conversations.delete(id);
          this.#list = [...this.#conversations.values()];
        },
      },
      held,
    );
    this.#conversations.set(id, conversation);
    this.#list = [...this.#conversations.values()];
    this.#emitter.emit("conversation", { id, invitedBy: held.meta.invitedBy });
    return conversation;
  }

  async #followStore({ partition }: StoreChange): Promise<void> {
    if (!partition.startsWith(CONVERSATION) || this.#scope.ended) return;
    const id = partition.slice(CONVERSATION.length);
    try {
      const known = this.#conversations.get(id);
      if (known === undefined) (await this.#open(id))?.background.kick();
      else await known.refresh();
    } catch (error) {
      if (!isForgotten(error)) this.#report(error, id);
    }
  }

  #followDelivery(event: DeliveryEvent): void {
    switch (event.type) {
      case "connection":
        if (this.#online !== event.online) {
          this.#online = event.online;
          this.#emitter.emit("connection", { online: event.online });
        }
        if (!event.online) return;
        for (const { background } of this.#conversations.values()) background.kick();
        this.#mail.kick();
        return;
      case "inbox":
        this.#mail.kick();
        return;
      case "log":
        this.#conversations.get(toHex(event.groupId))?.background.kick();
    }
  }

  /** Invitations first: they may be for key packages that are about to be deleted. */
  async #readInbox(): Promise<void> {
    const { account, delivery, clock, keyPackages: size } = this.#options;
    for (;;) {
      const entries = await delivery.readInbox();
      if (entries.length === 0) break;
      for (const entry of entries) {
        await this.#join(entry);
        await delivery.acknowledgeInbox(entry.id);
      }
    }
    await refillPool({ account, delivery, clock, size });
  }

  /** A Welcome that cannot be used is reported, and must not hold up the ones after it. */
  async #join(entry: InboxEntry): Promise<void> {
    const { account, clock } = this.#options;
    let id: string | undefined;
    try {
      await this.#catchUp(toHex(entry.groupId));
      id = await join(entry, { account, clock });
    } catch (error) {
      if (this.#scope.ended || !isVerdict(error)) throw error;
      this.#report(error, toHex(entry.groupId));
      return;
    }
    if (id === undefined) return;
    const known = this.#conversations.get(id);
    await known?.refresh();
    (known ?? (await this.#open(id)))?.background.kick();
  }

  /** If this client was removed in the meantime, the log says so, and it may join again. */
  async #catchUp(id: string): Promise<void> {
    try {
      await this.#conversations.get(id)?.background.pull();
    } catch (error) {
      // The Delivery Service refuses the log: then it has nothing to say.
      if (!isCoppiceError(error, "ERR_DS_FORBIDDEN") && !isCoppiceError(error, "ERR_DS_UNKNOWN_GROUP")) throw error;
    }
  }

  /** Told once, not again if the listener of that event is the one that throws. */
  #listenerFailed(cause: unknown): void {
    if (this.#reportingListener) return;
    this.#reportingListener = true;
    this.#report(clientError("ERR_CLIENT_LISTENER", "a listener of the application threw", { cause }), undefined);
    this.#reportingListener = false;
  }

  #report(error: unknown, conversation: string | undefined): void {
    if (this.#scope.ended) return;
    const code = codeOf(error, "ERR_CLIENT_INTERNAL");
    this.#emitter.emit("problem", { code, message: messageOf(error), conversation });
  }
}

/** Milliseconds that closing waits for the store. */
const CLOSE_PATIENCE = 1000;

/** Work that was going on when its conversation was deleted. */
const isForgotten = (error: unknown): boolean => isCoppiceError(error, "ERR_CLIENT_UNKNOWN_CONVERSATION");

/** Whether an invitation itself is at fault, rather than the store or the connection. */
const isVerdict = (error: unknown): boolean =>
  error instanceof CoppiceError
    ? error.code.startsWith("ERR_MLS_")
    : error instanceof RangeError || error instanceof TypeError;
