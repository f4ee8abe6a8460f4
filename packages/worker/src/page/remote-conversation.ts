/** A conversation whose state lives in the worker. */
import type { Conversation, ConversationEvents, ConversationSnapshot, Unsubscribe } from "@coppice/client";
import { Listeners } from "@coppice/kit";
import { CALLS } from "../calls.ts";
import { ITEM_EVENTS, type ItemEvent } from "../protocol.ts";
import type { Link } from "./link.ts";
import { remoteMethods } from "./remote-methods.ts";

/** Messages that may wait for a listener; the worker sends at most a batch that was on its way. */
const MAX_UNHEARD = 1024;

export class RemoteConversation {
  /**
   * What the application holds: frozen, without private fields and without `this`, so that it also works behind the proxies
   * of UI frameworks.
   */
  readonly facade: Conversation;
  readonly #id: string;
  readonly #link: Link;
  readonly #listeners = new Listeners<ConversationEvents>(["message", "item", "discarded", "change"]);
  /** Messages that came when the last listener had gone: the engine will not report them again. */
  readonly #unheard: ConversationEvents["message"][] = [];
  #snapshot: ConversationSnapshot;

  constructor(link: Link, snapshot: ConversationSnapshot) {
    const { id } = snapshot;
    const newest = (): ConversationSnapshot => this.#snapshot;
    this.#id = id;
    this.#link = link;
    this.#snapshot = snapshot;
    this.facade = Object.freeze({
      ...remoteMethods(CALLS.conversation, (method, args) => link.call("conversation", id, method, args)),
      id,
      get snapshot() {
        return newest();
      },
      on: <K extends keyof ConversationEvents>(event: K, listener: (value: ConversationEvents[K]) => void) =>
        this.#on(event, listener),
    });
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

  #hear(): void {
    while (this.#listeners.count("message") > 0) {
      const message = this.#unheard.shift();
      if (message === undefined) return;
      this.#listeners.notify("message", message);
    }
  }

  #on<K extends keyof ConversationEvents>(event: K, listener: (value: ConversationEvents[K]) => void): Unsubscribe {
    const remove = this.#listeners.add(event, listener);
    const remote = ITEM_EVENTS.find((name) => name === event);
    if (remote === undefined) return remove;
    if (this.#listeners.count(event) === 1) {
      this.#link.listen(this.#id, remote);
      // A listener that was just added is not called before this has returned.
      if (event === "message") {
        queueMicrotask(() => {
          this.#hear();
        });
      }
    }
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
