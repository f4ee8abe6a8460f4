/** Collects what a page has to be told of its client, until the page asks for it. */
import type { Client, Conversation, ConversationEvents, Unsubscribe } from "@coppice/client";
import { backoff, sleep, type Time } from "@coppice/kit";
import type { ItemEvent, StateChange, WireEvent } from "../protocol.ts";
import { Backlog } from "./backlog.ts";
import { MessageTap } from "./message-tap.ts";
import { Receipts } from "./receipts.ts";
import { StateMirror } from "./state-mirror.ts";

/** Milliseconds between attempts to read a history. */
const PACE = { first: 250, longest: 30_000 };

export class Reporter {
  readonly #time: Time;
  readonly #state: StateMirror;
  readonly #backlog: Backlog;
  readonly #releases: readonly Unsubscribe[];
  /** What the page listens to, by event and conversation. */
  readonly #listening = new Map<string, Unsubscribe>();
  readonly #taps = new Set<MessageTap>();
  readonly #receipts = new Receipts();
  /** The page's question that waits for an answer. */
  #waiting: { readonly wake: () => void; readonly stop: (reason: Error) => void } | undefined;
  #asking = false;
  #ended: Error | undefined;

  constructor(client: Client, time: Time) {
    this.#time = time;
    const wake = (): void => {
      this.#waiting?.wake();
    };
    this.#backlog = new Backlog(async (id, query) => (await client.conversation(id)?.history(query)) ?? []);
    this.#state = new StateMirror(client, wake);
    this.#releases = [
      client.on("conversation", (value) => {
        this.#state.watch(value.id);
        this.#push({ type: "conversation", value });
      }),
      client.on("connection", (value) => {
        this.#push({ type: "connection", value });
      }),
      client.on("problem", (value) => {
        this.#push({ type: "problem", value });
      }),
    ];
  }

  /** What changed since this was called last. */
  takeState(): StateChange | undefined {
    return this.#state.take();
  }

  /**
   * The next batch of events, as soon as there is one; none if only the state changed. The page asks again when it has handled
   * them: while it is busy, newer things take the place of older ones.
   */
  async next(): Promise<readonly WireEvent[]> {
    if (this.#asking) throw new TypeError("One call of next waits already");
    this.#asking = true;
    try {
      if (this.#backlog.isEmpty) for (const tap of this.#taps) tap.open();
      for (;;) {
        const events = await this.#backlog.take();
        if (events.length > 0 || this.#state.hasChanged) return events;
        if (this.#ended !== undefined) throw this.#ended;
        if (this.#backlog.isEmpty) await this.#somethingNew();
        else if (this.#backlog.failures > 0) await this.#pause();
      }
    } finally {
      this.#asking = false;
    }
  }

  listen(conversation: Conversation, event: ItemEvent): void {
    const key = listenerKey(conversation.id, event);
    if (!this.#listening.has(key)) this.#listening.set(key, this.#subscribe(conversation, event));
  }

  unlisten(id: string, event: ItemEvent): void {
    const key = listenerKey(id, event);
    this.#listening.get(key)?.();
    this.#listening.delete(key);
    // Messages stay: the engine will not report them again.
    if (event !== "message") this.#backlog.forget(id, event);
  }

  /** The page has all messages of the conversation up to this number. */
  told(conversation: string, seq: number): void {
    this.#receipts.take(conversation, seq);
  }

  /** Releases every listener; what waits rejects with `reason`. */
  end(reason: Error): void {
    this.#ended = reason;
    for (const release of [...this.#releases, ...this.#listening.values()]) release();
    this.#listening.clear();
    this.#state.release();
    this.#waiting?.stop(reason);
  }

  #somethingNew(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#waiting = { wake: resolve, stop: reject };
    });
  }

  /** Until it is time to read again, or there is something else. */
  async #pause(): Promise<void> {
    const over = new AbortController();
    const patience = sleep(this.#time, backoff(this.#time, PACE, this.#backlog.failures - 1), over.signal);
    try {
      await Promise.race([this.#somethingNew(), patience.catch(() => undefined)]);
    } finally {
      over.abort();
    }
  }

  #push(event: WireEvent): void {
    this.#backlog.push(event);
    this.#waiting?.wake();
  }

  #subscribe(conversation: Conversation, event: ItemEvent): Unsubscribe {
    const { id } = conversation;
    switch (event) {
      case "message":
        return this.#tap(conversation);
      case "item":
        return conversation.on("item", (value) => {
          this.#push({ type: "item", conversation: id, value });
        });
      case "discarded":
        return conversation.on("discarded", (value) => {
          this.#push({ type: "discarded", conversation: id, value });
        });
    }
  }

  #tap(conversation: Conversation): Unsubscribe {
    const { id } = conversation;
    const take = (value: ConversationEvents["message"]): Promise<void> => {
      this.#push({ type: "message", conversation: id, value });
      return this.#receipts.wait(id, value.seq);
    };
    const tap = new MessageTap(conversation, take, () => this.#backlog.isFull);
    this.#taps.add(tap);
    return () => {
      tap.close();
      this.#taps.delete(tap);
    };
  }
}

const listenerKey = (id: string, event: ItemEvent): string => `${event} ${id}`;
