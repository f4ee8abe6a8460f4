/** A conversation as one page sees it. */
import type { Bytes } from "@coppice/core";
import { Listeners, type Scope } from "@coppice/kit";
import type {
  CallOptions,
  Conversation,
  ConversationEvents,
  ConversationSnapshot,
  HistoryItem,
  MembersPage,
  Unsubscribe,
} from "../api.ts";
import { checkOptions } from "../call-options.ts";
import type { EngineConversation } from "../conversation/conversation.ts";
import type { HistoryQuery } from "../conversation/history.ts";
import type { MembersQuery } from "../conversation/members.ts";
import { HandOver } from "./hand-over.ts";

export interface SessionConversationOptions {
  /** Of the session. */
  readonly scope: Scope;
  /** Told of what listeners throw. */
  readonly listenerFailed: (error: unknown) => void;
}

export class SessionConversation implements Conversation {
  readonly id: string;
  readonly #shared: EngineConversation;
  readonly #scope: Scope;
  readonly #listeners: Listeners<ConversationEvents>;
  readonly #handOver: HandOver;
  readonly #releases: readonly (() => void)[];

  constructor(shared: EngineConversation, { scope, listenerFailed }: SessionConversationOptions) {
    this.id = shared.id;
    this.#shared = shared;
    this.#scope = scope;
    this.#listeners = new Listeners<ConversationEvents>(["message", "item", "discarded", "change"], listenerFailed);
    const start = { handedOver: shared.handedOver, lastItem: shared.snapshot.lastItem };
    this.#handOver = new HandOver(start, {
      read: (after) => shared.history.after(after),
      hasListener: () => this.#listeners.count("message") > 0,
      deliver: (message) => {
        this.#listeners.notify("message", message);
      },
    });
    this.#releases = [
      shared.attach(this.#handOver),
      shared.events.add("change", (snapshot) => {
        this.#listeners.notify("change", snapshot);
      }),
      shared.events.add("items", ({ items, discarded, newest }) => {
        for (const item of items) this.#listeners.notify("item", item);
        for (const seq of discarded) this.#listeners.notify("discarded", { seq });
        this.#handOver.offer(items, newest);
      }),
    ];
  }

  get snapshot(): ConversationSnapshot {
    return this.#shared.snapshot;
  }

  on<K extends keyof ConversationEvents>(event: K, listener: (value: ConversationEvents[K]) => void): Unsubscribe {
    const release = this.#listeners.add(event, listener);
    if (event === "message") this.#handOver.wake();
    return release;
  }

  members(query: MembersQuery = {}, options: CallOptions = {}): Promise<MembersPage> {
    return this.#call(() => this.#shared.members(query, options), options);
  }

  safetyNumber(options: CallOptions = {}): Promise<string> {
    return this.#call(() => this.#shared.safetyNumber(options), options);
  }

  history(query: HistoryQuery = {}, options: CallOptions = {}): Promise<readonly HistoryItem[]> {
    return this.#call(() => this.#shared.page(query, options), options);
  }

  add(users: string | readonly string[], options: CallOptions = {}): Promise<void> {
    return this.#call(() => this.#shared.add(users, options), options);
  }

  remove(users: string | readonly string[], options: CallOptions = {}): Promise<void> {
    return this.#call(() => this.#shared.remove(users, options), options);
  }

  leave(options: CallOptions = {}): Promise<void> {
    return this.#call(() => this.#shared.leave(options), options);
  }

  rename(title: string, options: CallOptions = {}): Promise<void> {
    return this.#call(() => this.#shared.rename(title, options), options);
  }

  update(options: CallOptions = {}): Promise<void> {
    return this.#call(() => this.#shared.update(options), options);
  }

  send(data: Uint8Array | string, options: CallOptions = {}): Promise<HistoryItem> {
    return this.#call(() => this.#shared.send(data, options), options);
  }

  resend(seq: number, options: CallOptions = {}): Promise<void> {
    return this.#call(() => this.#shared.resend(seq, options), options);
  }

  discard(seq: number, options: CallOptions = {}): Promise<void> {
    return this.#call(() => this.#shared.discard(seq, options), options);
  }

  exportSecret(label: string, context: Uint8Array, length: number): Promise<Bytes> {
    return this.#call(() => this.#shared.exportSecret(label, context, length), {});
  }

  epochAuthenticator(options: CallOptions = {}): Promise<Bytes> {
    return this.#call(() => this.#shared.epochAuthenticator(options), options);
  }

  rejoin(options: CallOptions = {}): Promise<void> {
    return this.#call(() => this.#shared.rejoin(options), options);
  }

  forget(options: CallOptions = {}): Promise<void> {
    return this.#call(() => this.#shared.forget(options), options);
  }

  release(): void {
    for (const release of this.#releases) release();
    this.#listeners.clear();
  }

  /** Settles at the latest when the session is closed. The work itself ends when the caller gives up, where it still can. */
  async #call<T>(work: () => Promise<T>, options: CallOptions): Promise<T> {
    checkOptions(options);
    this.#scope.throwIfEnded();
    options.signal?.throwIfAborted();
    return this.#scope.run(work());
  }
}
