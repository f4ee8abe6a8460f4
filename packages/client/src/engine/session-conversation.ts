/** A conversation as one page sees it. */
import type { Bytes } from "@coppice/core";
import { Ahead, Listeners, type Scope } from "@coppice/kit";
import type {
  CallOptions,
  ClientEvents,
  Conversation,
  ConversationEvents,
  ConversationSnapshot,
  HistoryItem,
  ListenOptions,
  MembersPage,
  PruneQuery,
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
  /** Whether somebody listens to the messages of all conversations. */
  readonly hearsMessages: () => boolean;
  /** Tells those; undefined if they return no promise. */
  readonly onMessage: (value: ClientEvents["message"]) => Promise<void> | undefined;
}

export class SessionConversation implements Conversation {
  readonly id: string;
  readonly #shared: EngineConversation;
  readonly #scope: Scope;
  readonly #listeners: Listeners<ConversationEvents>;
  readonly #ahead = new Ahead();
  readonly #handOver: HandOver;
  readonly #releases: readonly (() => void)[];

  constructor(shared: EngineConversation, options: SessionConversationOptions) {
    const { scope, listenerFailed } = options;
    this.id = shared.id;
    this.#shared = shared;
    this.#scope = scope;
    this.#listeners = new Listeners<ConversationEvents>(["message", "item", "discarded", "change"], listenerFailed);
    const start = { handedOver: shared.handedOver, lastItem: shared.snapshot.lastItem };
    this.#handOver = new HandOver(start, {
      read: (after) => shared.history.after(after),
      ahead: () => (options.hearsMessages() ? 1 : this.#ahead.smallest),
      deliver: (message) => {
        const own = this.#listeners.notifyAndWait("message", message);
        const all = options.onMessage({ conversation: this.id, message });
        return own === undefined || all === undefined ? (own ?? all) : Promise.all([own, all]).then(() => undefined);
      },
      onAcknowledged: () => {
        shared.acknowledged();
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

  on<K extends keyof ConversationEvents>(
    event: K,
    listener: (value: ConversationEvents[K]) => unknown,
    { ahead }: ListenOptions = {},
  ): Unsubscribe {
    if (event !== "message") return this.#listeners.add(event, listener);
    const takeBack = this.#ahead.add(ahead);
    try {
      const release = this.#listeners.add(event, listener);
      this.handOver();
      return () => {
        takeBack();
        release();
      };
    } catch (error) {
      takeBack();
      throw error;
    }
  }

  /** Somebody listens to messages from now on. */
  handOver(): void {
    this.#handOver.wake();
  }

  acknowledge(seq: number, options: CallOptions = {}): Promise<void> {
    const acknowledged = (): void => {
      this.#handOver.acknowledge(seq);
    };
    return this.#call(() => this.#shared.acknowledge(seq, acknowledged, options), options);
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

  prune(query: PruneQuery, options: CallOptions = {}): Promise<number> {
    return this.#call(() => this.#shared.prune(query, options), options);
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
    this.#ahead.clear();
  }

  /** Settles at the latest when the session is closed. The work itself ends when the caller gives up, where it still can. */
  async #call<T>(work: () => Promise<T>, options: CallOptions): Promise<T> {
    checkOptions(options);
    this.#scope.throwIfEnded();
    options.signal?.throwIfAborted();
    return this.#scope.run(work());
  }
}
