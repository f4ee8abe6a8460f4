/** A conversation whose state lives in the worker. */
import type {
  CallOptions,
  ClientEvents,
  Conversation,
  ConversationEvents,
  ConversationSnapshot,
  ListenOptions,
  Unsubscribe,
} from "@coppice/client";
import { Ahead, Listeners, Prefix } from "@coppice/kit";
import { CALLS } from "../calls.ts";
import { ITEM_EVENTS, type ItemEvent } from "../protocol.ts";
import type { Link } from "./link.ts";
import { remoteMethods } from "./remote-methods.ts";

/** Messages that may wait for a listener; the worker sends at most a batch that was on its way. */
const MAX_UNHEARD = 1024;

/** Those who listen to the messages of all conversations. */
export interface MessageListeners {
  readonly count: () => number;
  /** Undefined if they return no promise. */
  readonly tell: (value: ClientEvents["message"]) => Promise<void> | undefined;
}

export class RemoteConversation {
  /**
   * What the application holds: frozen, without private fields and without `this`, so that it also works behind the proxies
   * of UI frameworks.
   */
  readonly facade: Conversation;
  readonly #id: string;
  readonly #link: Link;
  readonly #all: MessageListeners;
  readonly #listeners = new Listeners<ConversationEvents>(["message", "item", "discarded", "change"]);
  readonly #ahead = new Ahead();
  /** Messages that wait for those before them, or for a listener. */
  readonly #unheard: ConversationEvents["message"][] = [];
  readonly #told = new Prefix(0);
  /** How far the worker knows that messages were told. */
  #confirmed = 0;
  #confirming = false;
  #listening = false;
  #snapshot: ConversationSnapshot;

  constructor(link: Link, snapshot: ConversationSnapshot, all: MessageListeners) {
    const { id } = snapshot;
    const newest = (): ConversationSnapshot => this.#snapshot;
    this.#id = id;
    this.#link = link;
    this.#all = all;
    this.#snapshot = snapshot;
    const methods = remoteMethods(CALLS.conversation, (method, args) => link.call("conversation", id, method, args));
    this.facade = Object.freeze({
      ...methods,
      acknowledge: async (seq: number, options?: CallOptions) => {
        await methods.acknowledge(seq, options);
        this.#acknowledged(seq);
      },
      id,
      get snapshot() {
        return newest();
      },
      on: <K extends keyof ConversationEvents>(
        event: K,
        listener: (value: ConversationEvents[K]) => unknown,
        options: ListenOptions = {},
      ) => (event === "message" ? this.#onMessage(event, listener, options) : this.#on(event, listener)),
    });
    this.followMessages();
  }

  /** The worker's newest picture. */
  replaceSnapshot(snapshot: ConversationSnapshot): void {
    this.#snapshot = snapshot;
  }

  notify<K extends keyof ConversationEvents>(event: K, value: ConversationEvents[K]): void {
    this.#listeners.notify(event, value);
  }

  receive(message: ConversationEvents["message"]): void {
    if (this.#unheard.length < MAX_UNHEARD) this.#unheard.push(message);
    this.#hear();
  }

  /** Somebody has begun, or ceased, to listen to messages. */
  followMessages(): void {
    const listening = this.#listeners.count("message") > 0 || this.#all.count() > 0;
    if (listening === this.#listening) return;
    this.#listening = listening;
    if (!listening) {
      this.#link.unlisten(this.#id, "message");
      return;
    }
    this.#link.listen(this.#id, "message");
    // A listener that was just added is not called before this has returned.
    queueMicrotask(() => {
      this.#hear();
    });
  }

  #hear(): void {
    while (this.#told.running < (this.#all.count() > 0 ? 1 : this.#ahead.smallest)) {
      const message = this.#unheard.shift();
      if (message === undefined) return;
      const { seq } = message;
      // What was acknowledged meanwhile is not told.
      if (seq <= this.#told.last) continue;
      this.#told.begin(seq);
      const own = this.#listeners.notifyAndWait("message", message);
      const all = this.#all.tell({ conversation: this.#id, message });
      if (own === undefined && all === undefined) this.#settle(seq);
      else {
        void Promise.all([own, all]).then(() => {
          this.#settle(seq);
          this.#hear();
        });
      }
    }
  }

  #settle(seq: number): void {
    this.#told.end(seq);
    if (!this.#confirming) void this.#confirm();
  }

  /** The application has all messages up to this one, told or not; those after it are told now. */
  #acknowledged(seq: number): void {
    this.#told.endUpTo(seq);
    this.#settle(seq);
    this.#hear();
  }

  /** Tells the worker what was told, one call at a time. */
  async #confirm(): Promise<void> {
    this.#confirming = true;
    while (this.#told.done > this.#confirmed) {
      this.#confirmed = this.#told.done;
      // If that fails, the link has ended.
      await this.#link.session.told(this.#id, this.#confirmed).catch(() => undefined);
    }
    this.#confirming = false;
  }

  #onMessage<K extends keyof ConversationEvents>(
    event: K,
    listener: (value: ConversationEvents[K]) => unknown,
    { ahead }: ListenOptions,
  ): Unsubscribe {
    const takeBack = this.#ahead.add(ahead);
    try {
      const remove = this.#listeners.add(event, listener);
      this.followMessages();
      return () => {
        takeBack();
        remove();
        this.followMessages();
      };
    } catch (error) {
      takeBack();
      throw error;
    }
  }

  #on<K extends keyof ConversationEvents>(event: K, listener: (value: ConversationEvents[K]) => unknown): Unsubscribe {
    const remove = this.#listeners.add(event, listener);
    const remote = ITEM_EVENTS.find((name) => name === event);
    if (remote === undefined) return remove;
    if (this.#listeners.count(event) === 1) this.#link.listen(this.#id, remote);
    return this.#releaseOnce(remote, remove);
  }

  /** The worker stops reporting an event when its last listener goes. */
  #releaseOnce(event: ItemEvent, remove: Unsubscribe): Unsubscribe {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      remove();
      if (this.#listeners.count(event) === 0) this.#link.unlisten(this.#id, event);
    };
  }
}
